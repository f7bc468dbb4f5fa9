-- Records the last refusals of credentials.
--
-- KEYS  records
-- ARGV  1 time in ms, or '' for the server's own; 2 how many of each are kept; then for each
--       record n, n times (time in ms, outcome, address)
--
-- The field lr has them newest first, each "<ms>,<outcome>,<address>", a space between. What
-- is written twice, because the first reply got lost, is there once. As in usage.lua none is
-- later than a second from now, and a record that is gone is not created again.
local now = tonumber(ARGV[1])
if not now then
  local t = redis.call('TIME')
  now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end
local keep = tonumber(ARGV[2])
local at = 3
local found = 0
for _, key in ipairs(KEYS) do
  local n = tonumber(ARGV[at])
  -- pcall: one key that is not a record must not hold up the whole batch for ever.
  local current = redis.pcall('HMGET', key, 'v', 'lr')
  if not current.err and current[1] then
    found = found + 1
    local all, seen = {}, {}
    local function add(ms, text)
      if not seen[text] then
        seen[text] = true
        all[#all + 1] = {ms, text}
      end
    end
    for i = 1, n do
      local base = at + 3 * (i - 1)
      local ms = math.min(tonumber(ARGV[base + 1]), now + 1000)
      add(ms, string.format('%.0f,%s,%s', ms, ARGV[base + 2], ARGV[base + 3]))
    end
    for text in string.gmatch(current[2] or '', '[^ ]+') do
      add(tonumber(string.match(text, '^%d+')) or 0, text)
    end
    table.sort(all, function(a, b) return a[1] > b[1] or a[1] == b[1] and a[2] > b[2] end)
    local texts = {}
    for i = 1, math.min(keep, #all) do texts[i] = all[i][2] end
    redis.call('HSET', key, 'lr', table.concat(texts, ' '))
  end
  at = at + 1 + 3 * n
end
return found
