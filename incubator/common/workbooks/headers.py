"""Understanding the header of a sheet: which column is which, in one row or in two."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db.models import TextChoices

from incubator.common.workbooks.reading import Row

LONGEST_HEADER = 60  # characters kept of what a sheet calls a column; explanations in brackets may run on
LONGEST_TITLE = 200  # a cell with more is no header
MOST_SAMPLES = 3
UNUSED, SERIAL = 0, 1  # why a known header leads nowhere
SIGNS = re.compile(r"[\s*★☆#/\\、,:;.·\-—_|+&\"'“”‘’《》<>【】\[\]]")
CHINESE = re.compile("[\u4e00-\u9fff]*")
BRACKETS = re.compile(r"\(.*?\)|【.*?】|\[.*?\]")


@dataclass(frozen=True)
class Layout:
    """What one kind of sheet is made of: its columns, how people write their headers, and which it cannot do without.

    ``synonyms`` are compared without spaces, signs, brackets and what stands in them; where two headers fit one column
    the earlier synonym wins. ``no_header`` and ``nothing_below`` (with the place ``%(row)s``) are the sentences for a
    sheet without a header and for one with nothing under it. ``unused`` are headers that lead nowhere although parts of
    them would fit, ``serials`` those of mere numbering.
    ``fill_down`` are columns in which a cell that is merged with those below stands for all of them, ``ditto`` those in
    which 同上 is understood. A row with something in none of ``somebody`` is about nobody, if there are such columns. A
    row with all texts of ``example`` is the template's own, left in.
    """

    columns: type[TextChoices]
    synonyms: Mapping[str, tuple[str, ...]]
    required: tuple[str, ...]
    no_header: Any
    nothing_below: Any
    example: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    serials: tuple[str, ...] = ("序号", "编号", "序", "号", "NO", "№", "行号")
    fill_down: tuple[str, ...] = ()
    ditto: tuple[str, ...] = ()
    somebody: tuple[str, ...] = ()

    @cached_property
    def keys(self) -> dict[str, tuple[str, int]]:
        """Column and rank by normalised synonym; a header that leads nowhere has the column "" and says why."""
        keys = {normalised(header): ("", UNUSED) for header in self.unused}
        keys |= {normalised(header): ("", SERIAL) for header in self.serials}
        for column, synonyms in self.synonyms.items():
            keys |= {normalised(synonym): (column, rank) for rank, synonym in enumerate(synonyms)}
        return keys

    def known(self, text: str) -> tuple[str, int] | None:
        """Column and rank of a header such as ``" 身份证号码\\n(必填)"``, None for one that is not known."""
        whole = normalised(text)
        return self.keys.get(whole) or self.keys.get(normalised(BRACKETS.sub("", _narrow(text))))


def _narrow(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def normalised(text: str) -> str:
    """A header as it is compared and remembered: narrow, upper case, without spaces, signs and brackets."""
    if CHINESE.fullmatch(text):  # as nearly all are, and the names below them: it is what it is
        return text[:LONGEST_HEADER]
    return SIGNS.sub("", _narrow(text)).replace("(", "").replace(")", "").upper()[:LONGEST_HEADER]


@dataclass(slots=True)
class Header:
    """One column of the sheet: its place (from 0), how it is called, and what it was understood as.

    ``key`` is what a choice about it is remembered by: unlike those of the other headers, and never empty. ``column``
    is "" for one that is not used; ``is_serial`` says that it only numbers the rows, ``is_chosen`` that somebody said
    what it is. ``samples`` are texts that stand below it.
    """

    place: int
    text: str
    key: str
    column: str = ""
    is_serial: bool = False
    is_chosen: bool = False
    samples: list[str] = field(default_factory=list)

    @property
    def letter(self) -> str:
        return letter_of(self.place)


def letter_of(place: int) -> str:
    """The spreadsheet's name of a column by its place: 0 → ``A``, 26 → ``AA``."""
    letters = ""
    while place >= 0:
        place, rest = place // 26 - 1, place % 26
        letters = chr(65 + rest) + letters
    return letters


@dataclass(frozen=True, slots=True)
class Heading:
    """The header of a table: the rows it stands in (as indexes of the rows looked at) and its columns."""

    first: int
    last: int
    headers: list[Header]
    texts: dict[int, set[str]]  # by place, normalised, of every row of it: how the header looks where it is repeated

    @property
    def columns(self) -> dict[str, int]:
        return {header.column: header.place for header in self.headers if header.column}


def find_heading(rows: Sequence[Row], layout: Layout, mapping: Mapping[str, str]) -> Heading | None:
    """The row, or two rows, with most known headers, at least two of them; None when there is none."""
    best: Heading | None = None
    for place in range(len(rows)):
        for last in (place, place + 1):
            if last < len(rows) and (last == place or _is_two_rows(rows[place], rows[last])):
                heading = _heading(rows, place, last, layout, mapping)
                if best is None or _rank(heading) > _rank(best):
                    best = heading
    return best if best is not None and len(best.columns) >= 2 else None


