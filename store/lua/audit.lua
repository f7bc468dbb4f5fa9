-- Records a refusal in the audit log, where nothing else is written.
--
-- KEYS  1 audit log of the tenant
-- ARGV  1 time in ms, or '' for the server's own
--       2, 3 how many entries to keep, and for how many ms
--       then fields and values
local now = ARGV[1]
if now == '' then
  local t = redis.call('TIME')
  now = string.format('%.0f', tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000))
end
redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[2], '*', 'at', now, unpack(ARGV, 4))
redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f', tonumber(now) - tonumber(ARGV[3])))
return now
