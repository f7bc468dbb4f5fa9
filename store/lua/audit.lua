-- Records in the audit log what changes no credential by itself: a refusal, or what an
-- import came to. lua/trim.lua stands before it.
--
-- KEYS  1 audit log of the tenant, 2 what lua/trim.lua keeps of it, 3 the outbox
-- ARGV  1 time in ms, or '' for the server's own
--       2, 3 how many entries to keep, and for how many ms
--       then fields and values
local now = ARGV[1]
if now == '' then
  local t = redis.call('TIME')
  now = string.format('%.0f', tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000))
end
local fields = {}
for i = 4, #ARGV do fields[i - 3] = ARGV[i] end
note(KEYS[1], KEYS[2], KEYS[3], now, tonumber(ARGV[2]), tonumber(ARGV[3]), fields)
return now
