#!lua flags=allow-oom
-- A write that changes nothing, for the WAIT behind it: since Redis 7.2, and in Valkey,
-- WAIT counts from the last write of its connection that was propagated, and a
-- connection without one is told at once that every replica has it. Full memory does not
-- refuse it.
--
-- KEYS  1 meta
--
-- Reply: 1; 0 where there is no data set, and nothing was written.
local schema = redis.call('HGET', KEYS[1], 'schema')
if not schema then return 0 end
redis.call('HSET', KEYS[1], 'schema', schema)
return 1
