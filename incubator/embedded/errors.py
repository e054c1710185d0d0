"""What can go wrong below Django, in sentences for the person at the terminal."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class EmbeddedError(Exception):
    """One sentence that says what is wrong and what to do next."""


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals about ``path`` into sentences."""
    try:
        yield
    except OSError as error:
        raise EmbeddedError(explain(error, path)) from error


def explain(error: OSError, path: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_full(path)
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            f"This user may not write to {error.filename or path}. Give the folder to this user, or start as its owner."
        )
    if error.errno == errno.EROFS:
        return f"{error.filename or path} lies on a read-only disk. Set INCUBATOR_VAR to a folder that can be written."
    return f"{error.filename or path} cannot be used: {error.strerror}."


def disk_full(path: Path) -> str:
    return f"The disk that holds {path} is full. Free at least 200 MB and start again."
