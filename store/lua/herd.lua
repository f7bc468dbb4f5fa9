-- What the sidecars of one data set know of each other: how many there are, and the
-- copy of the keyring that one of them leaves for the others, so that not each has to
-- read every digest bucket when all have to at once.
--
-- KEYS  1 meta
--       2 ZSET of sidecars, by when they were last seen, in ms
--       3 HASH of the copy: lead and until, whose turn it is to make one; id, format,
--         epoch, seq, head, stream, chunks, sum and at, once it is whole; and its chunks
-- ARGV  1 time in ms, or '' for the server's own
--       2 the sidecar
--       3 'seen', 'read', 'hold', 'done' or 'drop'
--       read: 4 the form of a copy that it can read, 5 how many sidecars there must be,
--             6 how many changes a copy may be behind, 7 a copy that was of no use,
--             8 the id of a new one
--       hold, done, drop: 4 the id; done: then fields and values of the whole copy
--
-- Reply: how many sidecars there are, a word, and what belongs to it:
--   read  'alone'; 'copy' with its fields; 'lead', to make one; 'wait', somebody does
--   hold, done  'ok', or 'late' where it is another's turn by now
--
-- Nothing here says who is let in: a copy counts only if the ledger leads on from it.
local LIFE = 60 * 60 * 1000
local COPY_LIFE = 10 * 60 * 1000
local TURN = 5 * 1000
local meta, sidecars, copy = KEYS[1], KEYS[2], KEYS[3]

local now = tonumber(ARGV[1])
if not now then
  local t = redis.call('TIME')
  now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end
local function text(ms) return string.format('%.0f', ms) end

local epoch = redis.call('HGET', meta, 'epoch')
if epoch then -- nothing is written where there is no data set
  redis.call('ZADD', sidecars, text(now), ARGV[2])
  local gone = redis.call('ZRANGEBYSCORE', sidecars, '-inf', text(now - LIFE), 'LIMIT', 0, 100)
  if #gone > 0 then redis.call('ZREM', sidecars, unpack(gone)) end
end
local n = redis.call('ZCARD', sidecars)
local function reply(word, fields) return {n, word, fields or {}} end

local made = redis.call('HGET', copy, 'at')
if made and tonumber(made) < now - COPY_LIFE then redis.call('DEL', copy) end

local what = ARGV[3]
if what == 'seen' then return reply('ok') end

local lead = redis.call('HMGET', copy, 'lead', 'until')
if what == 'read' then
  if not epoch or n < tonumber(ARGV[5]) then return reply('alone') end
  local c = redis.call('HMGET', copy, 'id', 'format', 'epoch', 'seq', 'head', 'stream', 'chunks', 'sum', 'size')
  if c[1] and c[1] ~= ARGV[7] and c[2] == ARGV[4] and c[3] == epoch then
    local behind = tonumber(redis.call('HGET', meta, 'seq')) - tonumber(c[4])
    if behind >= 0 and behind <= tonumber(ARGV[6]) then return reply('copy', c) end
  end
  if lead[1] and tonumber(lead[2]) > now then return reply('wait') end
  redis.call('DEL', copy)
  redis.call('HSET', copy, 'lead', ARGV[8], 'until', text(now + TURN))
  return reply('lead')
end

if lead[1] ~= ARGV[4] then return reply('late') end
if what == 'hold' then
  redis.call('HSET', copy, 'until', text(now + TURN))
elseif what == 'done' then
  redis.call('HSET', copy, 'at', text(now), 'id', ARGV[4], unpack(ARGV, 5))
  redis.call('HDEL', copy, 'lead', 'until')
else
  redis.call('DEL', copy)
end
return reply('ok')
