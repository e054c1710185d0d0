"""Starting, finding and ending processes. Linux has all of it; elsewhere what is missing is left out."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

PROC = Path("/proc")


def die_with_parent(how: signal.Signals) -> None:
    """Let the kernel send ``how`` to this process when its parent ends, however it ends."""
    _prctl(PR_SET_PDEATHSIG, how)


def adopt_orphans() -> None:
    """Become the parent of grandchildren whose own parent ended, so that none is lost from sight."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def spawn(
    command: Sequence[str],
    *,
    output: IO[bytes] | int | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    death_signal: signal.Signals = signal.SIGKILL,
) -> "subprocess.Popen[bytes]":
    """Start ``command`` in a session of its own, so that Ctrl-C passes it by; it ends with its parent.

    Call it from the main thread: the kernel takes the end of the starting thread for the end of the parent.
    """
    parent = os.getpid()

    def in_child() -> None:
        die_with_parent(death_signal)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if os.getppid() != parent:
            os._exit(1)

    return subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        env=None if environment is None else dict(environment),
        cwd=folder,
        start_new_session=True,
        preexec_fn=in_child,
    )


def run(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    """Run ``command`` to its end, out of Ctrl-C's reach, and return what it said."""
    process = spawn(command, output=subprocess.PIPE, environment=environment)
    said, _ = process.communicate()
    return subprocess.CompletedProcess(command, process.returncode, said.decode(errors="replace"))


def living_in(folder: Path, programs: Iterable[str]) -> list[int]:
    """Processes of these names whose working folder is ``folder``, zombies left out, the eldest first."""
    wanted, names = os.path.realpath(folder), set(programs)
    return [pid for pid in _all_pids() if _working_folder(pid) == wanted and _name(pid) in names]


def marked(variable: str, value: str) -> list[int]:
    """Processes that were started with ``variable=value`` in their environment, zombies and this one left out."""
    mark = os.fsencode(f"{variable}={value}")
    return [pid for pid in _all_pids() if pid != os.getpid() and mark in _environment(pid)]


def _all_pids() -> list[int]:
    if not PROC.is_dir():
        return []
    return sorted(int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())


def _working_folder(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/cwd").readlink())
    except OSError:  # gone, a zombie, or somebody else's
        return ""


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def end(pids: Callable[[], list[int]], how: signal.Signals = signal.SIGKILL, seconds: float = 3.0) -> bool:
    """Signal what ``pids`` finds, and wait until it finds nothing more. False if something is left."""
    for pid in pids():
        send(pid, how)
    return until(lambda: not pids(), seconds)


def send(pid: int, how: signal.Signals) -> None:
    """Signal a process that may be gone already."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, how)


def kill_group(pid: int) -> None:
    """End at once everything that ``pid``, a process started by ``spawn``, has left in its process group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def until(condition: Callable[[], bool], seconds: float, wait: Callable[[float], None] = time.sleep) -> bool:
    """Wait for ``condition``, at most so long. True if it came."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        wait(0.02)
    return True


def reap_strangers(known: Iterable[int]) -> None:
    """Bury ended children that nobody waits for: adopted orphans. ``known`` ones are left to their owners."""
    mine = set(known)
    while True:
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if found is None or found.si_pid in mine:
            return
        os.waitpid(found.si_pid, os.WNOHANG)
