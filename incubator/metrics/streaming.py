"""Many calls awaited at once, their answers handled one after the other with the event loop at rest.

Django's database calls must not run inside a running event loop. Here the loop only runs while waiting for answers;
whoever consumes the stream may write to the database between two of them. Answers are handed over in handfuls, a
twentieth of a second apart, so that neither the loop nor the database is woken for each; but one that must finish is
handed over at once, because it is nowhere but here.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import uvloop

HANDFUL = 64
LINGER = 0.05  # seconds answers wait for others
TICK = 2.0  # seconds without an answer after which the consumer is given a turn all the same

Call = Callable[[], Awaitable[Any]]


def event_loop() -> asyncio.Runner:
    """What a stream runs on; used as ``with``. uvloop's: a call takes less of the processor than on Python's own."""
    return asyncio.Runner(loop_factory=uvloop.new_event_loop)


@dataclass(frozen=True, slots=True)
class Work[Key]:
    """A call to be made, and whom it is for. With ``must_finish`` its answer is handed over whatever happens."""

    key: Key
    call: Call
    must_finish: bool = False


class Stream[Key]:
    """Up to ``limit`` calls at work. More may be added while the stream is consumed."""

    def __init__(self, runner: asyncio.Runner, limit: int) -> None:
        self._runner = runner
        self._limit = limit
        self._waiting: deque[Work[Key]] = deque()
        self._at_work: dict[asyncio.Task, Work[Key]] = {}
        self._done: deque[tuple[Key, Any]] = deque()
        self._woken = asyncio.Event()
        self._is_urgent = False

    def add(self, key: Key, call: Call, *, must_finish: bool = False) -> None:
        self._waiting.append(Work(key, call, must_finish))

    def __iter__(self) -> Iterator[tuple[Key, Any] | None]:
        """``(key, answer or exception)`` in the order of arrival, None for a turn without; ends when all is done."""
        while self._waiting or self._at_work or self._done:
            self._runner.run(self._some())
            if not self._done:
                yield None
            while self._done:
                yield self._done.popleft()

    async def _some(self) -> None:
        self._fill()
        if not self._done:
            self._woken.clear()
            try:
                await asyncio.wait_for(self._woken.wait(), TICK)
            except TimeoutError:
                return
        await self._linger(asyncio.get_running_loop().time() + LINGER)

    async def _linger(self, end: float) -> None:
        """Let others come too, until the handful is full."""
        while len(self._done) < HANDFUL and self._at_work and not self._is_urgent:
            left = end - asyncio.get_running_loop().time()
            if left <= 0:
                break
            await asyncio.sleep(min(left, LINGER / 10))
        self._is_urgent = False

    def _fill(self) -> None:
        while self._waiting and len(self._at_work) < self._limit:
            work = self._waiting.popleft()
            task = asyncio.ensure_future(work.call())
            self._at_work[task] = work
            task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task) -> None:
        work = self._at_work.pop(task)
        if not task.cancelled():
            error = task.exception()
            self._done.append((work.key, task.result() if error is None else error))
            self._is_urgent |= work.must_finish
        self._woken.set()
        self._fill()

    def close(self) -> list[tuple[Key, Any]]:
        """Begin nothing more and drop what is under way, but for what must finish: its answers, and those not taken.

        What was never begun has None for its answer. A call that is dropped may raise something to say more.
        """
        left: list[tuple[Key, Any]] = [(work.key, None) for work in self._waiting]
        self._waiting.clear()
        self._runner.run(self._settle())
        left += self._done
        self._done.clear()
        return left

    async def _settle(self) -> None:
        for task, work in list(self._at_work.items()):
            if not work.must_finish:
                task.cancel()
        if self._at_work:
            await asyncio.wait(list(self._at_work))
        await asyncio.sleep(0)  # the callbacks of the last ones
