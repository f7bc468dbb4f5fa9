-- The one write path. Every mint, rotation and revocation is one call, so that a
-- record, its tenant index, its digest and the ledger never disagree.
--
-- KEYS  1 meta, 2 ledger, 3 tenant index, then the records, then the buckets
-- ARGV  1 time in ms, or '' for the server's own
--       2 the epoch the caller knows, or '' if it never knew one
--       3 a random epoch, used if the data set has none yet
--       4 a random nonce: the new head of the ledger, and the proof of a retry
--       5 how many ledger entries to keep
--       n records: id, expected version ('' = must not exist),
--                  m, m times (field, value), l, l times a field set to the time
--       n digests: position of the bucket in KEYS, digest, new state
--
-- Reply: {'OK', time in ms, sequence number, epoch}, or {'CONFLICT'}, {'EPOCH'},
-- {'SCHEMA'} with nothing written. Redis does not roll a script back, so whatever
-- can fail is tried before the first write.
local SCHEMA = '1'
local meta, ledger, tenant = KEYS[1], KEYS[2], KEYS[3]
local known, fresh, nonce, keep = ARGV[2], ARGV[3], ARGV[4], ARGV[5]

local at = 6
local function take()
  local value = ARGV[at]
  at = at + 1
  return value
end
local function takeList(width)
  local list = {}
  for i = 1, tonumber(take()) * width do list[i] = take() end
  return list
end

local records, digests = {}, {}
for i = 1, tonumber(take()) do
  records[i] = {key = KEYS[3 + i], id = take(), expected = take(), set = takeList(2), stamps = takeList(1)}
end
for i = 1, tonumber(take()) do
  digests[i] = {bucket = KEYS[tonumber(take())], digest = take(), state = take()}
end

-- These fail with WRONGTYPE where a key is not ours.
redis.call('XLEN', ledger)
redis.call('ZCARD', tenant)
for _, d in ipairs(digests) do redis.call('HLEN', d.bucket) end

local epoch = redis.call('HGET', meta, 'epoch')
if known ~= '' and epoch ~= known then return {'EPOCH'} end
local schema = redis.call('HGET', meta, 'schema')
if schema and schema ~= SCHEMA then return {'SCHEMA'} end

for _, r in ipairs(records) do
  -- A caller that lost our reply sends the same nonce again: it has been done.
  local done = redis.call('HGET', r.key, 'op')
  if done then
    local seq, when = string.match(done, '^' .. nonce .. ':(%d+):(%d+)$')
    if seq then return {'OK', when, seq, epoch} end
  end
  local version = redis.call('HGET', r.key, 'v') or ''
  if version ~= r.expected then return {'CONFLICT'} end
  r.version = string.format('%.0f', (r.expected == '' and 0 or tonumber(r.expected)) + 1)
end
local previous = redis.call('HGET', meta, 'head') or ''
local seq = string.format('%.0f', tonumber(redis.call('HGET', meta, 'seq') or 0) + 1)

local now = ARGV[1]
if now == '' then
  local t = redis.call('TIME')
  now = string.format('%.0f', tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000))
end

epoch = epoch or fresh
redis.call('HSET', meta, 'epoch', epoch, 'schema', SCHEMA, 'seq', seq, 'head', nonce)
for _, r in ipairs(records) do
  redis.call('HSET', r.key, 'op', nonce .. ':' .. seq .. ':' .. now, 'v', r.version, unpack(r.set))
  for _, field in ipairs(r.stamps) do redis.call('HSET', r.key, field, now) end
  if r.expected == '' then redis.call('ZADD', tenant, now, r.id) end
end

local entry = {'s', seq, 'p', previous, 'h', nonce}
for _, d in ipairs(digests) do
  if string.sub(d.state, 1, 1) == '-' then
    redis.call('HDEL', d.bucket, d.digest)
  else
    redis.call('HSET', d.bucket, d.digest, seq .. ':' .. d.state)
  end
  entry[#entry + 1] = d.digest
  entry[#entry + 1] = d.state
end
redis.call('XADD', ledger, 'MAXLEN', '~', keep, '*', unpack(entry))
return {'OK', now, seq, epoch}
