-- Records when the proofs of a credential's senders last had which result.
--
-- KEYS  records
-- ARGV  1 time in ms, or '' for the server's own; then for each record n, n times
--       (field, time in ms)
--
-- The newest wins, as in usage.lua, and a record that is gone is not created again.
local now = tonumber(ARGV[1])
if not now then
  local t = redis.call('TIME')
  now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end
local at = 2
local found = 0
for _, key in ipairs(KEYS) do
  local n = tonumber(ARGV[at])
  -- pcall: one key that is not a record must not hold up the whole batch for ever.
  local version = redis.pcall('HGET', key, 'v')
  local exists = type(version) == 'string'
  if exists then found = found + 1 end
  for i = 1, n do
    local field, seen = ARGV[at + 2 * i - 1], math.min(tonumber(ARGV[at + 2 * i]), now + 1000)
    if exists and seen > (tonumber(redis.call('HGET', key, field)) or 0) then
      redis.call('HSET', key, field, string.format('%.0f', seen))
    end
  end
  at = at + 1 + 2 * n
end
return found
