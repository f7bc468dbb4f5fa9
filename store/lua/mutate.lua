-- The one write path. Every mint, rotation, change and revocation is one call, so
-- that a record, its indexes, its digest, the ledger and the audit log never disagree.
--
-- KEYS  1 meta, 2 ledger, 3 tenant index, 4 audit log of the tenant, 5 and 6 the
--       tenant's idempotency keys with what they did, and by age, 7 its live
--       credentials, see lua/count.lua, 8 what lua/trim.lua keeps of the audit log, 9 the
--       outbox; then the records, then buckets, revoked digests and client ids as their positions
--       below say
-- ARGV  1 time in ms, or '' for the server's own
--       2 the epoch the caller knows, or '' if it never knew one
--       3 a random epoch, used if the data set has none yet
--       4 a random nonce: the new head of the ledger, and the proof of a retry
--       5 how many ledger entries to keep
--       6, 7 how many audit entries to keep, and for how many ms
--       8, 9, 10 idempotency key, fingerprint of the request and the id of the
--          credential it makes; '' for the key where there is none
--       11 how many live credentials the tenant may have with those of this call, '' for
--          any number; 12 '1' where the count is to be taken as it is
--       n audit fields: n times (field, value); none for no entry
--       n records: id, expected version ('' = must not exist),
--                  m, m times (field, value), l, l times a field set to the time
--       n digests: position of the bucket, position of the revoked digests, digest,
--                  'new' (must never have been there), 'change' or 'remove', state
--       n client ids: position, client id, the credential that takes it, or '' and
--                  the one that gives it up
--       n counts: id of a credential, until when it lives in ms, or '' where it no
--                  longer counts
--
-- Reply: {'OK', time in ms, sequence number, epoch}, or with nothing written
-- {'CONFLICT'}, {'EPOCH'}, {'SCHEMA'}, {'EXISTS'} (the digest), {'REVOKED'} (it was),
-- {'TAKEN'} (the client id), {'REPLAY', credential id} or {'REUSED'} (the idempotency
-- key), {'QUOTA'}, or {'COUNT'} where the live credentials have to be counted first. Redis does not roll a script back, so whatever can fail is tried before the
-- first write.
local SCHEMA = '1'
local IDEMPOTENCY_LIFE = 24 * 60 * 60 * 1000
local meta, ledger, tenant, audit, done, doneByAge = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local live, trimmed, outbox = KEYS[7], KEYS[8], KEYS[9]
local known, fresh, nonce, keep = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local auditKeep, auditLife = tonumber(ARGV[6]), tonumber(ARGV[7])
local idempotencyKey, fingerprint, made = ARGV[8], ARGV[9], ARGV[10]
local quota, trusted = tonumber(ARGV[11]), ARGV[12] == '1'

local at = 13
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

local auditFields = takeList(2)
local records, digests, clients, counts = {}, {}, {}, {}
for i = 1, tonumber(take()) do
  records[i] = {key = KEYS[9 + i], id = take(), expected = take(), set = takeList(2), stamps = takeList(1)}
end
for i = 1, tonumber(take()) do
  digests[i] = {bucket = KEYS[tonumber(take())], revoked = KEYS[tonumber(take())], digest = take(), mode = take(), state = take()}
end
for i = 1, tonumber(take()) do
  clients[i] = {key = KEYS[tonumber(take())], id = take(), to = take(), from = take()}
end
for i = 1, tonumber(take()) do
  counts[i] = {id = take(), till = take()}
end

-- These fail with WRONGTYPE where a key is not ours.
redis.call('XLEN', ledger)
local indexed = redis.call('ZCARD', tenant)
-- Changes nothing. Full memory refuses it, and nothing more once something is written.
redis.call('ZADD', live, 'XX', 0, '')
if idempotencyKey ~= '' then
  redis.call('HLEN', done)
  redis.call('ZCARD', doneByAge)
end
for _, d in ipairs(digests) do
  redis.call('HLEN', d.bucket)
  redis.call('SCARD', d.revoked)
end

local epoch = redis.call('HGET', meta, 'epoch')
if known ~= '' and epoch ~= known then return {'EPOCH'} end
local schema = redis.call('HGET', meta, 'schema')
if schema and schema ~= SCHEMA then return {'SCHEMA'} end

local now = ARGV[1]
if now == '' then
  local t = redis.call('TIME')
  now = string.format('%.0f', tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000))
end

local conflict = false
for _, r in ipairs(records) do
  -- A caller that lost our reply sends the same nonce again: it has been done.
  local op = redis.call('HGET', r.key, 'op')
  if op then
    local seq, when = string.match(op, '^' .. nonce .. ':(%d+):(%d+)$')
    if seq then return {'OK', when, seq, epoch} end
  end
  local version = redis.call('HGET', r.key, 'v') or ''
  if version ~= r.expected then
    conflict = true
    break
  end
  r.version = string.format('%.0f', (r.expected == '' and 0 or tonumber(r.expected)) + 1)
