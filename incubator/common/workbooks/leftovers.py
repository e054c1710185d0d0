"""Rows of a table that are about nobody: totals, headings, notes, signatures, the header once more."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from incubator.common.workbooks.headers import Heading, Layout, normalised
from incubator.common.workbooks.reading import NOTHING, Merged, Row

WIDE = 0.6  # of the table's columns: one cell merged over as many is a heading or a note
TOTAL = re.compile(r"(?:.{0,12}?(?:合计|小计|总计|共计|累计))[:：()（）]?(?:共?\d+[人名户个位]?)?.{0,6}")
TOTAL_BEGINS = ("合计", "小计", "总计", "共计", "累计", "平均")
NOTE_BEGINS = ("备注", "说明", "填表说明", "注:", "注：", "注意", "本表", "填报说明", "温馨提示", "以上", "附:", "附：")
SIGNERS = (
    "填表 填报 审核 制表 审批 复核 校对 经办 负责 联系 统计 主管 分管 单位 主要 推荐 报送 核对 签发 盖章 "
    "签字 签章 签名 公章 日期 电话 传真"
).replace(" ", "|")
SIGNATURE = re.compile(
    rf"(?:{SIGNERS})[^,，。;；]{{0,8}}?[:：].*|[(（]?(?:盖章|公章|签字|签章|签名)[)）]?.*"
    r"|(?:填表|审核|制表|填报|联系)(?:人|单位|日期).*",
    re.DOTALL,
)
DATE_LINE = re.compile(r"(?:(?:\d{4})?\s*年\s*\d{0,2}\s*月\s*\d{0,2}\s*日)")
SERIAL = re.compile(r"[(（]?\d{1,6}[)）.、]?")
HEADING = re.compile(r"(?:[一二三四五六七八九十]+[、.．)）]|第[一二三四五六七八九十\d]+[组批期片])")
LETTER = re.compile(r"[A-Z]{1,2}")
STEMS = "甲乙丙丁戊己庚辛壬癸"
NUMBER = re.compile(r"[(（]?(\d{1,3})[)）]?")
CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
BEGINNINGS = frozenset("合小总共累平备说填注审制")  # of what a total, a note or a signature may begin with
LONG_NOTE = 15  # characters: longer than a name
SENTENCE = re.compile(r"(?=.*[\u4e00-\u9fff]{4}).*[，。；：、,;:0-9]")


class Leftover(TextChoices):
    """Why a row is left out."""

    TOTAL = "total", _("a total")
    HEADER = "header", _("the header once more")
    LETTERS = "letters", _("letters or numbers of the columns")
    NOTE = "note", _("a note or a signature")
    HEADING = "heading", _("a heading")
    SERIAL = "serial", _("only a serial number")
    EXAMPLE = "example", _("the example of the template")
    NOBODY = "nobody", _("nothing about a person")


class Leftovers:
    """Tells rows about somebody from the others. Says nothing of a row that somebody did not finish: that is wrong."""

    def __init__(self, heading: Heading, layout: Layout, merged: list[Merged] | None) -> None:
        self._layout = layout
        self._columns: Mapping[str, int] = heading.columns
        self._texts = heading.texts
        self._used = set(self._columns.values())
        self._main = [self._columns[column] for column in layout.required if column in self._columns][:2]
        self._somebody = [self._columns[column] for column in layout.somebody if column in self._columns]
        width = max((header.place for header in heading.headers), default=0) + 1
        self._wide = {m.first_row for m in merged or () if m.last_column - m.first_column + 1 >= max(width * WIDE, 3)}
        self._may_be_letters = True

    def why(self, row: Row) -> Leftover | None:
        """Why the row is left out, None when it is about somebody."""
        values = row.values
        if self._is_plainly_somebody(values):
            return None
        filled = [(n, text) for n in range(len(values)) if values[n] not in NOTHING and (text := row.cell(n).text)]
        found = self._why(row, filled) if filled else Leftover.NOBODY
        is_of_the_header = found in (Leftover.HEADER, Leftover.LETTERS)
        self._may_be_letters = is_of_the_header or (self._may_be_letters and found is not None)
        return found

    def _is_plainly_somebody(self, values: Sequence[Any]) -> bool:
        """The quick way for most rows: both main cells are filled and the first says nothing a leftover would."""
        main = self._main
        if self._may_be_letters or len(main) < 2 or main[0] >= len(values) or main[1] >= len(values):
            return False
        first, second = values[main[0]], values[main[1]]
        if not first or not second or not isinstance(first, str) or len(str(second)) < 4:
            return False
        return not (
            first[0] in BEGINNINGS
            or str(values[0])[:1] in BEGINNINGS
            or first in self._layout.example
            or normalised(first) in self._texts[main[0]]
        )

    def _why(self, row: Row, filled: list[tuple[int, str]]) -> Leftover | None:
        layout = self._layout
        if layout.example and all(text in row.values for text in layout.example):
            return Leftover.EXAMPLE
        if self._is_header(filled):
            return Leftover.HEADER
        if self._may_be_letters and _are_letters([text for _n, text in filled]):
            return Leftover.LETTERS
        first = re.sub(r"\s", "", filled[0][1])
        if self._is_total(first, filled):
            return Leftover.TOTAL
        if first.startswith(NOTE_BEGINS) or SIGNATURE.fullmatch(first):
            return Leftover.NOTE
        return self._of_few_cells(row, filled, first)

    def _is_header(self, filled: list[tuple[int, str]]) -> bool:
        """Every cell says what the header says there; half of them where somebody wrote something beside it."""
        same = sum(1 for n, text in filled if normalised(text) in self._texts.get(n, ()))
        return same >= 2 and same * 2 > len(filled)

    def _is_total(self, first: str, filled: list[tuple[int, str]]) -> bool:
        """A total says so in its first cell, or in its second after a number. Nobody's ID number stands in it."""
        if any(n in self._used and len(text) >= 15 and text[:15].isdigit() for n, text in filled):
            return False
        if first.startswith(TOTAL_BEGINS) or TOTAL.fullmatch(first):
            return True
        second = re.sub(r"\s", "", filled[1][1]) if len(filled) > 1 else ""
        return filled[0][0] not in self._used and bool(second) and bool(TOTAL.fullmatch(second)) and len(second) <= 12

    def _of_few_cells(self, row: Row, filled: list[tuple[int, str]], first: str) -> Leftover | None:
        """One cell over the whole row, or beside the table's columns, is a heading, a note or a serial number."""
        place = filled[0][0]
        if len(filled) == 1:
            if DATE_LINE.fullmatch(first):
                return Leftover.NOTE
            if SERIAL.fullmatch(first) and place not in self._used:
                return Leftover.SERIAL
            if row.number in self._wide or place not in self._used or HEADING.match(first):
                return Leftover.NOTE if len(first) > LONG_NOTE else Leftover.HEADING
            if len(first) > LONG_NOTE and SENTENCE.match(first):
                return Leftover.NOTE
        if self._somebody and not any(n in self._somebody for n, _text in filled):
            return Leftover.NOBODY
        return None


def _are_letters(texts: list[str]) -> bool:
    """A B C D, 甲 乙 1 2 3, (1) (2), ① ②: what forms put under their headers. One after the other, at least three."""
    if len(texts) < 3:
        return False
    texts = [text.strip().removesuffix("栏") for text in texts]
    if texts and texts[0] in ("栏次", "栏", "行次"):
        texts = texts[1:]
    stems = [text for text in texts if text in STEMS]
    if stems != texts[: len(stems)] or "".join(stems) not in STEMS:
        return False
    places = [_place_of(text) for text in texts[len(stems) :]]
    if None in places or len(stems) + len(places) < 3:
        return False
    return all(b == a + 1 for a, b in pairwise(places))  # type: ignore[operator]


def _place_of(text: str) -> int | None:
    if LETTER.fullmatch(text):
        number = 0
        for letter in text:
            number = number * 26 + ord(letter) - 64
        return number
    if len(text) == 1 and text in CIRCLED:
        return CIRCLED.index(text) + 1
    found = NUMBER.fullmatch(text)
    return int(found[1]) if found else None
