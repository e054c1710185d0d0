"""Names as people type them when they are in a hurry: by the first letters of their pinyin."""

import os
from functools import lru_cache

# Names are short: the dictionary of phrases is memory for nothing.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")

from pypinyin import Style, lazy_pinyin

LONGEST = 20  # letters kept


def initials(name: str) -> str:
    """``王小明`` → ``wxm``: lower-case first letters of the pinyin; of other scripts the letters and digits stay."""
    return "".join(map(_letter, name[: 3 * LONGEST]))[:LONGEST]


@lru_cache(maxsize=8192)
def _letter(character: str) -> str:
    """Without phrases one character's sound does not depend on its neighbours."""
    return "".join(lazy_pinyin(character, style=Style.FIRST_LETTER, errors=_ascii)).lower()


def _ascii(text: str) -> str:
    return "".join(character for character in text if character.isascii() and character.isalnum())
