-- Keeps how far a sink of the audit log is, and which process sends to it: one at a time.
--
-- KEYS  1 the sink, a HASH: h the holder, u until when, p the id and n the number of the
--       entry in the outbox that it has, s the number and x the hash of its last line
-- ARGV  1 time in ms, or '' for the server's own
--       2 who asks, 3 for how many ms they want to hold it; 0 gives it up
--       then fields and values, which only the holder may set
--
-- Reply: {'HELD'} where somebody else has it, {'LOST'} where who sets fields does not have
-- it any more, or {'OK'} and fields and values.
local now = tonumber(ARGV[1])
if not now then
  local t = redis.call('TIME')
  now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end
local holder, lease = redis.call('HGET', KEYS[1], 'h'), tonumber(ARGV[3])
local free = not holder or tonumber(redis.call('HGET', KEYS[1], 'u') or 0) <= now
if #ARGV > 3 and holder ~= ARGV[2] then return {'LOST'} end
if holder ~= ARGV[2] and not free then return {'HELD'} end
if #ARGV > 3 then redis.call('HSET', KEYS[1], unpack(ARGV, 4)) end
if lease > 0 then
  redis.call('HSET', KEYS[1], 'h', ARGV[2], 'u', string.format('%.0f', now + lease))
else
  redis.call('HDEL', KEYS[1], 'h', 'u')
end
local reply = redis.call('HGETALL', KEYS[1])
table.insert(reply, 1, 'OK')
return reply
