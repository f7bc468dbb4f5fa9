-- Tokens that nobody has, a new one in every request, each with the right checksum:
-- what has to be looked up to be refused.
dofile("accepted.lua")

local bit, ffi = require("bit"), require("ffi")
local base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
local token = ffi.new("char[53]")
ffi.copy(token, "mcb_", 4)

local crc32 = {}
for i = 0, 255 do
	local c = i
	for _ = 1, 8 do
		c = bit.bxor(bit.rshift(c, 1), bit.band(c, 1) == 1 and 0xEDB88320 or 0)
	end
	crc32[i] = c
end

local function unknown()
	for i = 4, 46 do
		token[i] = base62:byte(math.random(62))
	end
	local c = -1
	for i = 0, 46 do
		c = bit.bxor(crc32[bit.band(bit.bxor(c, token[i]), 255)], bit.rshift(c, 8))
	end
	c = bit.bnot(c) % 2 ^ 32
	for i = 52, 47, -1 do
		token[i] = base62:byte(c % 62 + 1)
		c = math.floor(c / 62)
	end
	return ffi.string(token, 53)
end

local before, after
local accepted = init

function init(args)
	math.randomseed(os.time())
	accepted(args)
	local marker = "here-stands-the-token"
	wrk.headers["X-Callback-Token"] = marker
	local text = wrk.format()
	local from, to = text:find(marker, 1, true)
	before, after = text:sub(1, from - 1), text:sub(to + 1)
end

function request()
	return before .. unknown() .. after
end
