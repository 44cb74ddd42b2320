"""What Redis does in one step, in its own language, and by its own clock."""

from __future__ import annotations

__all__ = ["CLAIM", "SETTLE", "TAKE"]

#: Claim recipients for an attempt, or tell what is known of them.
#:
#: KEYS: the messages' records. ARGV: the attempt; the number of this claim, so that one that is
#: asked for again after a lost answer is not taken for that of another; the prefix of leases;
#: milliseconds of a lease; seconds of a record; whether the claims of the dead are taken over; the
#: recipients as JSON, a list for each message. Gives a list for each message, with what stands
#: there for each recipient: "go" (claimed now), "busy" (one that lives has it), or the record.
CLAIM = """
local attempt, claim = ARGV[1], 'c' .. ARGV[1] .. '/' .. ARGV[2]
local leases, resend, told, taken = ARGV[3], ARGV[6] == '1', {}, {}
redis.call('SET', leases .. attempt, '1', 'PX', ARGV[4])
for number, addresses in ipairs(cjson.decode(ARGV[7])) do
  local key, found = KEYS[number], {}
  for place, address in ipairs(addresses) do
    local value, answer = redis.call('HGET', key, address), 'go'
    if taken[key .. ' ' .. address] then
      answer = 'busy'
    elseif value and value ~= claim then
      local kind = string.sub(value, 1, 1)
      local owner = kind == 'c' and string.match(value, '^c([^/]*)')
      if owner and redis.call('EXISTS', leases .. owner) == 1 then
        answer = 'busy'
      elseif not (resend and (owner or kind == 'u')) then
        answer = value
      end
    end
    if answer == 'go' then
      redis.call('HSET', key, address, claim)
      taken[key .. ' ' .. address] = true
    end
    found[place] = answer
  end
  redis.call('EXPIRE', key, ARGV[5])
  told[number] = found
end
return told
"""

#: Write down what became of claimed recipients; one without words is free again.
#:
#: KEYS: the messages' records. ARGV: the seconds of a record; for each message as JSON the claim
#: and pairs of recipient and words. What another attempt has taken over since stays its own.
SETTLE = """
for number, settled in ipairs(cjson.decode(ARGV[2])) do
  local key, claim = KEYS[number], 'c' .. settled[1]
  for _, pair in ipairs(settled[2]) do
    local value = redis.call('HGET', key, pair[1])
    if not value or value == claim then
      if pair[2] == '' then
        redis.call('HDEL', key, pair[1])
      else
        redis.call('HSET', key, pair[1], pair[2])
      end
    end
  end
  redis.call('EXPIRE', key, ARGV[1])
end
"""

#: Take tokens from the bucket that all workers share.
#:
#: KEYS: the bucket. ARGV: tokens a second; the most in the bucket; how many are wanted, or given
#: back if it is negative. Gives how many there are, and the milliseconds until there is one more.
TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local rate, most, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(bucket[1] or 1), tonumber(bucket[2] or now)
tokens = math.min(most, tokens + math.max(0, now - at) * rate / 1000000)
local taken = math.min(wanted, math.floor(tokens))
tokens = math.min(most, tokens - taken)
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(most / rate * 1000) + 60000)
return {taken, math.ceil(math.max(0, 1 - tokens) / rate * 1000)}
"""
