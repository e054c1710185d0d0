"""Files that lie encrypted: sealed a part at a time, so that neither sealing nor opening holds the whole in memory.

A file is a row of parts, each with its length before it. Each part is bound to the file's context and row, to its place
among the parts, and to whether it is the last: parts cannot be left out, exchanged or taken from another file.
"""

import io
from collections.abc import Iterator
from typing import IO

from incubator.common.encryption import Undecipherable, seal, unseal

PART = 1 << 20  # bytes
LENGTH = 4  # bytes that say how long a sealed part is


def _row(row: object, number: int, is_last: bool) -> str:
    return f"{row}:{number}:{'last' if is_last else 'more'}"


def _parts(file: IO[bytes]) -> Iterator[tuple[int, bytes, bool]]:
    """``(number, bytes, is the last)``; an empty file is one empty part."""
    number, part = 0, file.read(PART)
    while True:
        following = file.read(PART)
        yield number, part, not following
        if not following:
            return
        number, part = number + 1, following


class _Sealed(io.RawIOBase):
    """The sealed file as it is made, to be read once."""

    def __init__(self, file: IO[bytes], context: str, row: object) -> None:
        self._parts = _parts(file)
        self._context, self._row = context, row
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]  # whatever can be written to
        if not self._left:
            number, part, is_last = next(self._parts, (0, None, True))
            if part is None:
                return 0
            sealed = seal(part, context=self._context, row=_row(self._row, number, is_last))
            self._left = len(sealed).to_bytes(LENGTH) + sealed
        given, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(given)] = given
        return len(given)


def seal_file(file: IO[bytes], *, context: str, row: object) -> IO[bytes]:
    """A file to read whose bytes are those of ``file``, sealed."""
    return io.BufferedReader(_Sealed(file, context, row), PART)


class _Opened:
    """The parts of a sealed file, opened one by one; closes the file at the end, or when nobody wants the rest."""

    def __init__(self, file: IO[bytes], context: str, row: object) -> None:
        self._file, self._context, self._row = file, context, row
        self._number, self._is_last = -1, False
        try:
            self._next: bytes | None = self._open()
        except Undecipherable:
            self.close()
            raise

    def _open(self) -> bytes:
        self._number += 1
        part, self._is_last = _opened(self._file, self._context, self._row, self._number)
        return part

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        part = self._next
        if part is None:
            self.close()
            raise StopIteration
        self._next = None if self._is_last else self._open()
        return part

    def close(self) -> None:
        self._file.close()


def unseal_file(file: IO[bytes], *, context: str, row: object) -> Iterator[bytes]:
    """The bytes again, part by part; the first is opened at once. ``close`` it if it is not read to its end.

    Raises ``Undecipherable`` for a wrong key, context or row, and for a file that was altered or cut.
    """
    return _Opened(file, context, row)


def _opened(file: IO[bytes], context: str, row: object, number: int) -> tuple[bytes, bool]:
    """The part of that number and whether it is the last."""
    length = int.from_bytes(file.read(LENGTH))
    sealed = file.read(length)
    if not length or len(sealed) < length:
        raise Undecipherable("the file was cut")
    is_last = not file.peek(1) if hasattr(file, "peek") else not _more(file)
    return unseal(sealed, context=context, row=_row(row, number, is_last)), is_last


def _more(file: IO[bytes]) -> bool:
    place = file.tell()
    more = bool(file.read(1))
    file.seek(place)
    return more
