"""What the embedded servers have in common: one folder, one socket, found again after any kind of death."""

import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from incubator.embedded import processes
from incubator.embedded.errors import EmbeddedError, disk_full, explained
from incubator.embedded.folders import check_free_space, last_lines, locked, open_log, private_dir

Wait = Callable[[float], None]


class Server(ABC):
    """A server process of one data folder. It never opens a TCP port."""

    name: str
    programs: ClassVar[tuple[str, ...]]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    stop_seconds: float = 0.5
    error_marks: ClassVar[tuple[str, ...]]

    def __init__(self, data_dir: Path, socket_dir: Path, *, log: Path | None = None) -> None:
        self.data_dir = data_dir
        self.socket_dir = socket_dir
        self.log = log or data_dir.parent / f"{data_dir.name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def ready(self) -> bool:
        """Whether it answers on its socket."""

    @abstractmethod
    def _command(self) -> list[str]:
        """Get the folder ready and return the command that serves it."""

    @abstractmethod
    def _remove_traces(self) -> None:
        """Remove what a killed server left behind that would stop the next one. Nothing lives in the folder."""

    def is_running(self) -> bool:
        return self._main_pid() is not None

    def start(self, wait: Wait = time.sleep, timeout: float = 60.0) -> None:
        """Start it and return once it answers; a server that runs on this folder already is taken as it is.

        ``wait`` sleeps; it may raise to break off. Raises EmbeddedError with one sentence.
        """
        with explained(self.data_dir.parent):
            self.data_dir.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        private_dir(self.socket_dir)
        check_free_space(self.data_dir.parent)
        with locked(self.data_dir.parent / f"{self.data_dir.name}.lock"):
            if self._runs_already(wait, timeout):
                return
            self._clear_leftovers()
            self._serve(wait, timeout)
            self._after_start()

    def _after_start(self) -> None:  # noqa: B027 - most servers need nothing
        """Do what a newly started server needs once, before anybody uses it."""

    def _runs_already(self, wait: Wait, timeout: float) -> bool:
        """True when a server answers. One that is still stopping is waited for; a stuck one is ended."""
        if processes.until(lambda: not self.is_running() or self.ready(), timeout / 4, wait):
            return self.is_running()
        self.kill()
        return False

    def _clear_leftovers(self) -> None:
        """Workers of a killed server may outlive it for a moment; none may write beside the new one's."""
        if not processes.end(self._pids):
            raise EmbeddedError(f"Processes of an earlier {self.name} hold {self.data_dir} and cannot be ended.")
        self._remove_traces()

    def _serve(self, wait: Wait, timeout: float) -> None:
        command = self._command()
        with open_log(self.log) as log:
            since = log.tell()
            self.process = processes.spawn(
                command, output=log, environment=self._environment(), death_signal=self.stop_signal
            )
        process = self.process
        processes.until(lambda: process.poll() is not None or self.ready(), timeout, wait)
        if process.poll() is not None or not self.ready():
            self.kill()
            raise EmbeddedError(self.explain(since))

    def _environment(self) -> dict[str, str] | None:
        return None

    def explain(self, since: int = 0) -> str:
        """Why it ended, in one sentence, from what it logged after byte ``since``."""
        lines = last_lines(self.log, 40, since)
        if any("No space left on device" in line for line in lines):
            return disk_full(self.data_dir)
        said = [line for line in lines if any(mark in line for mark in self.error_marks)] or lines[-1:]
        reason = said[-1].strip() if said else "it said nothing"
        return f"{self.name} did not start: {reason} (log: {self.log})"

    def stop(self, timeout: float = 4.0) -> None:
        """Stop it in order; kill it when that takes longer than ``timeout`` seconds."""
        self.request_stop()
        if not processes.until(lambda: not self.is_running(), timeout):
            self.kill()
        self.process = None

    def request_stop(self, attempt: int = 0) -> None:
        """Ask it to stop; asking again changes nothing."""
        if (pid := self._main_pid()) is not None:
            processes.send(pid, self.stop_signal)

    def kill(self) -> None:
        """End it at once. What it had promised is on disk."""
        processes.end(self._all_pids)
        if self.process is not None:
            self.process.wait()
        self.process = None

    def _main_pid(self) -> int | None:
        if self.process is not None and self.process.poll() is None:
            return self.process.pid
        return next(iter(self._pids()), None)

    def _pids(self) -> list[int]:
        return processes.living_in(self.data_dir, self.programs)

    def _all_pids(self) -> list[int]:
        mine = [self.process.pid] if self.process is not None and self.process.poll() is None else []
        return sorted({*mine, *self._pids()})
