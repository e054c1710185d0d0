"""What a sheet of figures looks like, and how the days and counts in it are written."""

import re
import unicodedata
from datetime import date, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from incubator.common.dates import read_date
from incubator.common.errors import RuleBroken
from incubator.common.workbooks import Cell, Layout, Row
from incubator.figures.choices import REQUIRED, SYNONYMS, Column

FIGURES = Layout(
    columns=Column,
    synonyms=SYNONYMS,
    required=REQUIRED,
    no_header=gettext_lazy("No row with headers such as 快手号 and 粉丝数 was found. Start from the template."),
    nothing_below=gettext_lazy("There is a header in row %(row)s but no account below it."),
)

MOST_FOLLOWERS = 2_000_000_000  # more than anybody has, and still fits the column
OLDEST_DAYS = 400
NOT_KNOWN = frozenset({"", "-", "--", "—", "——", "/", "无", "未知", "暂无", "N/A", "#N/A"})
ROUNDED = re.compile(r"[万亿千百WK]|\+$|\d[多余]$", re.IGNORECASE)
WHOLE = re.compile(r"\d+|\d{1,3}(,\d{3})+")
# The day a sheet names for itself; the day of the figures is asked before the day of filling it in.
OWN_DAYS = (
    re.compile(r"(?:统计|数据|读数|截至|截止)(?:日期|时间)?\s*[:：]?\s*(\d{4}\S+)"),
    re.compile(r"日期\s*[:：]?\s*(\d{4}\S+)"),
)


def read_followers(cell: Cell) -> int:
    """``12345`` and ``12,345``. Raises ``RuleBroken`` for anything else, above all for a rounded figure.

    ``1.2万`` may be anything from 11,500 to 12,500, and ``10万`` may stand for 99,600: a rounded figure could decide a
    certification that the exact one would not. So it is refused, never converted.
    """
    text = re.sub(r"\s", "", unicodedata.normalize("NFKC", cell.text))
    if text.upper() in NOT_KNOWN:
        raise RuleBroken(_("There is no figure. Fill it in or delete the row; a missing figure is not counted as 0."))
    if cell.is_number:
        return _whole(float(text))
    if ROUNDED.search(text):
        raise RuleBroken(_("This figure is rounded. Open the account in the app and write the whole number."))
    if not WHOLE.fullmatch(text):
        raise RuleBroken(_("Write a whole number of 0 or more, such as 12345."))
    return _whole(float(text.replace(",", "")))


def _whole(number: float) -> int:
    if number < 0 or not number.is_integer():
        raise RuleBroken(_("Write a whole number of 0 or more, such as 12345."))
    if number > MOST_FOLLOWERS:
        raise RuleBroken(_("No account has that many followers. Look whether the columns are mixed up."))
    return int(number)


def check_day(day: date, *, on: date) -> date:
    """The day, when a figure of it may be entered on ``on``; raises ``RuleBroken``."""
    if day > on:
        raise RuleBroken(_("This day is still to come. Write the day on which the figure was read."))
    if day < on - timedelta(days=OLDEST_DAYS):
        raise RuleBroken(_("This day is more than %(days)s days ago. Correct the day.") % {"days": OLDEST_DAYS})
    return day


def own_day(above: list[Row]) -> date | None:
    """The day that the rows above the header name, None where they name none that can be read."""
    lines = [" ".join(cell.text for cell in row.cells if cell.text) for row in above]
    for pattern in OWN_DAYS:
        for line in lines:
            if found := pattern.search(unicodedata.normalize("NFKC", line)):
                try:
                    return read_date(re.match(r"[\d年月日号./-]*", found[1])[0])  # type: ignore[index]
                except RuleBroken:
                    continue
    return None
