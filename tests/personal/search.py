"""Searches bytes for ID numbers and mobiles, however somebody wrote them down or a machine encoded them."""

import base64
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

# What stands between groups of digits: spaces and dashes as typed, in URLs and full width; the zeros of UTF-16.
BETWEEN = re.compile(rb"%20|%2B|%C2%A0|\xe3\x80\x80|\xc2\xa0|\\u3000|\\u00a0|[ \-+\x00]")
WIDE = {chr(0xFF10 + n).encode(): str(n).encode() for n in range(10)}
RUN = re.compile(rb"[0-9]{10,}[0-9Xx]")
HEX = re.compile(rb"(?:00)?(?:3[0-9](?:00|20|2[dD])?){10,}(?:3[0-9]|[57]8)")
BASE64 = re.compile(rb"[A-Za-z0-9+/_\-]{16,}")


class Search:
    """Finds any of ``numbers`` (ID numbers of 18 characters, mobiles of 11 digits)."""

    def __init__(self, numbers: Iterable[str]) -> None:
        self.numbers = {number.upper().encode() for number in numbers}
        self.lengths = {len(number) for number in self.numbers}

    def within(self, content: bytes) -> set[str]:
        """The numbers that stand in ``content``: in clear, with gaps, UTF-16, full width, hexadecimal, or base64."""
        found = set(self._in_clear(content))
        for run in HEX.findall(content):
            found |= set(self._in_clear(_from_hex(run)))
        for run in BASE64.findall(content):
            for offset in range(4):
                found |= set(self._in_clear(_from_base64(run[offset:])))
        return {number.decode() for number in found}

    def within_file(self, path: Path) -> set[str]:
        """The same for a file, its name, and what is packed in it."""
        content = path.read_bytes()
        found = self.within(content) | self.within(str(path).encode())
        if zipfile.is_zipfile(io.BytesIO(content)):
            with zipfile.ZipFile(io.BytesIO(content)) as packed:
                for name in packed.namelist():
                    found |= self.within(packed.read(name))
        return found

    def _in_clear(self, content: bytes) -> Iterator[bytes]:
        for wide, digit in WIDE.items():
            if wide in content:
                content = content.replace(wide, digit)
        for text in (content, BETWEEN.sub(b"", content)):
            for run in RUN.findall(text):
                yield from self._windows(run.upper())

    def _windows(self, run: bytes) -> Iterator[bytes]:
        for length in self.lengths:
            for start in range(len(run) - length + 1):
                if run[start : start + length] in self.numbers:
                    yield run[start : start + length]


def _from_hex(run: bytes) -> bytes:
    return bytes.fromhex(run[: len(run) // 2 * 2].decode())


def _from_base64(run: bytes) -> bytes:
    return base64.b64decode(run[: len(run) // 4 * 4].translate(bytes.maketrans(b"-_", b"+/")))
