"""What a Redis or Valkey server does in one step, as Lua scripts.

For each kind, below `penstock:KIND:`

    r:ID      hash      a record's version `v` and content `b`; ends by itself
    seq       number    the last version given
    order     set       ids by version: the order of writing, and of eviction
    ends      set       ids by the millisecond of their end
    groups    hash      the groups of each record, as names of 20 bytes after another
    g:NAME    set       ids of a group by version

A record that has ended leaves its traces in the others until somebody writes: each script begins
by removing a few.
"""

from __future__ import annotations

from typing import Final

_BEGIN: Final = """
local base = KEYS[1]
local order, ends, groups = base .. 'order', base .. 'ends', base .. 'groups'
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function leave_groups(id)
  local names = redis.call('HGET', groups, id)
  if names then
    for at = 1, #names, 20 do
      redis.call('ZREM', base .. 'g:' .. string.sub(names, at, at + 19), id)
    end
    redis.call('HDEL', groups, id)
  end
end

local function remove(id)
  redis.call('DEL', base .. 'r:' .. id)
  redis.call('ZREM', order, id)
  redis.call('ZREM', ends, id)
  leave_groups(id)
end

local function sweep(most)
  local gone = redis.call('ZRANGEBYSCORE', ends, '-inf', now, 'LIMIT', 0, most)
  for _, id in ipairs(gone) do remove(id) end
  return #gone
end

local function read(id)
  return redis.call('HMGET', base .. 'r:' .. id, 'v', 'b')
end
"""

# ARGV: id, content, milliseconds to live, version that must stand there (-1: any), entries at
# most, entries of a group at most (-1: any number), groups.
# Returns: version (0: another one stands there), how many were evicted, what stands there.
PUT: Final = (
    _BEGIN
    + """
local id, wanted = ARGV[1], tonumber(ARGV[4])
local standing = read(id)
if wanted >= 0 and wanted ~= tonumber(standing[1] or 0) then
  return {0, 0, standing[1] or 0, standing[2] or ''}
end
sweep(20)
leave_groups(id)
local version = redis.call('INCR', base .. 'seq')
redis.call('HSET', base .. 'r:' .. id, 'v', version, 'b', ARGV[2])
redis.call('PEXPIRE', base .. 'r:' .. id, ARGV[3])
redis.call('ZADD', order, version, id)
redis.call('ZADD', ends, now + tonumber(ARGV[3]), id)

local evicted = 0
local function bound(set, most)
  local excess = redis.call('ZCARD', set) - most
  if excess > 0 then
    for _, each in ipairs(redis.call('ZRANGE', set, 0, math.min(excess, 1000) - 1)) do
      remove(each)
      evicted = evicted + 1
    end
  end
end

local names = ARGV[7]
local most = tonumber(ARGV[6])
if #names > 0 then
  redis.call('HSET', groups, id, names)
  for at = 1, #names, 20 do
    redis.call('ZADD', base .. 'g:' .. string.sub(names, at, at + 19), version, id)
  end
  if most >= 0 then
    for at = 1, #names, 20 do
      bound(base .. 'g:' .. string.sub(names, at, at + 19), most)
    end
  end
end
bound(order, tonumber(ARGV[5]))
return {version, evicted, 0, ''}
"""
)

# ARGV: id. Returns: version and content, both nil where there is none.
REMOVE: Final = (
    _BEGIN
    + """
local standing = read(ARGV[1])
remove(ARGV[1])
return standing
"""
)

# ARGV: how many at most, below which version (or +inf), then a group unless of the whole kind.
# Returns: ids, versions and contents, one after the other, newest first.
FIND: Final = (
    _BEGIN
    + """
for _ = 1, 10 do
  if sweep(100) < 100 then break end
end
local set = ARGV[3] and base .. 'g:' .. ARGV[3] or order
local found = {}
local ids = redis.call('ZREVRANGEBYSCORE', set, '(' .. ARGV[2], '-inf', 'LIMIT', 0, ARGV[1])
for _, id in ipairs(ids) do
  local record = read(id)
  if record[1] then
    found[#found + 1] = id
    found[#found + 1] = record[1]
    found[#found + 1] = record[2]
  end
end
return found
"""
)

# Returns: how many were swept, how many are left.
SWEEP_BATCH: Final = 500
SWEEP: Final = _BEGIN + f"return {{sweep({SWEEP_BATCH}), redis.call('ZCARD', order)}}"
