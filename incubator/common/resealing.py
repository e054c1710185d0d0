"""Sealing anew what is stored: under another key, or bound to its row.

A few rows at a time, each batch in one statement that writes only where the bytes are still those that were read: what
the application writes meanwhile stays, and a run that was interrupted goes on where it was.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import connection, transaction
from psycopg import sql

from incubator.common.encryption import NONCE_BYTES, Undecipherable, head, seal, unseal

BATCH = 1_000
EARLIER_VERSION = b"\x01"
Reopen = Callable[..., bytes]


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed bytes. ``row`` is an SQL expression for what is bound in, None for nothing."""

    table: str
    column: str
    key: str = "id"
    row: str | None = "id"

    @property
    def context(self) -> str:
        return f"{self.table}.{self.column}"

    def __str__(self) -> str:
        return self.context


@dataclass(frozen=True, slots=True)
class Batch:
    """How many values were looked at, how many of them were sealed anew, and the key of the last."""

    looked_at: int
    resealed: int
    last: int


@dataclass(frozen=True, slots=True)
class _Value:
    key: int
    row: str | None
    stored: bytes


def reseal(column: SealedColumn, *, every: bool = False, reopen: Reopen = unseal, size: int = BATCH) -> Iterator[Batch]:
    """Seal anew the values that are not of the present key; with ``every`` also those not bound as they should be.

    Raises ``Undecipherable`` that names the row; of its batch nothing is written.
    """
    batch = _reseal_some(column, -1, every, reopen, size)
    while batch is not None:
        yield batch
        batch = _reseal_some(column, batch.last, every, reopen, size)


@transaction.atomic
def _reseal_some(column: SealedColumn, after: int, every: bool, reopen: Reopen, size: int) -> Batch | None:
    values = _next(column, after, every, size)
    if not values:
        return None
    changed = [(one.key, one.stored, fresh) for one in values if (fresh := _fresh(column, one, reopen))]
    return Batch(len(values), _replace(column, changed) if changed else 0, values[-1].key)


def count_other_keys(column: SealedColumn) -> int:
    """How many values are not of the present key."""
    statement = sql.SQL("SELECT count(*) FROM {table} WHERE {column} IS NOT NULL AND {other}").format(**_names(column))
    with connection.cursor() as cursor:
        cursor.execute(statement, {"head": head()})
        return cursor.fetchone()[0]


def _names(column: SealedColumn) -> dict[str, sql.Composable]:
    stored = sql.Identifier(column.column)
    return {
        "table": sql.Identifier(column.table),
        "key": sql.Identifier(column.key),
        "column": stored,
        "row": sql.SQL(f"({column.row})::text" if column.row else "NULL"),
        "other": sql.SQL("substring({} FROM 1 FOR {}) <> %(head)s").format(stored, sql.Literal(len(head()))),
    }


def _next(column: SealedColumn, after: int, every: bool, size: int) -> list[_Value]:
    """Locked in the order of their keys, as everybody locks rows, so that nobody waits for the other."""
    statement = sql.SQL(
        "SELECT {key}, {row}, {column} FROM {table} WHERE {column} IS NOT NULL AND (%(every)s OR {other}) "
        "AND {key} > %(after)s ORDER BY {table}.{key} LIMIT %(size)s FOR NO KEY UPDATE"
    ).format(**_names(column))
    with connection.cursor() as cursor:
        cursor.execute(statement, {"head": head(), "every": every, "after": after, "size": size})
        return [_Value(key, row, bytes(stored)) for key, row, stored in cursor.fetchall()]


def _fresh(column: SealedColumn, value: _Value, reopen: Reopen) -> bytes | None:
    """The value sealed anew; None where it is right as it is."""
    if value.stored.startswith(head()) and _opens(column, value):
        return None
    try:
        plain = reopen(value.stored, context=column.context, row=value.row)
    except Undecipherable as error:
        raise Undecipherable(f"{column}, row {value.key}: {error}") from None
    return seal(plain, context=column.context, row=value.row)


def _opens(column: SealedColumn, value: _Value) -> bool:
    try:
        unseal(value.stored, context=column.context, row=value.row)
    except Undecipherable:
        return False
    return True


def _replace(column: SealedColumn, changed: Sequence[tuple[Any, bytes, bytes]]) -> int:
    statement = sql.SQL(
        "UPDATE {table} SET {column} = fresh.after FROM unnest(%s::bigint[], %s::bytea[], %s::bytea[]) "
        "AS fresh (key, before, after) WHERE {table}.{key} = fresh.key AND {table}.{column} = fresh.before"
    ).format(**_names(column))
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(part) for part in zip(*changed, strict=True)])
        return cursor.rowcount


# --- The earlier methods, for migrations only -------------------------------------------------------------------------


def unseal_earlier(stored: bytes, *, context: str, row: object = None) -> bytes:
    """What any method up to now sealed: bound to its row, not bound, or (the first) without the name of its key.

    Nothing but a migration may open what is not bound: it could have been copied from another row.
    """
    if stored[:1] == EARLIER_VERSION:
        return _unseal_first_method(stored, context)
    try:
        return unseal(stored, context=context, row=row)
    except Undecipherable:
        return unseal(stored, context=context)


def _unseal_first_method(stored: bytes, context: str) -> bytes:
    nonce, sealed = stored[1 : 1 + NONCE_BYTES], stored[1 + NONCE_BYTES :]
    for key in (settings.PERSONAL_DATA_KEY, *settings.PERSONAL_DATA_OLD_KEYS):
        try:
            return AESGCM(bytes.fromhex(key)).decrypt(nonce, sealed, context.encode())
        except InvalidTag:
            continue
    raise Undecipherable("wrong key, wrong place or altered data")
