"""Many answers awaited at once, handled one after the other with the event loop at rest.

Django's database calls must not run inside a running event loop. Here the loop only runs while waiting for the next
answer; whoever consumes the stream may write to the database between two answers, so that nothing that was
answered (a single-use token above all) is ever held in memory alone for long.
"""

import asyncio
from collections.abc import Awaitable, Iterator


class Stream[Key, Answer]:
    """Up to ``limit`` awaitables at work, each under a key. More may be added while the stream is consumed."""

    def __init__(self, runner: asyncio.Runner, limit: int) -> None:
        self._runner = runner
        self._limit = limit
        self._waiting: list[tuple[Key, Awaitable[Answer]]] = []
        self._tasks: dict[asyncio.Task[Answer], Key] = {}

    def add(self, key: Key, work: Awaitable[Answer]) -> None:
        self._waiting.append((key, work))

    def __iter__(self) -> Iterator[tuple[Key, "Answer | Exception"]]:
        """``(key, answer or exception)`` in the order of arrival; ends when nothing is left."""
        while self._waiting or self._tasks:
            for task in self._runner.run(self._some_done()):
                key = self._tasks.pop(task)
                error = task.exception()
                if error is not None and not isinstance(error, Exception):
                    raise error
                yield key, error if error is not None else task.result()

    async def _some_done(self) -> set[asyncio.Task[Answer]]:
        while self._waiting and len(self._tasks) < self._limit:
            key, work = self._waiting.pop(0)
            self._tasks[asyncio.ensure_future(work)] = key  # type: ignore[index]
        done, _pending = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        return done

    def close(self) -> None:
        """Drop what is unfinished."""
        for task in self._tasks:
            task.cancel()
        for _key, work in self._waiting:
            if asyncio.iscoroutine(work):
                work.close()
        self._runner.run(_settled(list(self._tasks)))
        self._waiting, self._tasks = [], {}


async def _settled(tasks: list[asyncio.Task]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
