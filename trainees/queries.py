"""Finding people by what staff type into a search field."""

import re
import unicodedata
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from incubator.common.errors import RuleBroken
from trainees.finders import found_by_others
from trainees.identity import id_number_index, parse_id_number, parse_mobile, phone_index
from trainees.models import FormerNumber, Trainee
from trainees.names import LONGEST

SEARCH_HELP = _("Name, initials, trainee number or account number, or a whole mobile or ID number")
NUMBER = re.compile(r"T\d[\d-]*|\d{4}-\d*", re.IGNORECASE)
LETTERS = re.compile(r"[A-Za-z]+")
DIGITS_OF_A_PHONE = 11
DOTS = str.maketrans("•‧・∙⋅", "·····")  # what stands between the parts of a name


def person_q(text: str, prefix: str = "") -> Q:
    """People that ``text`` names: a whole ID number or mobile, or the beginning of a trainee number, of a name, of the
    initials of its pinyin or of an account's handle.

    What it is shows in its shape, so that one index answers and no two columns are searched at once. A word that may be
    two things (``wxm`` is initials or a handle) is asked of two indexes, and the answers are put together. ID numbers
    and mobiles are found whole only, through their blind indexes. A number that somebody had before finds whoever they
    are now.
    """
    word = tidy(text)
    ways, is_certain = _ways(word)
    elsewhere = [] if is_certain else found_by_others(word)
    if len(ways) == 1 and not elsewhere:
        return Q(**{f"{prefix}{lookup}": value for lookup, value in ways[0].items()})
    found = [*(Trainee.objects.order_by().filter(**way).values("pk") for way in ways), *elsewhere]
    if not found:
        return Q(pk__in=[])
    return Q(**{f"{prefix}pk__in": found[0].union(*found[1:]) if len(found) > 1 else found[0]})


def tidy(text: str) -> str:
    """Half-width and trimmed; a Chinese name without the spaces that sheets stretch it with."""
    word = unicodedata.normalize("NFKC", text).strip().translate(DOTS)
    return word if word.isascii() else "".join(word.split())


def _ways(word: str) -> tuple[list[dict[str, Any]], bool]:
    """Questions to columns of the trainee, and whether the word can be nothing else."""
    if NUMBER.fullmatch(word):
        number = "T" + word.upper().removeprefix("T")
        now = FormerNumber.objects.filter(number=number).values_list("trainee", flat=True).first()
        return [{"pk": now} if now else {"number__startswith": number}], True
    if sum(character.isdigit() for character in word) >= DIGITS_OF_A_PHONE:
        return _personal(word)
    if LETTERS.fullmatch(word):
        return [{"initials__startswith": word.lower()[:LONGEST]}], False
    if word.isascii() and " " not in word:
        return [], False  # digits, or letters and digits: a handle
    return [{"name__startswith": word}], True


def _personal(word: str) -> tuple[list[dict[str, Any]], bool]:
    try:
        return [{"phone_index": phone_index(parse_mobile(word))}], False
    except RuleBroken:
        pass
    try:
        return [{"id_number_index": id_number_index(parse_id_number(word).number)}], True
    except RuleBroken:
        return [], False
