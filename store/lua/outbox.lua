-- Makes the outbox, into which lua/trim.lua puts the entries of all audit logs from then on.
--
-- KEYS  1 the outbox
-- ARGV  1 time in ms, or '' for the server's own
if #redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1) == 0 then
  redis.call('XADD', KEYS[1], '*', 'n', '1', 'o', '1')
end
return 'OK'
