"""Finding people by what staff type into a search field."""

import re

from django.db.models import Q

from incubator.common.errors import RuleBroken
from trainees.identity import id_number_index, parse_id_number, parse_mobile, phone_index
from trainees.models import FormerNumber

NUMBER = re.compile(r"T\d[\d-]*", re.IGNORECASE)


def person_q(text: str, prefix: str = "") -> Q:
    """People that ``text`` names: a whole ID number or mobile, or the beginning of a trainee number or a name.

    What it is shows in its shape, so one index answers and no two columns are searched at once. ID numbers and mobiles
    are found whole only, through their blind indexes. A number that somebody had before finds whoever they are now.
    """
    text = text.strip()
    if NUMBER.fullmatch(text):
        now = FormerNumber.objects.filter(number=text.upper()).values_list("trainee", flat=True).first()
        return Q(**{f"{prefix}pk": now} if now else {f"{prefix}number__startswith": text.upper()})
    if sum(character.isdigit() for character in text) >= 11:
        return _personal_q(text, prefix)
    return Q(**{f"{prefix}name__startswith": text})


def _personal_q(text: str, prefix: str) -> Q:
    try:
        return Q(**{f"{prefix}phone_index": phone_index(parse_mobile(text))})
    except RuleBroken:
        pass
    try:
        return Q(**{f"{prefix}id_number_index": id_number_index(parse_id_number(text).number)})
    except RuleBroken:
        return Q(pk__in=[])