def guess_heading(rows: Sequence[Row], layout: Layout, mapping: Mapping[str, str]) -> Heading | None:
    """What is most likely the header of a sheet in which hardly anything is known: its widest row of short texts."""
    if not rows:
        return None
    widths = [len({cell.text for cell in row.cells if cell.text and _may_be_header(cell.text)}) for row in rows]
    place = max(range(len(rows)), key=lambda n: (widths[n], -n))
    last = place + 1 if place + 1 < len(rows) and _is_two_rows(rows[place], rows[place + 1]) else place
    return _heading(rows, place, last, layout, mapping)


def _may_be_header(text: str) -> bool:
    return len(text) <= 30 and not re.search(r"\d{4,}", text)


def _rank(heading: Heading) -> tuple[int, int]:
    """More known columns first; of equals the header in two rows, so that its second is not taken for a person."""
    return len(heading.columns), heading.last - heading.first


def _texts(row: Row, width: int) -> list[str]:
    return [row.cell(n).text[:LONGEST_TITLE] for n in range(width)]


def _is_two_rows(upper: Row, lower: Row) -> bool:
    """Whether ``lower`` parts what ``upper`` spans: 联系方式 over 手机 and 微信, and nothing below the others."""
    if lower.number != upper.number + 1:
        return False
    width = max(len(upper.values), len(lower.values))
    above, below = _texts(upper, width), _texts(lower, width)
    alone = [n for n in range(width) if above[n] and not below[n]]
    parted = [n for n in range(width) if below[n]]
    if not alone or len(parted) < 2 or any(re.search(r"\d{4,}", below[n]) for n in parted):
        return False
    for n in parted:
        opens_a_span = n + 1 < width and not above[n + 1] and bool(below[n + 1])
        inside_a_span = not above[n] and n > 0 and bool(below[n - 1])
        if not (opens_a_span if above[n] else inside_a_span):
            return False
    return True


def _heading(rows: Sequence[Row], first: int, last: int, layout: Layout, mapping: Mapping[str, str]) -> Heading:
    width = max(len(row.values) for row in rows)
    lower = _texts(rows[last], width)
    upper = _spread(_texts(rows[first], width), lower) if last > first else [""] * width
    below = rows[last + 1 :]
    headers: list[Header] = []
    keys: set[str] = set()
    for n in range(width):
        samples = [text for row in below if (text := row.cell(n).text)][:MOST_SAMPLES]
        text = " ".join(part for part in (upper[n], lower[n]) if part)
        if text or samples:
            key = _unlike(normalised(text) or f"列{letter_of(n)}", keys)
            headers.append(Header(n, _shown(text), key, samples=samples))
    _understand(headers, upper, lower, layout, mapping)
    texts = {n: {normalised(part) for part in (upper[n], lower[n]) if part} for n in range(width)}
    return Heading(first, last, headers, texts)


def _spread(upper: list[str], lower: list[str]) -> list[str]:
    """The upper row with what spans several columns written over each of them."""
    spread: list[str] = []
    for n, text in enumerate(upper):
        spread.append(text or (spread[-1] if n and lower[n] else ""))
    return spread


def _shown(text: str) -> str:
    return re.sub(r"\s*\n\s*", "", text)[:LONGEST_HEADER]


def _unlike(key: str, keys: set[str]) -> str:
    """The key, with a number where another header has the same."""
    found, count = key, 1
    while found in keys:
        count += 1
        found = f"{key[: LONGEST_HEADER - 4]}{count}"
    keys.add(found)
    return found


def _understand(
    headers: list[Header], upper: list[str], lower: list[str], layout: Layout, mapping: Mapping[str, str]
) -> None:
    """What somebody chose goes first, then the best synonym of each column that is left, from left to right."""
    taken: set[str] = set()
    for header in headers:
        if header.key in mapping:
            column = mapping[header.key]
            header.is_chosen = True
            header.column = column if column not in taken else ""
            taken.add(header.column)
    fitting: dict[str, list[tuple[int, int, Header]]] = {}
    for header in headers:
        found = None if header.is_chosen else _known(upper[header.place], lower[header.place], layout)
        if found:
            header.is_serial = found == ("", SERIAL)
            fitting.setdefault(found[0], []).append((found[1], header.place, header))
    for column, choices in fitting.items():
        if column and column not in taken:
            best = min(choices, key=lambda choice: choice[:2])[2]
            best.column = column


def _known(upper: str, lower: str, layout: Layout) -> tuple[str, int] | None:
    """抖音 over 账号 is neither of the two; 联系方式 over 手机 is the lower one; one cell over both rows is itself."""
    if upper and lower:
        return layout.known(upper + lower) or layout.known(lower)
    return layout.known(lower or upper)
