"""What an ID number and a phone are: normalised, checked, and turned into the keys people are found by.

Sources: GB 11643 (18 characters, date of birth, check digit modulo 11-2); a test holds the check digit against
python-stdnum. No table of counties by year is asked: a card registered late carries a code younger than its owner.
What is no mobile is told apart by phonenumbers.
"""

import re
from datetime import date
from functools import lru_cache
from operator import mul
from typing import NamedTuple

import phonenumbers
from django.utils.translation import gettext as _

from incubator.common.encryption import blind_index
from incubator.common.errors import RuleBroken
from incubator.common.plain_text import squeeze
from trainees.choices import Sex
from trainees.id_mistakes import BORN_FOR_SURE, HIDDEN, PERMITS, ROUNDED, YOUNG_ENOUGH, why_not_an_id_number

# First two digits of GB/T 2260; 81, 82 and 83 are residence permits of Hong Kong, Macao and Taiwan residents.
PROVINCES = frozenset(
    str(code)
    for block in (
        range(11, 16),
        range(21, 24),
        range(31, 38),
        range(41, 47),
        range(50, 55),
        range(61, 66),
        range(81, 84),
    )
    for code in block
)
MAINLAND = PROVINCES - PERMITS.keys()
ID_SHAPE = re.compile(r"[0-9]{17}[0-9X]")
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_DIGITS = "10X98765432"
# The shape of mainland mobiles. Which prefixes are allotted changes too often to refuse one for it.
MOBILE = re.compile(r"(?:\+?86|0086|0)?(1[3-9][0-9]{9})")
MOBILE_INSIDE = re.compile(r"1[3-9][0-9]{9}")
SEPARATORS = re.compile(r"[-‐‑–—−()./·_]")


class IdNumber(NamedTuple):
    """A valid ID number with what it says: date of birth and sex."""

    number: str
    born_on: date
    sex: str


def may_be_rounded(number: str) -> bool:
    """Whether it ends like a number of which a spreadsheet kept 15 digits; one in eleven of those looks valid."""
    return number.endswith("000")


def _plain(text: str) -> str:
    """Without what people type around a number: spaces, marks, a leading apostrophe."""
    return squeeze(text).strip("'\"‘’“”`").upper()


def parse_id_number(text: str) -> IdNumber:
    """The ID number in ``text``; raises ``RuleBroken`` with what is wrong and what to do.

    Full-width digits, spaces, dashes, a small x and the Roman numeral ten are understood. A number that a spreadsheet
    rounded (``1.10105E+17``, or three zeros at the end that do not fit) is recognised as such.
    """
    if found := _without_a_doubt(text):
        return found
    number = _plain(text)
    if not ID_SHAPE.fullmatch(number):
        number = number.replace("-", "").replace("—", "").replace("×", "X") if "E+" not in number else number
    digit = check_digit(number) if ID_SHAPE.fullmatch(number) else None
    if why := why_not_an_id_number(number, provinces=PROVINCES, check_digit=digit):
        raise RuleBroken(why)
    born_on = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    return IdNumber(number, born_on, (Sex.MALE if int(number[16]) % 2 else Sex.FEMALE).value)


def _without_a_doubt(text: str) -> IdNumber | None:
    """What nearly every row of a roster holds, in a microsecond. None for whatever needs a second look.

    Areas, days and serials come again and again: each is looked at once.
    """
    if len(text) != 18 or not (area := _area(text[:6])) or not (day := _day(text[6:14])):
        return None
    if not (serial := _serial(text[14:17])) or CHECK_DIGITS[(area + day[0] + serial[0]) % 11] != text[17]:
        return None
    return IdNumber(text, day[1], serial[1])


@lru_cache(maxsize=8192)
def _area(text: str) -> int:
    """What the digits of an area weigh, plus eleven; 0 where it is none of the mainland."""
    return 11 + _weight(text, 0) if _are_digits(text) and text[:2] in MAINLAND else 0


@lru_cache(maxsize=40_000)
def _day(text: str) -> tuple[int, date] | None:
    """What eight digits weigh, and the day they are, where anybody may be born on it."""
    try:
        born_on = date(int(text[:4]), int(text[4:6]), int(text[6:])) if _are_digits(text) else date.min
    except ValueError:
        return None
    return (_weight(text, 6), born_on) if YOUNG_ENOUGH <= born_on.year <= BORN_FOR_SURE else None


@lru_cache(maxsize=1000)
def _serial(text: str) -> tuple[int, str] | None:
    """What three digits weigh, and the sex they say."""
    return (_weight(text, 14), (Sex.MALE if int(text[2]) % 2 else Sex.FEMALE).value) if _are_digits(text) else None


def _are_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _weight(digits: str, place: int) -> int:
    """Of ASCII digits that stand from ``place`` on; they are weighed as the bytes they are."""
    weights = WEIGHTS[place : place + len(digits)]
    return sum(map(mul, digits.encode(), weights)) - sum(weights) * ord("0")


def check_digit(number: str) -> str:
    """What the eighteenth character must be, of the 17 digits before it."""
    return CHECK_DIGITS[_weight(number[:17], 0) % 11]


def parse_mobile(text: str) -> str:
    """The mainland mobile in ``text`` as E.164 (``+8613…``); raises ``RuleBroken``.

    ``+86``, ``0086``, a 0 before the 1, spaces, dashes and brackets are understood.
    """
    if MOBILE_INSIDE.fullmatch(text):  # as nearly all are
        return f"+86{text}"
    plain = _plain(text)
    digits = SEPARATORS.sub("", plain)
    found = MOBILE.fullmatch(digits)
    if found is None:
        raise RuleBroken(_why_not_a_mobile(plain, digits))
    return f"+86{found[1]}"


def _why_not_a_mobile(plain: str, digits: str) -> str:
    if ROUNDED.fullmatch(plain):
        return _("The phone number is stored as a number and cut short. Format the column as text and type it again.")
    if HIDDEN.search(plain):
        return _("This phone number is partly hidden. Write all 11 digits.")
    if len(MOBILE_INSIDE.findall(digits)) > 1:
        return _("There are two numbers in this cell. Keep the one mobile under which the person is reached.")
    if digits.isdigit() and digits.startswith("1") and not digits.startswith("10"):
        return _("A mobile number has 11 digits; this one has %(count)s.") % {"count": len(digits)}
    try:
        number = phonenumbers.parse(plain, "CN")
    except phonenumbers.NumberParseException:
        return _("This is not a phone number. Write the 11 digits of a mobile.")
    if number.country_code != 86:
        return _("This is a number from abroad. Write the 11 digits of a mobile of the mainland.")
    return _("This is not a mobile number. Write the 11 digits of a mobile, not a landline.")


ID_NUMBER_INDEX, PHONE_INDEX = "trainee.id_number", "trainee.phone"  # contexts of the two


def id_number_index(number: str) -> bytes:
    """The key a person is found by: one person is one trainee."""
    return blind_index(number, context=ID_NUMBER_INDEX)


def phone_index(phone: str) -> bytes:
    return blind_index(phone, context=PHONE_INDEX)
