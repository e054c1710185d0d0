"""Files of text: which encoding they are in, and the rows of a CSV."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from incubator.common.workbook_child.lines import encode
from incubator.common.workbook_child.refusals import Refused

DELIMITERS = ",\t;"
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
CHUNK = 1 << 18
LOOKED_AT = 1 << 16  # characters
NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)  # Excel's own way of naming it
FORMULA_OF_TEXT = re.compile(r'="(.*)"', re.DOTALL)  # how exports keep spreadsheets from rounding a number


def encoding_of(file: BinaryIO) -> str:
    """Spreadsheets save text as UTF-8, as UTF-16, or in the system's own GB 18030, of which GBK is a part."""
    file.seek(0)
    head = file.read(CHUNK)
    for mark, encoding in MARKS.items():
        if head.startswith(mark):
            return encoding
    if b"\0" in head:
        return "utf-16-le" if 0 in head[1::2] and 0 not in head[0::2] else "utf-16-be"
    return "utf-8" if _decodes(file, "utf-8") else "gb18030"


def _decodes(file: BinaryIO, encoding: str) -> bool:
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := file.read(CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def opened(file: BinaryIO) -> io.TextIOWrapper:
    """The file as text, from its beginning, lines as they are. Raises ``Refused`` when it is in no known encoding."""
    encoding = encoding_of(file)
    if not _decodes(file, encoding):
        raise Refused("not_a_workbook" if encoding.startswith("utf-16-") else "not_text")
    file.seek(0)
    return io.TextIOWrapper(file, encoding=encoding, newline="")


class Csv:
    """A CSV file as a workbook of one sheet of texts. A row's number is that of its record, as spreadsheets count."""

    def __init__(self, file: BinaryIO) -> None:
        self._text = opened(file)
        beginning = self._text.read(LOOKED_AT)
        named = SEPARATOR_LINE.match(beginning)
        self._delimiter = named[1] if named else max(DELIMITERS, key=beginning.count)
        self._is_named = bool(named)
        if NOT_TEXT.search(beginning) or (beginning.strip() and self._delimiter not in beginning):
            raise Refused("not_a_workbook")
        self.sheets = [("CSV", False)]

    def survey(self, sheet: str) -> tuple[int, None]:
        self._text.seek(0)
        lines = 0
        while chunk := self._text.read(CHUNK):
            lines += chunk.count("\n")
        return lines + 1, None

    def rows(self, sheet: str, most_columns: int) -> Iterator[tuple[int, str]]:
        self._text.seek(0)
        if self._is_named:
            self._text.readline()
        records = csv.reader(self._text, delimiter=self._delimiter, strict=True)
        try:
            for number, cells in enumerate(records, 2 if self._is_named else 1):
                while cells and not cells[-1].strip():
                    cells.pop()
                if len(cells) > most_columns:
                    raise Refused("too_many_columns")
                if cells:
                    yield number, encode([_unwrapped(cell) if cell[:1] == "=" else cell for cell in cells])
        except csv.Error:  # a quotation mark that is not closed would swallow the rows below it
            raise Refused("not_text") from None


def _unwrapped(cell: str) -> str:
    found = FORMULA_OF_TEXT.fullmatch(cell)
    return found[1].replace('""', '"') if found else cell
