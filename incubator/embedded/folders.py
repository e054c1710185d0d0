"""Folders and files below ``var``: private ones, free space, locks, logs."""

import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from incubator.embedded.errors import EmbeddedError, disk_full, explained

LEAST_FREE_BYTES = 100 * 1024 * 1024
LOG_BYTES = 10 * 1024 * 1024


def private_dir(path: Path) -> Path:
    """Make ``path`` a folder that only its owner can enter. Raises EmbeddedError if it is not ours."""
    with explained(path):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or (os.getuid() != 0 and found.st_uid != os.getuid()):
            raise EmbeddedError(f"{path} belongs to another user. Give it to this user (chown -R), or remove it.")
        path.chmod(0o700)
    return path


def own(path: Path, uid: int) -> None:
    """Give ``path`` and all in it to ``uid``, if it is not theirs already. Only root can."""
    if os.getuid() != 0 or path.lstat().st_uid == uid:
        return
    with explained(path):
        for folder, _folders, files in os.walk(path):
            for name in [folder, *(os.path.join(folder, file) for file in files)]:  # noqa: PTH118 - thousands of them
                os.lchown(name, uid, uid)


def check_free_space(path: Path) -> None:
    """Raises EmbeddedError when the disk of ``path`` is too full for a database to start on."""
    with explained(path):
        if shutil.disk_usage(path).free < LEAST_FREE_BYTES:
            raise EmbeddedError(disk_full(path))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file ``path``; wait for whoever holds it."""
    with explained(path), path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def try_lock(path: Path) -> IO[str] | None:
    """The open, locked file, to be kept open as long as the lock is wanted; None while somebody else holds it."""
    with explained(path):
        file = path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
    return file


def is_locked(path: Path) -> bool:
    """Whether somebody holds the lock file ``path``."""
    if not path.exists():
        return False
    file = try_lock(path)
    if file is not None:
        file.close()
    return file is None


def open_log(path: Path) -> IO[bytes]:
    """Open a log for appending; one that has grown large is set aside as ``.1`` first."""
    with explained(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > LOG_BYTES:
            path.replace(path.with_suffix(path.suffix + ".1"))
        return path.open("ab")


def last_lines(path: Path, count: int = 8, since: int = 0) -> list[str]:
    """The last lines that were written to ``path`` after byte ``since``; none if it cannot be read."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(since, size - 16_384))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()][-count:]
