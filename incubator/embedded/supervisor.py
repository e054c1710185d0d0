"""Keeps a list of parts running, and stops them in order. Knows nothing of what the parts are."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from incubator.embedded import processes
from incubator.embedded.errors import EmbeddedError
from incubator.embedded.folders import last_lines, open_log

LONGEST_PAUSE = 30.0
SETTLED_SECONDS = 30.0
BACK_SECONDS = 2.0


class StopRequested(Exception):
    """Somebody pressed Ctrl-C or asked the runner to end."""


class Part(Protocol):
    """What can be supervised: the embedded servers, and programs of our own."""

    name: str
    log: Path
    stop_seconds: float
    process: "subprocess.Popen[bytes] | None"

    def start(self, wait: Callable[[float], None] = ...) -> None: ...
    def request_stop(self, attempt: int = 0) -> None: ...
    def kill(self) -> None: ...


@dataclass
class Program:
    """A program of our own, with its output in ``log``, or on the terminal when there is none."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str]
    folder: Path
    stop_seconds: float = 3.0  # an idle Celery worker takes 2.2
    stop_signals: tuple[signal.Signals, ...] = (signal.SIGTERM,)
    live: bool = False
    process: "subprocess.Popen[bytes] | None" = None

    def start(self, wait: Callable[[float], None] = time.sleep) -> None:
        if self.live:
            self.process = self._spawn(None)
            return
        with open_log(self.log) as log:
            self.process = self._spawn(log)

    def _spawn(self, output):  # type: ignore[no-untyped-def]
        return processes.spawn(self.command, output=output, environment=self.environment, folder=self.folder)

    def request_stop(self, attempt: int = 0) -> None:
        """Send the first of ``stop_signals``; at a later attempt the last, which hurries."""
        if self.process is not None and self.process.poll() is None:
            processes.send(self.process.pid, self.stop_signals[-1 if attempt else 0])

    def kill(self) -> None:
        """End it and everything in its process group at once."""
        if self.process is not None:
            processes.kill_group(self.process.pid)
            self.process.wait()
        self.process = None


@dataclass
class _Watched:
    part: Part
    started_at: float = field(default_factory=time.monotonic)
    due_at: float | None = None
    failures: int = 0
    log_begins: int = 0
    is_back: bool = True


