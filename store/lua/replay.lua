-- Remembers an event of a vendor's, under each of its keys: what may happen between two
-- sidecars that get the same one at once is decided here.
--
-- KEYS  of the event
-- ARGV  1 time, unused
--       2 'claim', 'done' or 'free'
--       3 the claim: a random number
--       4 for how many ms
--       5 the status of the answer, for done
--
-- Reply to claim: {'NEW'}, {'RUNNING'}, or {'DONE', status}; to the others {'OK'}. Unlike
-- the keys of the data set these have a TTL: to forget one delivers an event twice.
local what, claim, ms, status = ARGV[2], 'r' .. ARGV[3], ARGV[4], ARGV[5]
if what == 'claim' then
  for _, key in ipairs(KEYS) do
    local value = redis.call('GET', key)
    if value then
      if string.sub(value, 1, 1) == 'd' then return {'DONE', string.sub(value, 2)} end
      return {'RUNNING'}
    end
  end
  for _, key in ipairs(KEYS) do redis.call('SET', key, claim, 'PX', ms) end
  return {'NEW'}
end
for _, key in ipairs(KEYS) do
  if what == 'done' then
    redis.call('SET', key, 'd' .. status, 'PX', ms)
  elseif redis.call('GET', key) == claim then
    redis.call('DEL', key)
  end
end
return {'OK'}
