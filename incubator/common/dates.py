"""Reading a day as people write it, and refusing what could be two days; writing an instant as people read it."""

import re
from datetime import date, datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from incubator.common.errors import RuleBroken
from incubator.common.plain_text import narrow

_AFTER = r"(?:[T\s日号(].*)?"  # a time, a weekday: what may follow a day
YEAR_FIRST = re.compile(r"(\d{4})\s*([-/.·、年\s])\s*(\d{1,2})\s*[-/.·、月\s]\s*(\d{1,2})" + _AFTER, re.DOTALL)
IN_ONE = re.compile(r"(\d{4})(\d{2})(\d{2})" + _AFTER, re.DOTALL)
YEAR_LAST = re.compile(r"(\d{1,2})\s*[-/.]\s*(\d{1,2})\s*[-/.]\s*(\d{4})" + _AFTER, re.DOTALL)
SHORT_YEAR = re.compile(r"'?\d{1,2}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}" + _AFTER, re.DOTALL)
NO_DAY = re.compile(r"\d{4}\s*(?:[-/.年]\s*\d{0,2}\s*月?)?|\d{6}")
NO_YEAR = re.compile(r"\d{1,2}\s*[-/.月]\s*\d{1,2}" + _AFTER, re.DOTALL)
SERIAL = re.compile(r"\d{5}(?:\.\d+)?")
CHINESE = re.compile(
    r"([〇零一二三四五六七八九]{4})年([一二三四五六七八九十]{1,2})月([一二三四五六七八九十]{1,3})[日号]?"
)
DIGITS = {digit: n % 10 for n, digit in enumerate("〇一二三四五六七八九")} | {"零": 0}


def read_date(text: str) -> date:
    """The day in ``text``: ``2026-11-20`` and with ``/ .``, ``2026年11月20日``, ``20261120``, ``20/11/2026``.

    What follows a day (a time, a weekday) is left aside.

    Raises ``RuleBroken``: for what could be two days (``03/04/2026``), for years of two digits, for a month without a
    day, for a number where a date was meant, for days that no calendar has.
    """
    text = narrow(text).strip().lstrip("'")
    if found := YEAR_FIRST.fullmatch(text):
        return _day(found[1], found[3], found[4])
    if found := IN_ONE.fullmatch(text):
        return _day(*found.groups())
    if found := CHINESE.fullmatch(text):
        year = "".join(str(DIGITS[digit]) for digit in found[1])
        return _day(year, _chinese(found[2]), _chinese(found[3]))
    if found := YEAR_LAST.fullmatch(text):
        return _year_last(*(int(part) for part in found.groups()))
    raise RuleBroken(_why_not(text))


def _year_last(first: int, second: int, year: int) -> date:
    """``20/11/2026`` and ``11/20/2026``; where both could be the month it is refused, unless they are the same."""
    if first <= 12 and second <= 12 and first != second:
        raise RuleBroken(_("This could be two different days. Write the year first, like 2026-11-20."))
    return _day(year, first, second) if first <= 12 else _day(year, second, first)


def _day(year: str | int, month: str | int, day: str | int) -> date:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise RuleBroken(_("There is no such day. Look at month and day, and write it like 2026-11-20.")) from None


def _chinese(text: str) -> int:
    """``十一`` → 11, ``二十`` → 20, ``二十三`` → 23."""
    tens, ten, ones = text.rpartition("十")
    return (DIGITS.get(tens, 1) * 10 if ten else 0) + DIGITS.get(ones, 0)


def _why_not(text: str) -> str:
    if SHORT_YEAR.fullmatch(text):
        return _("The year has two digits, so this could be several days. Write it like 2026-11-20.")
    if NO_DAY.fullmatch(text):
        return _("The day of the month is missing. Write it like 2026-11-20.")
    if NO_YEAR.fullmatch(text):
        return _("The year is missing. Write it like 2026-11-20.")
    if SERIAL.fullmatch(text):
        return _("This is a number, not a day. Format the column as text and write it like 2026-11-20.")
    return _("This is not a day. Write it like 2026-11-20.")


def moment(at: datetime | None) -> str:
    """An instant as people read it, by the clock here and in the reader's language; a dash for none."""
    return date_format(timezone.localtime(at), "DATETIME_FORMAT") if at else "-"
