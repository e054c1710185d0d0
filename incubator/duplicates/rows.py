"""Rows as their tables hold them, changed one by one, with a journal by which every one of them is put back exactly.

Rows are read and written as PostgreSQL's own JSON of them, whatever their columns are: a model that is new or has
grown a column needs nothing here. Ciphertext is put back as it was; where its key has been retired meanwhile, the text
is sealed anew.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import ForeignKey, Model

from incubator.common.encryption import EncryptedTextField, is_of_present_key

# Names of tables and columns are the models' own; every value is a parameter.
READ = "SELECT {key}, to_jsonb(one)::text FROM {table} AS one WHERE {key} = ANY(%s) ORDER BY {key}"
LOCK = "SELECT FROM {table} WHERE {key} = ANY(%s) ORDER BY {key} FOR UPDATE NOWAIT"
HOLD = "SELECT FROM {table} WHERE {key} = ANY(%s) ORDER BY {key} FOR KEY SHARE NOWAIT"
SET = """
UPDATE {table} AS one SET {given} FROM jsonb_populate_record(NULL::{table}, %s::jsonb) AS given
WHERE one.{key} = ANY(%s)
"""
INSERT = "INSERT INTO {table} ({columns}) SELECT {columns} FROM jsonb_populate_record(NULL::{table}, %s::jsonb)"
DELETE = "DELETE FROM {table} WHERE {key} = ANY(%s)"

Row = dict[str, Any]  # by column, values as in JSON: numbers, texts, days as 2026-03-01, bytes as \x00ff


@dataclass(slots=True)
class Step:
    """What happened to one row: ``changed`` (the columns before and after), ``gone`` (all of it) or ``new``.

    ``text`` is the plain text of encrypted columns of ``before``.
    """

    what: str
    model: str
    pk: int
    before: Row = field(default_factory=dict)
    after: Row = field(default_factory=dict)
    text: dict[str, str | None] = field(default_factory=dict)

    @property
    def of(self) -> type[Model]:
        return apps.get_model(self.model)


class Journal:
    """Changes rows and remembers what they were, in order."""

    def __init__(self, steps: Iterable[Step] = ()) -> None:
        self.steps = list(steps)

    def change(self, model: type[Model], pks: Sequence[int], values: Row) -> None:
        """Give columns of rows new values, the same to all of them; those that have them already stay as they are."""
        rows = read_rows(model, pks)
        _set(model, list(rows), values)
        for pk, now in read_rows(model, list(rows)).items():
            before, after = ({column: row[column] for column in values} for row in (rows[pk], now))
            if before != after:
                self.steps.append(Step("changed", model._meta.label, pk, before, after))

    def delete(self, model: type[Model], pks: Sequence[int]) -> None:
        texts = {pk: _texts(model, pk) for pk in pks}
        for pk, row in read_rows(model, pks).items():
            self.steps.append(Step("gone", model._meta.label, pk, row, text=texts[pk]))
        _run(model, DELETE, [list(pks)])

    def made(self, row: Model) -> None:
        self.steps.append(Step("new", row._meta.label, row.pk))

    def saved(self, row: Model, before: Row, text: dict[str, str | None]) -> None:
        """Note what saving a row changed about it."""
        after = read_rows(type(row), [row.pk])[row.pk]
        changed = [column for column, value in after.items() if value != before[column]]
        if changed:
            step = Step("changed", row._meta.label, row.pk)
            step.before, step.after = ({column: one[column] for column in changed} for one in (before, after))
            step.text = {name: value for name, value in text.items() if name in changed}
            self.steps.append(step)

    def put_back(self) -> None:
        """Take everything back, the last first."""
        for step in reversed(self.steps):
            _UNDO[step.what](step)

    def lock(self) -> None:
        """Lock every row that will be put back and hold those they name; wait for none: who has one comes first."""
        for model, steps in self.by_model().items():
            _run(model, LOCK, [sorted({step.pk for step in steps})])
        for model, keys in self._named().items():
            hold(model, keys)

    def _named(self) -> dict[type[Model], set[Any]]:
        """The keys of rows that will be named again, by model."""
        found: dict[type[Model], set[Any]] = {}
        for step in self.steps:
            fields: list[Any] = [one for one in step.of._meta.concrete_fields if isinstance(one, ForeignKey)]
            for one in fields:
                key = step.before.get(one.column)
                if key is not None and one.db_constraint:
                    found.setdefault(one.related_model, set()).add(key)
        return found

    def by_model(self) -> dict[type[Model], list[Step]]:
        found: dict[type[Model], list[Step]] = {}
        for step in self.steps:
            found.setdefault(step.of, []).append(step)
        return found

    def altered(self) -> list[Step]:
        """The steps whose row has been changed or has gone since, so that putting it back would lose something.

        One query a model. A row that is again as it was before is no obstacle.
        """
        found: dict[int, Step] = {}
        for model, steps in self.by_model().items():
            rows = read_rows(model, sorted({step.pk for step in steps}))
            last = {(step.pk, column): step for step in steps for column in _compared(step)}
            for (pk, column), step in last.items():
                row = rows.get(pk)
                if row is None or row[column] not in (step.after[column], step.before[column]):
                    found[id(step)] = step
        return list(found.values())

    def dump(self) -> list[dict[str, Any]]:
        return [asdict(step) for step in self.steps]

    @classmethod
    def load(cls, steps: Iterable[Mapping[str, Any]]) -> "Journal":
        return cls(Step(**step) for step in steps)


def hold(model: type[Model], keys: Iterable[Any]) -> None:
    """Keep rows from being removed until the end of the transaction, without waiting for anybody.

    A new row that names them waits for whoever holds them, when it is checked: too late not to hold anything.
    """
    _run(model, HOLD, [sorted(keys)])


def read_rows(model: type[Model], pks: Sequence[int]) -> dict[int, Row]:
    """Rows by primary key, in its order; those that are not there are left out."""
    found = _run(model, READ, [list(pks)])
    return {pk: json.loads(text) for pk, text in found}


def sealed_columns(model: type[Model]) -> dict[str, str]:
    """Names of encrypted fields by their columns."""
    fields = model._meta.concrete_fields
    return {str(one.column): one.attname for one in fields if isinstance(one, EncryptedTextField)}


def texts_of(row: Model) -> dict[str, str | None]:
    """The plain texts of a row's encrypted columns."""
    values = {column: getattr(row, name) for column, name in sealed_columns(type(row)).items()}
    return {column: None if value is None else str(value) for column, value in values.items()}


