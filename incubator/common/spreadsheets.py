"""What spreadsheet programs make of the texts in our files."""

FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")  # what a spreadsheet may take for the start of a formula


def plain_text(text: str) -> str:
    """The text for a cell of a CSV file, with an apostrophe before what a program would compute."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text
