"""What ends the reading of a workbook, and how much of one is read."""

MOST_UNPACKED = 400 * 1024 * 1024  # bytes that all parts of an archive may unpack to
LONGEST_ROW = 8_000_000  # characters of one row, or of one shared text
MOST_TEXTS = 4_000_000  # shared texts of a workbook


class Refused(Exception):
    """A short word for the parent, which knows the sentence."""


class Unusual(Exception):
    """Well-formed perhaps, but not written the way the quick reader knows: the thorough one takes over."""