end
if idempotencyKey ~= '' then
  local before = redis.call('HGET', done, idempotencyKey)
  local age = redis.call('ZSCORE', doneByAge, idempotencyKey)
  if before and age and tonumber(age) > tonumber(now) - IDEMPOTENCY_LIFE then
    if string.sub(before, 1, #fingerprint) ~= fingerprint then return {'REUSED'} end
    return {'REPLAY', string.sub(before, #fingerprint + 1)}
  end
end
if conflict then return {'CONFLICT'} end
-- Client ids before digests: that a digest is there must not tell whoever asks for
-- another's client id that they guessed its secret.
for _, c in ipairs(clients) do
  c.owner = redis.call('HGET', c.key, c.id)
  if c.to ~= '' and c.owner and c.owner ~= c.to and c.owner ~= c.from then return {'TAKEN'} end
end
for _, d in ipairs(digests) do
  if d.mode == 'new' then
    -- Revocation is terminal: what has been revoked once is never let in again.
    if redis.call('SISMEMBER', d.revoked, d.digest) == 1 then return {'REVOKED'} end
    if redis.call('HEXISTS', d.bucket, d.digest) == 1 then return {'EXISTS'} end
  elseif d.mode == 'change' and redis.call('HEXISTS', d.bucket, d.digest) == 0 then
    return {'CONFLICT'}
  end
end
local adds = 0
for _, c in ipairs(counts) do
  local before = redis.call('ZSCORE', live, c.id)
  if before and tonumber(before) > tonumber(now) then adds = adds - 1 end
  if c.till ~= '' and tonumber(c.till) > tonumber(now) then adds = adds + 1 end
end
local counted = redis.call('ZSCORE', live, 'indexed')
if not counted and indexed == 0 then counted = 0 end
if quota and adds > 0 then
  if not trusted and not (counted and -tonumber(counted) == indexed) then return {'COUNT'} end
  -- Those that have expired and are not taken away yet may be among them.
  local room = quota - adds
  if room < 0 then return {'QUOTA'} end
  if redis.call('ZCARD', live) > room and
    #redis.call('ZRANGEBYSCORE', live, '(' .. now, '+inf', 'LIMIT', room, 1) > 0 then return {'QUOTA'} end
end
local previous = redis.call('HGET', meta, 'head') or ''
local seq = string.format('%.0f', tonumber(redis.call('HGET', meta, 'seq') or 0) + 1)

-- What is taken away goes first: should a later command be denied, the token is gone,
-- and whoever asks again finds that the rest is still to be done.
for _, d in ipairs(digests) do
  if d.mode == 'remove' then
    redis.call('HDEL', d.bucket, d.digest)
    redis.call('SADD', d.revoked, d.digest)
  end
end

epoch = epoch or fresh
redis.call('HSET', meta, 'epoch', epoch, 'schema', SCHEMA, 'seq', seq, 'head', nonce)
for _, r in ipairs(records) do
  redis.call('HSET', r.key, 'op', nonce .. ':' .. seq .. ':' .. now, 'v', r.version, unpack(r.set))
  for _, field in ipairs(r.stamps) do redis.call('HSET', r.key, field, now) end
  if r.expected == '' then
    redis.call('ZADD', tenant, now, r.id)
    if counted then counted = tonumber(counted) - 1 end
  end
end
for _, c in ipairs(counts) do
  if c.till == '' then
    redis.call('ZREM', live, c.id)
  else
    redis.call('ZADD', live, c.till, c.id)
  end
end
if counted and #counts > 0 then
  redis.call('ZADD', live, string.format('%.0f', tonumber(counted)), 'indexed')
  local expired = redis.call('ZRANGEBYSCORE', live, 0, now, 'LIMIT', 0, 16)
  if #expired > 0 then redis.call('ZREM', live, unpack(expired)) end
end

local entry = {'s', seq, 'p', previous, 'h', nonce}
for _, d in ipairs(digests) do
  if d.mode ~= 'remove' then redis.call('HSET', d.bucket, d.digest, seq .. ':' .. d.state) end
  entry[#entry + 1] = d.digest
  entry[#entry + 1] = d.state
end
redis.call('XADD', ledger, 'MAXLEN', '~', keep, '*', unpack(entry))

for _, c in ipairs(clients) do
  if c.to ~= '' then
    redis.call('HSET', c.key, c.id, c.to)
  elseif c.owner == c.from then
    redis.call('HDEL', c.key, c.id)
  end
end
if idempotencyKey ~= '' then
  local old = redis.call('ZRANGEBYSCORE', doneByAge, '-inf', string.format('%.0f', tonumber(now) - IDEMPOTENCY_LIFE), 'LIMIT', 0, 100)
  for _, key in ipairs(old) do
    redis.call('HDEL', done, key)
    redis.call('ZREM', doneByAge, key)
  end
  redis.call('HSET', done, idempotencyKey, fingerprint .. made)
  redis.call('ZADD', doneByAge, now, idempotencyKey)
end
if #auditFields > 0 then
  -- pcall: a revocation is never held up by its audit entry.
  pcall(note, audit, trimmed, outbox, now, auditKeep, auditLife, auditFields)
end
return {'OK', now, seq, epoch}
