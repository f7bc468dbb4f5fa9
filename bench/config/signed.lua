-- wrk -s signed.lua URL <token> <bytes of body> <keep-alive|close> <key>
--
-- What accepted.lua sends, each request with a new id and the proof of Standard Webhooks:
-- HMAC-SHA256 of id, timestamp and body, by the OpenSSL that wrk is linked with.
dofile("accepted.lua")

local ffi = require("ffi")
ffi.cdef[[
const void *EVP_sha256(void);
unsigned char *HMAC(const void *hash, const void *key, int key_size, const void *text, size_t size, unsigned char *mac, unsigned int *mac_size);
int EVP_EncodeBlock(unsigned char *base64, const unsigned char *bytes, int size);
]]
local mac, base64 = ffi.new("unsigned char[32]"), ffi.new("unsigned char[45]")

local key, run, sent, before, after
local accepted = init

function init(args)
	accepted(args)
	key = args[4]
	-- Runs of one set-up are seconds apart.
	run, sent = "msg_" .. os.time() .. "_", 0
	local marker = "here-stands-the-id"
	wrk.headers["Webhook-Id"] = marker
	local text = wrk.format()
	local from, to = text:find(marker, 1, true)
	before, after = text:sub(1, from - 1), text:sub(to + 1)
end

function request()
	sent = sent + 1
	local id, timestamp = run .. sent, tostring(os.time())
	local signed = id .. "." .. timestamp .. "." .. wrk.body
	ffi.C.HMAC(ffi.C.EVP_sha256(), key, #key, signed, #signed, mac, nil)
	ffi.C.EVP_EncodeBlock(base64, mac, 32)
	return before .. id .. "\r\nWebhook-Timestamp: " .. timestamp .. "\r\nWebhook-Signature: v1," .. ffi.string(base64, 44) .. after
end
