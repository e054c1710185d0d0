"""Rows by the hundred thousand: PostgreSQL's COPY, and texts that are fit for it."""

from collections.abc import Iterable, Sequence
from itertools import batched
from typing import Any

from django.db import connection

# None of these stands in a cell: XML forbids them, and ``clean`` takes them out of what comes by other ways.
FIELD, NOTHING, END = "\x01", "\x02", "\x03"
TOGETHER = 500  # rows that go to the server at once


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write rows of texts, numbers, bytes, dates, booleans and None, in the order of ``columns``."""
    copy_lines(table, columns, (line(row) for row in rows))


def copy_lines(table: str, columns: Sequence[str], lines: Iterable[str]) -> None:
    """Write rows that are texts already, fields with ``FIELD`` between them, each made by ``field``.

    The server takes rows in while the next ones are made: nothing else may be asked of it before the last one.
    """
    statement = (
        f"COPY {table} ({', '.join(columns)}) FROM STDIN "
        f"(DELIMITER E'\\x{ord(FIELD):02x}', NULL E'\\x{ord(NOTHING):02x}')"
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for some in batched(lines, TOGETHER):
            body = END.join(some).replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
            copy.write(body.replace(END, "\n") + "\n")


def line(row: Iterable[Any]) -> str:
    """A row as ``copy_lines`` takes it."""
    return FIELD.join([field(value) for value in row])


def field(value: Any) -> str:
    """A value as PostgreSQL reads it."""
    if value is None:
        return NOTHING
    kind = value.__class__
    if kind is str:
        return value
    if kind is bytes:
        return "\\x" + value.hex()
    if kind is bool:
        return "t" if value else "f"
    return str(value)  # numbers, and dates, which write themselves


def clean(text: str) -> str:
    """Without characters that are not to be seen; line breaks and other space become single spaces."""
    if text.isprintable():
        return text
    return "".join(c for c in " ".join(text.split()) if c.isprintable())
