"""Sealing anew what is stored: under another key, or bound to its row.

A few rows at a time, each batch in one statement that writes only where the bytes are still those that were read: what
the application writes meanwhile stays, and a run that was interrupted goes on where it was.
"""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection, transaction
from psycopg import sql

from incubator.common.encryption import NONCE_BYTES, Undecipherable, blind_index, decrypt, head, seal, unseal

BATCH = 1_000
EARLIER_VERSION = b"\x01"
Reopen = Callable[..., bytes]


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed bytes. ``row`` is an SQL expression for what is bound in, None for nothing.

    ``meant_for`` is the table and column whose values these will be, where they wait in another table.
    """

    table: str
    column: str
    key: str = "id"
    row: str | None = "id"
    meant_for: str = ""

    @property
    def context(self) -> str:
        return self.meant_for or str(self)

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"


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


def reindex(table: str, indexes: Mapping[str, tuple[str, str]], *, size: int = BATCH) -> Iterator[int]:
    """Make the blind indexes of a table's sealed columns anew; how many rows, batch by batch.

    ``indexes``: sealed column → (column of its index, context). Call it in one transaction: of half a table's indexes
    nobody would be found. Nobody else writes to the table until it ends.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(sql.Identifier(table)))
    after = -1
    while rows := _next_of_all(table, list(indexes), after, size):
        fresh = [(key, *_indexes_of(table, key, stored, indexes)) for key, *stored in rows]
        _write_indexes(table, [index for index, _context in indexes.values()], fresh)
        yield len(rows)
        after = rows[-1][0]


def _next_of_all(table: str, columns: list[str], after: int, size: int) -> list[tuple]:
    statement = sql.SQL("SELECT id, {columns} FROM {table} WHERE id > %s ORDER BY id LIMIT %s").format(
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)), table=sql.Identifier(table)
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [after, size])
        return cursor.fetchall()


def _indexes_of(table: str, key: int, stored: Sequence[bytes | None], indexes: Mapping) -> Iterator[bytes | None]:
    for value, (column, (_index, context)) in zip(stored, indexes.items(), strict=True):
        if value is None:
            yield None
            continue
        try:
            text = decrypt(value, context=f"{table}.{column}", row=key)
        except Undecipherable as error:
            raise Undecipherable(f"{table}.{column}, row {key}: {error}") from None
        yield blind_index(text, context=context)


def _write_indexes(table: str, columns: list[str], fresh: Sequence[tuple]) -> None:
    names = [sql.Identifier(f"fresh_{n}") for n in range(len(columns))]
    statement = sql.SQL(
        "UPDATE {table} SET {assignments} FROM unnest(%s::bigint[], {arrays}) AS fresh (id, {names}) "
        "WHERE {table}.id = fresh.id"
    ).format(
        table=sql.Identifier(table),
        assignments=sql.SQL(", ").join(
            sql.SQL("{} = fresh.{}").format(sql.Identifier(column), name)
            for column, name in zip(columns, names, strict=True)
        ),
        arrays=sql.SQL(", ").join([sql.SQL("%s::bytea[]")] * len(columns)),
        names=sql.SQL(", ").join(names),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(part) for part in zip(*fresh, strict=True)])


# --- Files ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SealedFiles:
    """The sealed files that a column names. ``bound``: each for its row."""

    table: str
    column: str
    key: str = "id"
    bound: bool = False

    @property
    def context(self) -> str:
        return f"{self.table}.{self.column}"

    def __str__(self) -> str:
        return self.context


def reseal_files(files: SealedFiles, *, reopen: Reopen = unseal) -> Iterator[Batch]:
    """Seal each file that is not of the present key anew, in place: who reads it meanwhile gets the one or the other.

    Raises ``Undecipherable`` that names the row; a file that is not there any more is passed over.
    """
    for key, name in names_of(files):
        path = Path(default_storage.path(name))
        if not path.exists() or _begins_with(path, head()):
            continue
        row = key if files.bound else None
        try:
            plain = reopen(path.read_bytes(), context=files.context, row=row)
        except Undecipherable as error:
            raise Undecipherable(f"{files}, row {key}: {error}") from None
        _put_in_place(path, seal(plain, context=files.context, row=row))
        yield Batch(1, 1, key)


def names_of(files: SealedFiles) -> list[tuple[int, str]]:
    """Primary keys and names of all files, in the order of the keys."""
    statement = sql.SQL("SELECT {key}, {column} FROM {table} WHERE {column} <> '' ORDER BY {key}").format(
        table=sql.Identifier(files.table), key=sql.Identifier(files.key), column=sql.Identifier(files.column)
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def heads_of_files(files: SealedFiles) -> Iterator[bytes]:
    """How each file that is there begins."""
    for _key, name in names_of(files):
        with contextlib.suppress(FileNotFoundError), Path(default_storage.path(name)).open("rb") as file:
            yield file.read(len(head()))


def _begins_with(path: Path, beginning: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(beginning)) == beginning


def _put_in_place(path: Path, content: bytes) -> None:
    """Whole or not at all, even when the power fails."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".reseal-", delete=False) as fresh:
        try:
            fresh.write(content)
            fresh.flush()
            os.fsync(fresh.fileno())
            Path(fresh.name).chmod(path.stat().st_mode & 0o777)
            Path(fresh.name).replace(path)
        except BaseException:
            Path(fresh.name).unlink(missing_ok=True)
            raise


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
