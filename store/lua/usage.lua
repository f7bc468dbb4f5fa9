-- Records when credentials were last used.
--
-- KEYS  records
-- ARGV  1 time in ms, or '' for the server's own; then for each record the time
--       of its last use in ms
--
-- The newest use wins, whatever order the sidecars flush in. A use is never later
-- than the server's clock plus a second, so that one sidecar whose clock is ahead
-- cannot set a value that no honest one can ever move. A record that is gone is
-- not created again. Reply: how many records exist.
local now = tonumber(ARGV[1])
if not now then
  local t = redis.call('TIME')
  now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end
local found = 0
for i, key in ipairs(KEYS) do
  -- pcall: one key that is not a record must not hold up the whole batch for ever.
  local current = redis.pcall('HMGET', key, 'v', 'lu')
  if not current.err and current[1] then
    found = found + 1
    local used = math.min(tonumber(ARGV[i + 1]), now + 1000)
    if used > (tonumber(current[2]) or 0) then
      redis.call('HSET', key, 'lu', string.format('%.0f', used))
    end
  end
end
return found
