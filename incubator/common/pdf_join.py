"""Many PDFs become one, without a library: ours are all made by one writer, whose objects are plain and numbered.

Objects are copied as they are with their numbers moved on; streams are not looked into. One part is in memory
at a time.
"""

import re
from collections.abc import Iterable
from typing import IO

HEAD = b"%PDF-1.7\n%\x80\x80\x80\x80\n"
CATALOG, PAGES, INFO = 1, 2, 3  # objects of the whole; those of the parts follow
OBJECT = re.compile(rb"(\d+) 0 obj\n")
# A string is stepped over: what looks like a reference in it is none.
REFERENCE = re.compile(rb"\((?:[^()\\]|\\.)*\)|(?<![\w.])(\d+) 0 R\b", re.DOTALL)
ROOT = re.compile(rb"/Root (\d+) 0 R")
TREE = re.compile(rb"/Pages (\d+) 0 R")
COUNT = re.compile(rb"/Count (\d+)")
LEFT_BEHIND = re.compile(rb"/Type\s*/(?:Catalog|Metadata)\b")


class NotOurs(ValueError):
    """A PDF that another writer made: it is not understood here."""


def join_pdfs(parts: Iterable[bytes], out: IO[bytes], *, title: str) -> int:
    """Write one PDF of the pages of ``parts``, in their order, to ``out``; returns the number of its pages.

    Every part is a PDF that ``render_pdf`` made without tags. Raises ``NotOurs`` for any other.
    """
    whole = _Whole(out)
    for part in parts:
        whole.add(part)
    return whole.end(title)


class _Whole:
    def __init__(self, out: IO[bytes]) -> None:
        self.out = out
        self.at = out.write(HEAD)
        self.offsets: dict[int, int] = {}
        self.trees: list[int] = []
        self.pages = 0
        self.last = INFO

    def add(self, part: bytes) -> None:
        objects = _objects(part)
        tree = _tree(part, objects)
        moved = self.last
        for number, body in objects.items():
            if LEFT_BEHIND.search(_dictionary(body)):
                continue
            body = _moved(body, moved)
            if number == tree:
                self.pages += int(_found(COUNT, body))
                body = body.replace(b"<<", b"<</Parent %d 0 R" % PAGES, 1)
            self._write(moved + number, body)
        self.trees.append(moved + tree)
        self.last = moved + max(objects)

    def end(self, title: str) -> int:
        kids = b" ".join(b"%d 0 R" % tree for tree in self.trees)
        self._write(CATALOG, b"<</Type/Catalog/Pages %d 0 R/Lang(zh-CN)>>" % PAGES)
        self._write(PAGES, b"<</Type/Pages/Count %d/Kids[%b]>>" % (self.pages, kids))
        self._write(INFO, b"<</Title<%b>>>" % (b"\xfe\xff" + title.encode("utf-16-be")).hex().encode())
        self._table()
        return self.pages

    def _write(self, number: int, body: bytes) -> None:
        self.offsets[number] = self.at
        self.at += self.out.write(b"%d 0 obj\n%b\nendobj\n" % (number, body))

    def _table(self) -> None:
        """Where each object is; numbers that were left out are free."""
        lines = [b"xref\n0 %d\n0000000000 65535 f\r\n" % (self.last + 1)]
        for number in range(1, self.last + 1):
            at = self.offsets.get(number)
            lines.append(b"0000000000 65535 f\r\n" if at is None else b"%010d 00000 n\r\n" % at)
        trailer = b"trailer\n<</Size %d/Root %d 0 R/Info %d 0 R>>\nstartxref\n%d\n%%%%EOF\n"
        self.out.write(b"".join(lines) + trailer % (self.last + 1, CATALOG, INFO, self.at))


def _objects(part: bytes) -> dict[int, bytes]:
    """Bodies by number, found where the part's own table says they are."""
    if not part.startswith(b"%PDF-"):
        raise NotOurs("This is no PDF.")
    table = int(part[part.rindex(b"startxref") + 9 :].split()[0])
    if not part.startswith(b"xref\n", table):
        raise NotOurs("Its table of objects is no plain one.")
    lines = part[table : part.rindex(b"trailer")].splitlines()[2:]
    starts = sorted(int(line[:10]) for line in lines if line[17:18] == b"n")
    found = {}
    for start, following in zip(starts, [*starts[1:], table], strict=True):
        named = OBJECT.match(part, start)
        end = part.rindex(b"endobj", start, following)
        if named is None:
            raise NotOurs("An object is not where the table says.")
        found[int(named[1])] = part[named.end() : end].rstrip(b"\n")
    return found


def _tree(part: bytes, objects: dict[int, bytes]) -> int:
    """The number of the root of its pages."""
    catalog = objects[int(_found(ROOT, part[part.rindex(b"trailer") :]))]
    if b"/StructTreeRoot" in catalog:
        raise NotOurs("It has tags, which would be lost.")
    return int(_found(TREE, catalog))


def _found(what: re.Pattern[bytes], where: bytes) -> bytes:
    found = what.search(where)
    if found is None:
        raise NotOurs(f"It has no {what.pattern!r}.")
    return found[1]


def _dictionary(body: bytes) -> bytes:
    """What stands before a stream, or all of it."""
    return body.partition(b"stream\n")[0]


def _moved(body: bytes, by: int) -> bytes:
    """References in the dictionary are ``by`` further on; a stream stays as it is."""
    head, stream, rest = body.partition(b"stream\n")
    return REFERENCE.sub(lambda m: m[0] if m[1] is None else b"%d 0 R" % (int(m[1]) + by), head) + stream + rest