class Supervisor:
    """Starts parts, restarts those that die, and stops all in the reverse order of their groups.

    Everything happens in the main thread, in ``wait`` and ``look_after``: the kernel ties each child to the thread
    that started it.
    """

    def __init__(self, say: Callable[[str], None], run_dir: Path) -> None:
        self.say = say
        self.run_dir = run_dir
        self.watched: dict[str, _Watched] = {}
        self.requests = 0
        self._once: Part | None = None
        self._stopping = False
        processes.adopt_orphans()
        self._wakeup_read, wakeup_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wakeup_write, warn_on_full_buffer=False)
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, self._on_request)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as nohup leaves it
            signal.signal(signal.SIGHUP, self._on_request)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def _on_request(self, *_: object) -> None:
        self.requests += 1

    # --- Waiting -----------------------------------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        """Sleep so long, less if a child ends or a signal comes. Raises StopRequested once somebody asked for it."""
        ready, _, _ = select.select([self._wakeup_read], [], [], seconds)
        if ready:
            os.read(self._wakeup_read, 4096)
        if self.requests and not self._stopping:
            raise StopRequested

    def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Look after the parts until ``condition`` holds, at most so long. True if it came to hold."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            self.wait(0.05)
            self.look_after()
        return True

    # --- Starting and restarting ---------------------------------------------------------------------------------

    def start(self, part: Part) -> None:
        """Start ``part`` and keep it running from now on. Raises EmbeddedError if it does not start."""
        self.watched[part.name] = watched = _Watched(part)
        self._start(watched)

    def _start(self, watched: _Watched) -> None:
        log = watched.part.log
        watched.log_begins = log.stat().st_size if log.exists() else 0
        watched.started_at = time.monotonic()
        watched.part.start(wait=self.wait)
        if watched.part.process is not None:
            self._note_pid(watched.part.name, watched.part.process.pid)

    def _note_pid(self, name: str, pid: int) -> None:
        """For people and tests; whole at any moment."""
        unfinished = self.run_dir / f"{name.lower()}.pid.unfinished"
        unfinished.write_text(f"{pid}\n")
        unfinished.replace(unfinished.with_suffix(""))

    def run(self, part: Part, seconds: float = 3600.0) -> int:
        """Run ``part`` once, to its end, while the others are looked after. Returns its exit code."""
        self._once = part
        part.start(wait=self.wait)
        process = part.process
        assert process is not None  # noqa: S101 - start() has just made it
        try:
            self.until(lambda: process.poll() is not None, seconds)
        finally:
            part.kill()
            self._once = None
        return process.returncode

    def look_after(self) -> None:
        """Restart what has died, each after its pause."""
        for watched in list(self.watched.values()):
            process = watched.part.process
            if watched.due_at is None and process is not None and process.poll() is not None:
                self._note_death(watched, process.returncode)
            if watched.due_at is not None and time.monotonic() >= watched.due_at:
                self._restart(watched)
            if not watched.is_back and watched.due_at is None and self._age(watched) > BACK_SECONDS:
                watched.is_back = True
                self.say(f"{watched.part.name} runs again.")
        self._bury()

    @staticmethod
    def _pause(watched: _Watched) -> float:
        """Seconds until the next try: none after the first failure, then twice as long after each."""
        return min(2.0 ** (watched.failures - 2), LONGEST_PAUSE) if watched.failures > 1 else 0.0

    @staticmethod
    def _age(watched: _Watched) -> float:
        return time.monotonic() - watched.started_at

    def _bury(self) -> None:
        parts = [*(watched.part for watched in self.watched.values()), *([self._once] if self._once else [])]
        processes.reap_strangers(part.process.pid for part in parts if part.process is not None)

    def _note_death(self, watched: _Watched, code: int) -> None:
        """Say it, end what is left of it, and set the time of the next try: twice as long after each quick death."""
        part = watched.part
        part.kill()
        watched.is_back = False
        watched.failures = 1 if self._age(watched) > SETTLED_SECONDS else watched.failures + 1
        pause = self._pause(watched)
        watched.due_at = time.monotonic() + pause
        when = f"in {pause:g} s" if pause else "now"
        self.say(f"{part.name} ended ({how_it_ended(code)}); it is started again {when}. Its log is {part.log}")
        if code > 0:
            for line in last_lines(part.log, since=watched.log_begins):
                self.say(f"    {line}")

    def _restart(self, watched: _Watched) -> None:
        watched.due_at = None
        try:
            self._start(watched)
        except EmbeddedError as error:
            watched.failures += 1
            watched.due_at = time.monotonic() + self._pause(watched)
            self.say(f"{error} Trying again in {self._pause(watched):g} s.")

    # --- Stopping ------------------------------------------------------------------------------------------------

    def stop(self, groups: Iterable[Iterable[str]]) -> None:
        """Stop the named parts, one group after the other; a further request ends everything at once."""
        self._stopping = True
        seen = self.requests
        for group in groups:
            parts = [self.watched[name].part for name in group if name in self.watched]
            if self.requests == seen:
                self._stop_group(parts, lambda: self.requests > seen)
            for part in parts:
                part.kill()
                (self.run_dir / f"{part.name.lower()}.pid").unlink(missing_ok=True)
        self.watched.clear()

    def _stop_group(self, parts: list[Part], hurried: Callable[[], bool]) -> None:
        """Ask politely, ask again when most of the time is over, and give up at its end."""
        seconds = max((part.stop_seconds for part in parts), default=0)
        for attempt, share in enumerate((0.8, 0.2)):
            for part in filter(_is_alive, parts):
                part.request_stop(attempt)
            deadline = time.monotonic() + seconds * share
            while any(_is_alive(part) for part in parts) and time.monotonic() < deadline and not hurried():
                self.wait(0.05)


def _is_alive(part: Part) -> bool:
    return part.process is not None and part.process.poll() is None


def how_it_ended(code: int) -> str:
    """An exit code in words."""
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
