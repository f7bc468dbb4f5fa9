-- Remembers an event of a vendor's, under each of its keys: what may happen between two
-- sidecars that get the same one at once is decided here.
--
-- KEYS  of the event
-- ARGV  1 'claim', 'done' or 'free'
--       2 the value of the keys while the event is under way: r and a random number
--       3 for how many ms
--       4 the status of the answer, for done
--
-- Reply to claim: the value of a key that has one, which begins with r while a request with
-- the event is under way, and with d when it was delivered; '' where the event is now the
-- claim's. To the others ''. Unlike the keys of the data set these have a TTL: to forget
-- one delivers an event twice.
local what, claim, ms, status = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if what == 'claim' then
  for _, key in ipairs(KEYS) do
    local value = redis.call('GET', key)
    if value then return value end
  end
  for _, key in ipairs(KEYS) do redis.call('SET', key, claim, 'PX', ms) end
  return ''
end
for _, key in ipairs(KEYS) do
  if what == 'done' then
    redis.call('SET', key, 'd' .. status, 'PX', ms)
  elseif redis.call('GET', key) == claim then
    redis.call('DEL', key)
  end
end
return ''
