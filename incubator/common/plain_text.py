"""What people type around a value without meaning it: full-width forms, spaces, marks that cannot be seen."""

import unicodedata

# Zero-width and direction marks that come along when a number is copied from a chat or a web page, and soft hyphens.
UNSEEN = dict.fromkeys([0xAD, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF])


def narrow(text: str) -> str:
    """Full-width letters, digits and punctuation as plain ones, without marks that cannot be seen."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text).translate(UNSEEN)


def squeeze(text: str) -> str:
    """``narrow`` and without any space or line break."""
    if text.isascii() and text.isalnum():
        return text
    return "".join(narrow(text).split())
