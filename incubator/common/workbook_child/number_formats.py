"""Which formats of a workbook show a number as a day, and which as a time."""

import re
from datetime import date, timedelta

DAY, TIME = "day", "time"
# Built-in formats of ECMA-376 part 1, 18.8.30, with those of the Chinese and Japanese editions.
BUILT_IN = dict.fromkeys((14, 15, 16, 17, 22, 27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 57, 58), DAY)
BUILT_IN |= dict.fromkeys((18, 19, 20, 21, 32, 33, 34, 35, 45, 46, 47, 55, 56), TIME)
NOT_A_SIGN = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]")
LAST_DAY = 2_958_465  # 9999-12-31


def kind_of(format_code: str) -> str | None:
    """``DAY`` for formats with years, months or days, ``TIME`` for those with hours only, None for other ones."""
    signs = NOT_A_SIGN.sub("", ELAPSED.sub("h", format_code.split(";")[0].lower()))
    if "general" in signs:
        return None
    has_clock = "h" in signs or "s" in signs
    if "y" in signs or "d" in signs or ("m" in signs and not has_clock):
        return DAY
    return TIME if has_clock else None


def day_of(serial: float, *, from_1904: bool) -> date | None:
    """The day a spreadsheet means by a number, None where it means none. The 1900 that had a 29 February is minded."""
    if from_1904:
        return date(1904, 1, 1) + timedelta(days=int(serial)) if 0 <= serial <= LAST_DAY - 1462 else None
    if not 1 <= serial <= LAST_DAY or int(serial) == 60:
        return None
    return date(1899, 12, 31 if serial < 60 else 30) + timedelta(days=int(serial))


def time_of(serial: float) -> str:
    seconds = round((serial % 1) * 86400) % 86400
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