def _texts(model: type[Model], pk: int) -> dict[str, str | None]:
    return texts_of(model._base_manager.get(pk=pk)) if sealed_columns(model) else {}


def _compared(step: Step) -> list[str]:
    """Ciphertext differs whenever it is sealed anew; the blind index beside it tells whether the text does."""
    return [column for column in step.after if column not in sealed_columns(step.of)]


# --- Statements -------------------------------------------------------------------------------------------------------


def _set(model: type[Model], pks: Sequence[int], values: Row) -> None:
    given = ", ".join(f"{_quoted(column)} = given.{_quoted(column)}" for column in values)
    _run(model, SET, [json.dumps(values), list(pks)], given=given)


def _insert(model: type[Model], row: Row) -> None:
    _run(model, INSERT, [json.dumps(row)], columns=", ".join(map(_quoted, row)))


def _change_back(step: Step) -> None:
    _set(step.of, [step.pk], step.before)
    _seal_anew(step)


def _insert_back(step: Step) -> None:
    _insert(step.of, step.before)
    _seal_anew(step)


def _delete_again(step: Step) -> None:
    _run(step.of, DELETE, [[step.pk]])


_UNDO = {"changed": _change_back, "gone": _insert_back, "new": _delete_again}


def _seal_anew(step: Step) -> None:
    """Ciphertext of a key that is not the present one any more is replaced; its text was kept beside it."""
    old = [
        column
        for column, text in step.text.items()
        if text is not None and not is_of_present_key(bytes.fromhex(step.before[column].removeprefix("\\x")))
    ]
    if old:
        names = sealed_columns(step.of)
        row = step.of(pk=step.pk, **{names[column]: step.text[column] for column in old})
        row.save(update_fields=[names[column] for column in old])


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _run(model: type[Model], statement: str, values: Sequence[Any], **names: str) -> list[tuple]:
    table, key = _quoted(model._meta.db_table), _quoted(str(model._meta.pk.column))
    with connection.cursor() as cursor:
        cursor.execute(statement.format(table=table, key=key, **names), values)
        return cursor.fetchall() if cursor.description else []
