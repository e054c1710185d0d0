"""Names as people type them when they are in a hurry: by the first letters of their pinyin."""

import os
import unicodedata

# Names are short: the dictionary of phrases is memory for nothing.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")

from pypinyin import Style, lazy_pinyin

LONGEST = 20  # letters kept

# What is read in another way when it is a surname, and then begins with another letter. Readings are those that
# 现代汉语词典 (7th edition) gives with the mark 姓; GB/T 28039-2011 has names spelt by the reading of the surname.
# Where families differ (翟 is dí too, 覃 tán, 乐 lè) the more common reading stands here.
SURNAMES = {
    "万俟": "mò qí",
    "尉迟": "yù chí",
    "澹台": "tán tái",
    "乐": "yuè",
    "乜": "niè",
    "仇": "qiú",
    "佴": "nài",
    "区": "ōu",
    "单": "shàn",
    "召": "shào",
    "句": "gōu",
    "折": "shé",
    "曾": "zēng",
    "查": "zhā",
    "祭": "zhài",
    "种": "chóng",
    "秘": "bì",
    "粘": "nián",
    "繁": "pó",
    "翟": "zhái",
    "覃": "qín",
    "解": "xiè",
    "阚": "kàn",
    "颉": "xié",
}


def initials(name: str) -> str:
    """``王小明`` → ``wxm``: lower-case first letters of the pinyin; of other scripts the letters and digits stay.

    A surname is read as one: ``单雄信`` → ``sxx``. Names of several parts (``买买提·吐尔逊``) have no surname.
    """
    surname = surname_of(name)
    rest = name[len(surname) : len(surname) + 3 * LONGEST]
    return (SURNAME_LETTERS[surname] + rest.translate(LETTERS))[:LONGEST]


def surname_of(name: str) -> str:
    """The surname ``name`` begins with if it is one that is read in a way of its own, else nothing."""
    if "·" in name:
        return ""
    if name[:2] in SURNAMES and len(name) > 2:
        return name[:2]
    return name[:1] if name[:1] in SURNAMES and len(name) > 1 else ""


class _Letters(dict[int, str]):
    """Without phrases one character's sound does not depend on its neighbours: a hundred thousand names are quick."""

    def __missing__(self, code: int) -> str:
        found = self[code] = _plain("".join(lazy_pinyin(chr(code), style=Style.FIRST_LETTER, errors=_ascii)))
        return found


def _ascii(text: str) -> str:
    return "".join(character for character in text if character.isascii() and character.isalnum())


def _plain(text: str) -> str:
    """Lower case, without tone marks: 区 begins with ``ō``."""
    return "".join(c for c in unicodedata.normalize("NFD", text.lower()) if c.isascii())


LETTERS = _Letters()  # by character, looked up once
# Of each surname the first letter of every syllable, and nothing of none.
SURNAME_LETTERS = {"": ""} | {
    surname: _plain("".join(syllable[0] for syllable in said.split())) for surname, said in SURNAMES.items()
}
