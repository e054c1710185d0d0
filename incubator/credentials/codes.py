"""Verification codes as people type them."""

import re
import unicodedata

from incubator.certification.models.awards import CODE_LENGTH, CODE_LETTERS

_CODE = re.compile(f"[{CODE_LETTERS}]{{{CODE_LENGTH}}}")
_NUMBER = re.compile(r"XC\d{4}\d{6}\d+")
# No code has them, and they look like letters that codes have neither: whoever types one has misread.
_APART = re.compile(r"[\s\-_.·、,，/]+")


def as_code(typed: str) -> str:
    """The code in what was typed or scanned: spaces, dashes, small and full-width letters do not matter."""
    return _APART.sub("", unicodedata.normalize("NFKC", typed[:200])).upper()


def is_code(code: str) -> bool:
    return _CODE.fullmatch(code) is not None


def is_number(code: str) -> bool:
    """Whether it is a certificate number, which opens nothing: numbers can be guessed."""
    return _NUMBER.fullmatch(code) is not None


def in_groups(code: str) -> str:
    """``ABCD EFGH …``: as it is printed and read aloud."""
    return " ".join(code[at : at + 4] for at in range(0, len(code), 4))
