"""What an ID number and a phone are: normalised, checked, and turned into the keys people are found by.

Sources: GB 11643 (18 characters, date of birth, check digit modulo 11-2) through python-stdnum. Its table of counties
by year is not asked: a card registered late carries a code younger than its owner. Mobiles through phonenumbers.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

import phonenumbers
from django.utils.translation import gettext as _
from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from incubator.common.encryption import blind_index
from incubator.common.errors import RuleBroken
from trainees.choices import Sex

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
# The shape of mainland mobiles. Which prefixes are allotted changes too often to refuse one for it.
MOBILE = re.compile(r"1[3-9][0-9]{9}")


@dataclass(frozen=True, slots=True)
class IdNumber:
    """A valid ID number with what it says: date of birth and sex."""

    number: str
    born_on: date
    sex: str


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()


def parse_id_number(text: str) -> IdNumber:
    """The ID number in ``text``; raises ``RuleBroken`` with what is wrong and what to do."""
    number = _plain(text)
    if len(number) == 15 and number.isdigit():
        raise RuleBroken(_("This is an old ID number of 15 digits. Write the 18 characters of the present card."))
    if len(number) != 18:
        raise RuleBroken(_("An ID number has 18 characters; this one has %(count)s.") % {"count": len(number)})
    try:
        born_on = ric.get_birth_date(number)
        check_digit = ric.calc_check_digit(number)
    except (ValidationError, ValueError):
        raise RuleBroken(_("This is not a valid ID number. Compare it with the card.")) from None
    if number[:2] not in PROVINCES:
        raise RuleBroken(_("The ID number begins with a province that does not exist. Compare it with the card."))
    if check_digit != number[-1]:
        raise RuleBroken(
            _("The last character of the ID number does not fit the others. Compare it with the card; one is mistyped.")
        )
    return IdNumber(number, born_on, Sex.MALE if int(number[16]) % 2 else Sex.FEMALE)


def parse_mobile(text: str) -> str:
    """The mainland mobile in ``text`` as E.164 (``+8613…``); raises ``RuleBroken``."""
    plain = _plain(text)
    try:
        number = phonenumbers.parse(plain, "CN")
    except phonenumbers.NumberParseException:
        raise RuleBroken(_("This is not a phone number. Write the 11 digits of a mobile.")) from None
    national = str(number.national_number)
    if number.country_code != 86 or not MOBILE.fullmatch(national):
        raise RuleBroken(_("This is not a mobile number. Write the 11 digits of a mobile, not a landline."))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


ID_NUMBER_CONTEXT, PHONE_CONTEXT = "trainee.id_number", "trainee.phone"


def id_number_index(number: str) -> bytes:
    """The key a person is found by: one person is one trainee."""
    return blind_index(number, context=ID_NUMBER_CONTEXT)


def phone_index(phone: str) -> bytes:
    return blind_index(phone, context=PHONE_CONTEXT)
