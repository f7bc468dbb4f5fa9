-- Stands before the scripts that write to an audit log.
--
-- note adds an entry and takes away what is too old. The number of entries is only a
-- backstop, and no actor fills the log alone: of one that has more than half of the
-- entries, its own oldest goes, and not everybody's. Beside the log is a HASH:
--
--   n:<actor>  how many entries of the actor are in the log
--   top        the one actor that has had more than half of them, if any
--   from       the entry before which none of that actor's is left
--
-- It adds the entry to the outbox, too, where there is one: a STREAM in which the entries of
-- all tenants wait for the sinks of the audit log. Its entries are numbered, so that a sink
-- sees what it has missed. A sink makes it, see lua/outbox.lua.
--
-- One call looks at no more than some hundred entries. Commands that the ACL of an older
-- release does not have are denied: then age and number alone decide.
local function note(audit, kept, outbox, now, keep, life, fields)
  local STEP = 100
  local function actorOf(list)
    for i = 1, #list, 2 do
      if list[i] == 'w' then return list[i + 1] end
    end
    return ''
  end
  local function held(actor) return tonumber(redis.call('HGET', kept, 'n:' .. actor) or 0) end
  local function add(actor, n)
    n = held(actor) + n
    if n > 0 then
      redis.call('HSET', kept, 'n:' .. actor, string.format('%.0f', n))
    else
      redis.call('HDEL', kept, 'n:' .. actor)
    end
    return n
  end
  local function drop(entry)
    redis.call('XDEL', audit, entry[1])
    add(actorOf(entry[2]), -1)
  end

  local id = redis.call('XADD', audit, '*', 'at', now, unpack(fields))
  local oldest = string.format('%.0f', tonumber(now) - life)
  local last = redis.call('XREVRANGE', outbox, '+', '-', 'COUNT', 1)
  if #last > 0 then
    local n = string.format('%.0f', tonumber(last[1][2][2]) + 1) -- the number is its first field
    -- The key of the log ends in the tenant.
    redis.call('XADD', outbox, 'MAXLEN', '~', keep, '*', 'n', n, 't', string.sub(audit, -36), 'i', id, 'at', now, unpack(fields))
    redis.call('XTRIM', outbox, 'MINID', '~', oldest)
  end
  local fair = pcall(function()
    local actor = actorOf(fields)
    if add(actor, 1) > keep / 2 and redis.call('HGET', kept, 'top') ~= actor then
      redis.call('HSET', kept, 'top', actor)
      redis.call('HDEL', kept, 'from')
    end
    for _, entry in ipairs(redis.call('XRANGE', audit, '-', '(' .. oldest .. '-0', 'COUNT', STEP)) do drop(entry) end

    local over = redis.call('XLEN', audit) - keep
    if over <= 0 then return end
    local top = redis.call('HGET', kept, 'top')
    if top and held(top) > keep / 2 and over <= keep / STEP + STEP then
      local entries = redis.call('XRANGE', audit, redis.call('HGET', kept, 'from') or '-', '+', 'COUNT', STEP)
      for _, entry in ipairs(entries) do
        redis.call('HSET', kept, 'from', entry[1])
        if actorOf(entry[2]) == top then
          drop(entry)
          over = over - 1
          if over == 0 then break end
        end
      end
    else
      for _, entry in ipairs(redis.call('XRANGE', audit, '-', '+', 'COUNT', math.min(over, STEP))) do drop(entry) end
    end
  end)
  if not fair then
    redis.call('XTRIM', audit, 'MAXLEN', keep)
    redis.call('XTRIM', audit, 'MINID', oldest)
  end
end
