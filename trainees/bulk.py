"""People by the hundred thousand: statements over what a higher room has staged, without Python for each row.

A ``source`` is a query of ours (never of a user) whose columns are named as those of ``COLUMNS``; its parameters are
handed on. ID number and phone are ciphertext that is bound to ``id``, a key reserved beforehand, so that
what was sealed once is written as it is. These are services: like ``services`` they are the only writers.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

PEOPLE = "trainees_trainee"
# What a person is, but for the number we give.
COLUMNS = (
    "id", "name", "initials", "sex", "born_on", "county_id", "township", "background", "education",
    "id_number", "id_number_index", "phone", "phone_index",
)  # fmt: skip
# What may be put right later; the county is not among them: figures by county hang on it.
CHANGING = tuple(column for column in COLUMNS if column not in ("id", "county_id"))

Params = Mapping[str, Any]


def fingerprint(row: str) -> str:
    """An expression: 16 bytes that change when anything changes of a person who stands in ``row`` (an alias).

    Of ID number and phone the indexes are looked at; ciphertext differs each time.
    """
    seen = ("name", "sex", "born_on", "county_id", "township", "background", "education", "id_number_index",
            "phone_index")  # fmt: skip
    # As texts, so that a column staged with another length is no difference.
    parts = ", ".join(f"{row}.{column}::text" for column in seen)
    return f"md5(row({parts})::text)::uuid"


def enter_people(source: str, params: Params, *, year: int) -> int:
    """Enter the people of ``source`` in its order, numbered ``T<year>-<7 digits>``; returns how many.

    Raises ``django.db.IntegrityError`` when one of them is a trainee already (``one_trainee_per_person``).
    """
    columns = ", ".join(COLUMNS)
    return _run(
        f"""
        INSERT INTO {PEOPLE} ({columns}, number, created_at)
        SELECT {columns}, %(number_prefix)s || lpad(nextval('trainees_trainee_number')::text, 7, '0'), now()
        FROM ({source}) AS person
        """,  # noqa: S608 - both are ours
        {**params, "number_prefix": f"T{year}-"},
    )


def change_people(source: str, params: Params) -> int:
    """Write into people, by ``id``, what ``source`` says of them; where it says NULL, nothing is changed."""
    changes = ", ".join(f"{column} = coalesce(said.{column}, person.{column})" for column in CHANGING)
    return _run(
        f"UPDATE {PEOPLE} AS person SET {changes} FROM ({source}) AS said WHERE said.id = person.id",  # noqa: S608
        params,
    )


def put_back_people(people: Sequence[Mapping[str, Any]]) -> int:
    """Write columns of ``CHANGING`` into people, NULL too: of each ``id`` and those that are to be put back."""
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for person in people:
        groups.setdefault(tuple(sorted(set(person) - {"id"})), []).append(person)
    with connection.cursor() as cursor:
        for columns, group in groups.items():
            if strange := set(columns) - set(CHANGING):
                raise ValueError(f"not to be changed: {strange}")
            changes = ", ".join(f"{column} = %({column})s" for column in columns)
            cursor.executemany(f"UPDATE {PEOPLE} SET {changes} WHERE id = %(id)s", group)  # noqa: S608
    return len(people)


def lock_people_of(source: str, params: Params) -> None:
    """Nobody else changes or merges the people whose ids ``source`` gives before this transaction ends.

    In the order of their keys, so that two who do this at once wait for each other instead of forever.
    """
    _run(f"SELECT id FROM {PEOPLE} WHERE id IN ({source}) ORDER BY id FOR NO KEY UPDATE", params)  # noqa: S608


def remove_people(source: str, params: Params) -> int:
    """Take people out again whose ids ``source`` gives. What hangs on them is gone, or the database refuses."""
    return _run(f"DELETE FROM {PEOPLE} WHERE id IN ({source})", params)  # noqa: S608


def _run(statement: str, params: Params) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.rowcount
