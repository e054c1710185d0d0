"""Periods of a report: a month, quarter, half-year or year."""

import calendar
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

from django.utils.translation import gettext as _

from incubator.common.errors import RuleBroken

MONTHS = {"Q": 3, "H": 6}
SHAPE = re.compile(r"([0-9]{4})(?:(Q)([1-4])|(H)([12])|-([0-9]{2}))?")
FIRST_YEAR, LAST_YEAR = 2018, 2100  # the programme began in 2018


@dataclass(frozen=True, slots=True)
class Period:
    """``2026Q3``, ``2026H1``, ``2026`` or ``2026-08``: the days from ``starts_on`` to ``ends_on``, both included."""

    code: str
    starts_on: date
    ends_on: date

    @classmethod
    def parse(cls, code: str) -> Self:
        """Full-width letters and digits are read too. Raises ``RuleBroken`` for anything that is not a period of the
        years 2018 to 2100."""
        found = SHAPE.fullmatch(unicodedata.normalize("NFKC", code).strip().upper())
        if not found or not FIRST_YEAR <= int(found[1]) <= LAST_YEAR or not 1 <= int(found[6] or 1) <= 12:
            shown = {"code": code if len(code) <= 20 else f"{code[:20]}…"}
            raise RuleBroken(_("“%(code)s” is not a period. Write 2026Q3, 2026H1, 2026 or 2026-08.") % shown)
        year, kind = int(found[1]), found[2] or found[4]
        if found[6]:
            return cls._of(found[0], year, int(found[6]), 1)
        if kind:
            length = MONTHS[kind]
            return cls._of(found[0], year, (int(found[3] or found[5]) - 1) * length + 1, length)
        return cls._of(found[0], year, 1, 12)

    @classmethod
    def _of(cls, code: str, year: int, month: int, months: int) -> Self:
        last = month + months - 1
        return cls(code, date(year, month, 1), date(year, last, calendar.monthrange(year, last)[1]))

    @classmethod
    def current(cls, on: date) -> Self:
        """The quarter a day lies in."""
        return cls.parse(f"{on.year}Q{(on.month + 2) // 3}")

    @property
    def label(self) -> str:
        year = self.starts_on.year
        months = self.ends_on.month - self.starts_on.month + 1
        if months == 12:
            return _("Year %(year)s") % {"year": year}
        if months == 1:
            return _("%(year)s, month %(n)s") % {"year": year, "n": self.starts_on.month}
        if months == 3:
            return _("%(year)s, quarter %(n)s") % {"year": year, "n": (self.starts_on.month + 2) // 3}
        return _("%(year)s, half-year %(n)s") % {"year": year, "n": (self.starts_on.month + 5) // 6}

    def previous(self) -> Self | None:
        """The period before; None before the programme began."""
        if self.starts_on <= date(FIRST_YEAR, 1, 1):
            return None
        return self._beside(self.starts_on - timedelta(days=1))

    def next(self) -> Self:
        return self._beside(self.ends_on + timedelta(days=1))

    def _beside(self, day: date) -> Self:
        """The period of the same length around ``day``."""
        months = self.ends_on.month - self.starts_on.month + 1
        codes = {
            12: f"{day.year}",
            6: f"{day.year}H{(day.month + 5) // 6}",
            3: f"{day.year}Q{(day.month + 2) // 3}",
            1: f"{day.year}-{day.month:02d}",
        }
        return type(self)._of(codes[months], day.year, (day.month - 1) // months * months + 1, months)
