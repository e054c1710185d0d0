"""Rows by the hundred thousand: PostgreSQL's COPY, and texts that are fit for it."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

# None of these stands in a cell: XML forbids them, and ``clean`` takes them out of what comes by other ways.
FIELD, NOTHING, END = "\x01", "\x02", "\x03"


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write rows of texts, numbers, bytes, dates, booleans and None, in the order of ``columns``."""
    body = END.join([FIELD.join(map(_field, row)) for row in rows])
    if not body:
        return
    body = body.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace(END, "\n")
    statement = (
        f"COPY {table} ({', '.join(columns)}) FROM STDIN "
        f"(DELIMITER E'\\x{ord(FIELD):02x}', NULL E'\\x{ord(NOTHING):02x}')"
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(body)


def _field(value: Any) -> str:
    kind = value.__class__
    if kind is str:
        return value
    if kind is int:
        return str(value)
    if value is None:
        return NOTHING
    if kind is bytes:
        return "\\x" + value.hex()
    if kind is bool:
        return "t" if value else "f"
    return str(value)  # dates write themselves as PostgreSQL reads them


def clean(text: str) -> str:
    """Without characters that are not to be seen; line breaks and other space become single spaces."""
    if text.isprintable():
        return text
    return "".join(c for c in " ".join(text.split()) if c.isprintable())
