-- Declares the data set to be a new one, on an operator's word: sidecars that know
-- another epoch take this one, and forget what was revoked in theirs.
--
-- KEYS  1 meta
-- ARGV  1 time in ms, or '' for the server's own
--       2 the new epoch
--
-- Sequence number and head stay, where there are any: what is in the ledger still
-- leads to them. Reply: the new epoch.
local now = ARGV[1]
if now == '' then
  local t = redis.call('TIME')
  now = string.format('%.0f', tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000))
end
local seq = redis.call('HGET', KEYS[1], 'seq') or '0'
redis.call('HSET', KEYS[1], 'epoch', ARGV[2], 'declared', now, 'schema', '1', 'seq', seq)
return ARGV[2]
