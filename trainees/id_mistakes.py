"""Why a text is not an ID number, told so that whoever has the card can correct it."""

import re
from datetime import date

from django.utils import timezone
from django.utils.translation import gettext as _

ROUNDED = re.compile(r"\d(?:\.\d+)?E\+?\d\d")  # 1.10105E+17, as spreadsheets show a number that is too long for them
HIDDEN = re.compile(r"[*＊×x]{3,}", re.IGNORECASE)
PERMITS = {"81": "810000", "82": "820000", "83": "830000"}  # residence permits carry these codes, and no other
LONGEST_LIFE = 120  # years
YOUNG_ENOUGH, BORN_FOR_SURE = 1930, 2020  # between these years the calendar need not be asked


def why_not_an_id_number(number: str, *, provinces: frozenset[str], check_digit: str | None) -> str:
    """The first mistake in ``number`` (narrow, without spaces, upper case) as a sentence, ``""`` when there is none.

    ``check_digit`` is what the first 17 digits ask for, None when they are no digits.
    """
    return _of_its_shape(number) or _of_its_parts(number, provinces) or _of_its_end(number, check_digit)


def _of_its_shape(number: str) -> str:
    if ROUNDED.fullmatch(number):
        return rounded()
    if HIDDEN.search(number):
        return _("This ID number is partly hidden. Write all 18 characters.")
    if len(number) == 15 and number.isdigit():
        return _("This is an old ID number of 15 digits. Write the 18 characters of the present card.")
    if len(number) != 18:
        return _("An ID number has 18 characters; this one has %(count)s.") % {"count": len(number)}
    strange = sorted({sign for sign in number[:17] if not sign.isdigit()} | (set(number[17:]) - set("0123456789X")))
    if strange:
        signs = " ".join(strange)
        sentence = _("An ID number is made of digits, and X only at its end; here stands “%(signs)s”. Correct it.")
        return sentence % {"signs": signs}
    return ""


def _of_its_parts(number: str, provinces: frozenset[str]) -> str:
    if number[:2] not in provinces or number[:6] != PERMITS.get(number[:2], number[:6]):
        return _("The ID number begins with a province that does not exist. Compare it with the card.")
    try:
        born_on = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return _("Characters 7 to 14 of the ID number are no day of birth. Compare them with the card.")
    if not YOUNG_ENOUGH <= born_on.year <= BORN_FOR_SURE and not _has_been(born_on):
        return _("The year of birth in the ID number (characters 7 to 10) cannot be. Compare it with the card.")
    return ""


def _has_been(born_on: date) -> bool:
    today = timezone.localdate()
    return born_on <= today and today.year - born_on.year <= LONGEST_LIFE


def _of_its_end(number: str, check_digit: str | None) -> str:
    if check_digit == number[-1]:
        return ""
    if number.endswith("000"):  # 15 digits are what a spreadsheet keeps of a number
        return rounded()
    return _("The last character of the ID number does not fit the others. Compare it with the card; one is mistyped.")


def rounded() -> str:
    """A spreadsheet took the ID number for a number and kept 15 digits of it."""
    return _(
        "The ID number is stored as a number, so its last digits are lost. "
        "Format the column as text and type it again from the card."
    )
