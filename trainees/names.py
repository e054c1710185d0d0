"""Names as people type them when they are in a hurry: by the first letters of their pinyin."""

import os

# Names are short: the dictionary of phrases is memory for nothing.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")

from pypinyin import Style, lazy_pinyin

LONGEST = 20  # letters kept


def initials(name: str) -> str:
    """``王小明`` → ``wxm``: lower-case first letters of the pinyin; of other scripts the letters and digits stay."""
    letters = lazy_pinyin(name, style=Style.FIRST_LETTER, errors=_letters)
    return "".join(letters).lower()[:LONGEST]


def _letters(text: str) -> str:
    return "".join(character for character in text if character.isascii() and character.isalnum())
