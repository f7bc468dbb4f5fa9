-- Counts credentials of a tenant that lua/mutate.lua has not counted: those that an older
-- release or a restore has written. Called for batch after batch of the tenant's index,
-- oldest first; each looks at its records in the same step as it counts them.
--
-- The live credentials are a ZSET: until when in ms -> credential id, NEVER for one without
-- an end. One that was rotated out with a grace does not count beside its successor. The
-- member indexed has the negative of how many credentials the tenant's index had, counted
-- or found to be ended: where that is no longer so, somebody has written past the count.
--
-- KEYS  1 the live credentials, 2 tenant index, then records
-- ARGV  1 time in ms, or '' for the server's own
--       then the ids of the records
--
-- Reply: 1 where the last of them is the last of the index, and all is counted; else 0.
local NEVER = '999999999999999'
local now = tonumber(ARGV[1])
if not now then
  local t = redis.call('TIME')
  now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end
local last
for i = 3, #KEYS do
  last = ARGV[i - 1]
  local r = redis.pcall('HMGET', KEYS[i], 'v', 'r', 'sb', 'e', 'g', 'de')
  -- A disabled credential counts as long as it would if it were enabled.
  if not r.err and r[4] == '1' and r[6] and r[6] ~= '' then r[4] = r[6] ~= '0' and r[6] end
  if not r.err and r[1] and not r[2] and r[3] and tonumber(r[5] or 0) > now then
    -- In its grace: whether it counts depends on its successor, and lua/mutate.lua knows.
  elseif r.err or not r[1] or r[2] or r[3] then
    redis.call('ZREM', KEYS[1], last)
  else
    local till = r[4]
    if not till or till == '' then till = NEVER end
    redis.call('ZADD', KEYS[1], till, last)
  end
end
local newest = redis.call('ZRANGE', KEYS[2], -1, -1)[1]
if newest ~= last then return 0 end
redis.call('ZADD', KEYS[1], string.format('%.0f', -redis.call('ZCARD', KEYS[2])), 'indexed')
return 1
