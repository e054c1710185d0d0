"""Zip archives, opened with care: what they say of themselves is not believed."""

import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO
from xml.etree import ElementTree

from incubator.common.workbook_child.refusals import MOST_UNPACKED, Refused, Unusual

CHUNK = 1 << 18
LARGEST_PART = 8 * 1024 * 1024  # of the small parts, which are parsed whole
DECLARATION = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, UnicodeError)


class Archive:
    """The parts of an Office or OpenDocument file. All that is unpacked from it counts, each time it is."""

    def __init__(self, file: BinaryIO) -> None:
        try:
            self._zip = zipfile.ZipFile(file)
        except BROKEN:
            raise Refused("broken") from None
        self.names = set(self._zip.namelist())
        if sum(info.file_size for info in self._zip.infolist()) > MOST_UNPACKED:
            raise Refused("too_large")

    @property
    def is_encrypted(self) -> bool:
        return any(info.flag_bits & 1 for info in self._zip.infolist())

    def chunks(self, name: str) -> Iterator[bytes]:
        """A part, unpacked piece by piece. It never yields more than the archive says, which was counted."""
        try:
            with self._zip.open(name) as part:
                while chunk := part.read(CHUNK):
                    yield chunk
        except KeyError:
            raise Unusual from None
        except (*BROKEN, RuntimeError):  # a password is asked for by RuntimeError
            raise Refused("broken") from None

    def small(self, name: str) -> ElementTree.Element:
        """A small XML part. Entities are never declared in these files, so one that does is refused unread."""
        content = b""
        for chunk in self.chunks(name):
            content += chunk
            if len(content) > LARGEST_PART:
                raise Refused("too_large")
        if DECLARATION.search(content) or b"\0" in content[:4]:
            raise Refused("not_a_workbook")
        try:
            return ElementTree.fromstring(content)  # noqa: S314 - without declarations there is nothing to expand
        except ElementTree.ParseError:
            raise Refused("broken") from None

    def check_all(self) -> None:
        """Unpack every part once: a part that holds more or else than the archive says is refused, and so are entities.

        For readers that unpack by themselves.
        """
        for name in sorted(self.names):
            before = b""
            is_xml = name.lower().endswith((".xml", ".rels", ".vml"))
            for chunk in self.chunks(name):
                if is_xml and DECLARATION.search(before + chunk):
                    raise Refused("not_a_workbook")
                before = chunk[-32:]
