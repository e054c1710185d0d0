"""The gate every call to a platform passes: one rate for all workers and a circuit breaker, on the broker's clock.

Rate. A call holds a place from before it is sent until one window (a second) after its answer came. There are as many
places as calls are allowed in a window, so that whatever the way takes, the platform never sees more in any window.
A place whose holder died frees itself after the longest time a call can take.

Breaker. After ``BREAKS_AFTER`` calls without one good answer the platform is left alone, for a time that doubles; then
a single call tries it. A platform that asks for patience (``Retry-After``) gets it from every worker.
"""

import asyncio
import secrets
import time
from dataclasses import dataclass
from typing import Any

import redis.asyncio
from django.conf import settings
from redis.exceptions import RedisError

from incubator.metrics.clients import base

BREAKS_AFTER = 20  # calls in a row without a good answer
FIRST_REST, LONGEST_REST = 5.0, 120.0  # seconds
LONGEST_CALL = 15.0  # seconds; a client gives up after ten
SHORT_WAIT = 5.0  # seconds a call waits at the gate before its batch is put off instead
LOOK_AGAIN = 0.1  # seconds; how old the breaker's state may be where no rate is to be kept

# KEYS: places, breaker. ARGV: places there are, longest call in ms, name of the call, 1 to take a place.
# Answers {1, 0}, {0, ms until a place may be free} or {-1, ms the platform is left alone}.
ENTER = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local rest = tonumber(redis.call('HGET', KEYS[2], 'until') or '0')
if now < rest then return {-1, rest - now} end
if redis.call('HGET', KEYS[2], 'broken') == '1' then
    local probe = tonumber(redis.call('HGET', KEYS[2], 'probe') or '0')
    if now < probe then return {-1, probe - now} end
    redis.call('HSET', KEYS[2], 'probe', now + ARGV[2])
end
if ARGV[4] == '0' then return {1, 0} end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then
    local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
    redis.call('HDEL', KEYS[2], 'probe')
    return {0, math.max(1, first[2] - now)}
end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2] * 2)
return {1, 0}
"""
# KEYS: places, breaker. ARGV: window in ms, name of the call, what came of it, ms of patience asked for, calls in a row
# that break, first and longest rest in ms.
LEAVE = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if ARGV[1] ~= '0' then redis.call('ZADD', KEYS[1], 'XX', now + ARGV[1], ARGV[2]) end
if ARGV[3] == 'good' then
    redis.call('HDEL', KEYS[2], 'bad', 'broken', 'pause', 'probe')
elseif ARGV[3] == 'patience' then
    local rest = math.max(tonumber(redis.call('HGET', KEYS[2], 'until') or '0'), now + ARGV[4])
    redis.call('HSET', KEYS[2], 'until', rest)
elseif ARGV[3] == 'bad' then
    local bad = redis.call('HINCRBY', KEYS[2], 'bad', 1)
    local broken = redis.call('HGET', KEYS[2], 'broken') == '1'
    local rest = tonumber(redis.call('HGET', KEYS[2], 'until') or '0')
    if (broken or bad >= tonumber(ARGV[5])) and now >= rest then
        local pause = tonumber(redis.call('HGET', KEYS[2], 'pause') or ARGV[6])
        redis.call('HSET', KEYS[2], 'broken', '1', 'until', now + pause,
            'pause', math.min(pause * 2, tonumber(ARGV[7])))
        redis.call('HDEL', KEYS[2], 'probe')
    end
end
return now
"""


class NotMade(base.PlatformError):
    """The call was given up before it was made, at the gate or on the way there."""


class Paused(NotMade):
    """The platform is being left alone for ``after`` seconds."""

    def __init__(self, after: float) -> None:
        super().__init__("paused")
        self.after = after


class GateAway(NotMade):
    """The broker that keeps the rate does not answer, so no call is made: better none than too many."""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``places`` calls in any ``window`` seconds; no places means no limit."""

    places: int
    window: float

    @classmethod
    def of(cls, per_second: float) -> "Rate":
        if per_second <= 0:
            return cls(0, 0)
        places = max(1, int(per_second))
        return cls(places, places / per_second)


class BrokerGate:
    """``base.Gate`` over the broker, for one process and event loop. Use as ``async with``."""

    def __init__(self, platform: str, per_second: float) -> None:
        self._rate = Rate.of(per_second)
        self._keys = [f"platform:{platform}:places", f"platform:{platform}:breaker"]
        self._turn = asyncio.Lock()
        self._looked_at = 0.0
        self._has_failed = False
        self._redis: Any = None
        self._enter: Any = None
        self._leave: Any = None
        self._calls: dict[int, str] = {}

    async def __aenter__(self) -> "BrokerGate":
        self._redis = redis.asyncio.from_url(settings.CACHES["default"]["LOCATION"])
        self._enter = self._redis.register_script(ENTER)
        self._leave = self._redis.register_script(LEAVE)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._redis.aclose()

    async def enter(self) -> None:
        """Wait for a place. Raises ``Paused`` when the wait would be long, ``GateAway`` without the broker.

        A wait that is broken off ends in ``NotMade``, so that whoever spent the call knows that it was not used.
        """
        try:
            await self._wait_for_place()
        except asyncio.CancelledError:
            raise NotMade from None

    async def _wait_for_place(self) -> None:
        if not self._rate.places and self._is_fresh():
            return
        waited = 0.0
        async with self._turn:  # one of the process asks, the others stand behind it
            while True:
                if not self._rate.places and self._is_fresh():
                    return
                verdict, wait = await self._ask_for_place()
                if verdict == 1:
                    self._looked_at = time.monotonic()
                    return
                if verdict == -1 and waited + wait > SHORT_WAIT:
                    raise Paused(wait)
                waited += wait if verdict == -1 else 0
                await asyncio.sleep(min(wait, 0.05) if verdict == 0 else wait)

    def _is_fresh(self) -> bool:
        return not self._has_failed and time.monotonic() - self._looked_at < LOOK_AGAIN

    async def _ask_for_place(self) -> tuple[int, float]:
        name = secrets.token_hex(8)
        takes = "1" if self._rate.places else "0"
        verdict, wait = await self._run(self._enter, [self._rate.places, round(LONGEST_CALL * 1000), name, takes])
        if verdict == 1 and self._rate.places:
            self._calls[id(asyncio.current_task())] = name
        return int(verdict), float(wait) / 1000

    async def leave(self, outcome: base.PlatformError | None) -> None:
        """Give the place back a window from now, and tell the breaker how it went."""
        what, patience = _verdict(outcome)
        if not self._rate.places and what == "good" and not self._has_failed:
            return
        self._has_failed = what != "good"
        name = self._calls.pop(id(asyncio.current_task()), "")
        window = round(self._rate.window * 1000)
        rests = [round(FIRST_REST * 1000), round(LONGEST_REST * 1000)]
        try:
            await self._run(self._leave, [window, name, what, round(patience * 1000), BREAKS_AFTER, *rests])
        except GateAway:
            return  # the place frees itself

    async def _run(self, script: Any, args: list) -> Any:
        try:
            return await script(keys=self._keys, args=args)
        except (RedisError, OSError):
            raise GateAway("gate") from None


def _verdict(outcome: base.PlatformError | None) -> tuple[str, float]:
    """What a call means for the breaker, and the seconds of patience the platform asked for."""
    if isinstance(outcome, base.RateLimited):
        return "patience", outcome.retry_after or 1.0
    if isinstance(outcome, base.Transient | base.BadAnswer):
        return "bad", 0
    if isinstance(outcome, base.GivenUp):
        return "none", 0
    return "good", 0
