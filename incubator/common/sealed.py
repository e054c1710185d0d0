"""Everything that is sealed or found by a blind index, wherever it is kept, so that a change of key forgets nothing.

``EncryptedTextField`` and ``SealedFileField`` are found by themselves. What a room seals in other ways (a binary column
written with ``seal``) it registers when it is loaded; a test refuses binary columns and files that are neither.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.apps import apps
from django.db import connection, models
from psycopg import sql

from incubator.common.encryption import EncryptedTextField, head, known_heads
from incubator.common.resealing import SealedColumn, SealedFiles, heads_of_files
from incubator.common.sealed_files import SealedFileField

_REGISTERED: list[SealedColumn] = []
_INDEXED: list["IndexedTable"] = []


@dataclass(frozen=True, slots=True)
class IndexedTable:
    """A table whose sealed columns are found by blind indexes.

    ``indexes``: sealed column → (column of its index, context it is made with). ``made_with`` tells the fingerprint of
    the key the indexes were made with, None while there are none; ``remember`` keeps that of the present key.
    """

    table: str
    indexes: Mapping[str, tuple[str, str]]
    made_with: Callable[[], str | None]
    remember: Callable[[], None]


@dataclass(frozen=True, slots=True)
class KeysOf:
    """How many values of a place are sealed with the present key, with old ones, and with keys nobody knows."""

    present: int
    old: int
    unknown: int


def register_sealed_column(column: SealedColumn) -> None:
    """A binary column that is written with ``seal`` and no ``EncryptedTextField``."""
    if column not in _REGISTERED:
        _REGISTERED.append(column)


def register_indexed_table(table: IndexedTable) -> None:
    if table not in _INDEXED:
        _INDEXED.append(table)


def indexed_tables() -> list[IndexedTable]:
    return list(_INDEXED)


def sealed_columns() -> list[SealedColumn]:
    """All columns of sealed values, by table and column."""
    found = [_column(field) for field in _fields() if isinstance(field, EncryptedTextField)]
    return sorted([*found, *_REGISTERED], key=str)


def sealed_files() -> list[SealedFiles]:
    """All columns that name sealed files, by table and column."""
    found = [
        SealedFiles(field.model._meta.db_table, str(field.column), _key_of(field), field.bound)
        for field in _fields()
        if isinstance(field, SealedFileField)
    ]
    return sorted(found, key=str)


def _fields() -> list[models.Field]:
    return [
        field
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
        for field in model._meta.local_concrete_fields
    ]


def _column(field: EncryptedTextField) -> SealedColumn:
    key = _key_of(field)
    return SealedColumn(field.model._meta.db_table, str(field.column), key=key, row=key if field.bound else None)


def _key_of(field: models.Field) -> str:
    return str(field.model._meta.pk.column)


def keys_of_column(column: SealedColumn) -> KeysOf:
    """By which keys a column's values are sealed; one look at the whole table."""
    statement = sql.SQL(
        "SELECT substring({column} FROM 1 FOR %(size)s), count(*) FROM {table} WHERE {column} IS NOT NULL GROUP BY 1"
    ).format(table=sql.Identifier(column.table), column=sql.Identifier(column.column))
    with connection.cursor() as cursor:
        cursor.execute(statement, {"size": len(head())})
        return _sorted_out({bytes(beginning): count for beginning, count in cursor.fetchall()})


def keys_of_files(files: SealedFiles) -> KeysOf:
    """The same for files, those that are there."""
    return _sorted_out(Counter(heads_of_files(files)))


def _sorted_out(counts: dict[bytes, int]) -> KeysOf:
    present, known = head(), known_heads()
    old = sum(count for beginning, count in counts.items() if beginning in known and beginning != present)
    return KeysOf(counts.get(present, 0), old, sum(counts.values()) - counts.get(present, 0) - old)
