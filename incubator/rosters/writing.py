"""Writing a checked roster: statements that copy staged rows to people, participations and accounts.

No row passes through Python: what is written was prepared when the roster was checked, ciphertext included.
"""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from django.db import connection

from incubator.metrics.choices import Platform
from incubator.metrics.services import register_accounts_of
from incubator.programmes.bulk import admit_people
from incubator.rosters.models import RosterImport
from trainees.bulk import change_people, enter_people, lock_people_of
from trainees.choices import ChangeKind
from trainees.history import origin_of

SLICE = 20_000  # rows between two words about how far it is
APPLYING = 7_405_001  # the lock under which rosters are written and undone, one after the other

NEW = """
SELECT sealed_for AS id, name, initials, sex, born_on, county_id, township,
    coalesce(nullif(background, ''), 'other') AS background, education, id_number, id_number_index, phone, phone_index
FROM rosters_rosterrow
WHERE roster_id = %(roster)s AND status = 'new' AND number BETWEEN %(first)s AND %(last)s ORDER BY number
"""
KNOWN = "SELECT trainee_id FROM rosters_rosterrow WHERE roster_id = %(roster)s AND status = 'matched'"
WRITTEN = "SELECT trainee_id FROM rosters_rosterrow WHERE roster_id = %(roster)s AND status IN ('new', 'matched')"
CHANGED = """
SELECT trainee_id AS id,
    CASE WHEN 'name' = ANY(changes) THEN name END AS name,
    CASE WHEN 'name' = ANY(changes) THEN initials END AS initials,
    CASE WHEN 'sex' = ANY(changes) THEN sex END AS sex,
    CASE WHEN 'born_on' = ANY(changes) THEN born_on END AS born_on,
    CASE WHEN 'township' = ANY(changes) THEN township END AS township,
    CASE WHEN 'background' = ANY(changes) THEN background END AS background,
    CASE WHEN 'education' = ANY(changes) THEN education END AS education,
    id_number_anew AS id_number, CASE WHEN 'id_number' = ANY(changes) THEN id_number_index END AS id_number_index,
    phone_anew AS phone, CASE WHEN 'phone' = ANY(changes) THEN phone_index END AS phone_index
FROM rosters_rosterrow
WHERE roster_id = %(roster)s AND status = 'matched' AND changes <> '{}' AND number BETWEEN %(first)s AND %(last)s
"""
# What is changed about whom, as ``trainees.history`` asks for it; before it is changed.
NOTE_CHANGES = """
INSERT INTO trainees_traineechange (trainee_id, kind, fields, by_id, why, origin)
SELECT row.trainee_id, %(kind)s, jsonb_strip_nulls(jsonb_build_object(
    'name', CASE WHEN 'name' = ANY(changes) THEN jsonb_build_array(person.name, row.name) END,
    'sex', CASE WHEN 'sex' = ANY(changes) THEN jsonb_build_array(person.sex, row.sex) END,
    'born_on', CASE WHEN 'born_on' = ANY(changes) THEN jsonb_build_array('', '') END,
    'township', CASE WHEN 'township' = ANY(changes) THEN jsonb_build_array(person.township, row.township) END,
    'background', CASE WHEN 'background' = ANY(changes) THEN jsonb_build_array(person.background, row.background) END,
    'education', CASE WHEN 'education' = ANY(changes) THEN jsonb_build_array(person.education, row.education) END,
    'id_number', CASE WHEN 'id_number' = ANY(changes) THEN jsonb_build_array('', '') END,
    'phone', CASE WHEN 'phone' = ANY(changes) THEN jsonb_build_array('', '') END
)), %(by)s, '', %(origin)s
FROM rosters_rosterrow row JOIN trainees_trainee person ON person.id = row.trainee_id
WHERE row.roster_id = %(roster)s AND row.status = 'matched' AND changes <> '{}'
    AND row.number BETWEEN %(first)s AND %(last)s
ORDER BY row.number
"""
TAKING_PART = """
SELECT participation_key AS id, trainee_id FROM rosters_rosterrow
WHERE roster_id = %(roster)s AND status IN ('new', 'matched') AND number BETWEEN %(first)s AND %(last)s ORDER BY number
"""
ACCOUNTS = """
SELECT account_key AS id, trainee_id, %(platform)s AS platform, handle FROM rosters_rosterrow
WHERE roster_id = %(roster)s AND status IN ('new', 'matched') AND handle <> ''
    AND number BETWEEN %(first)s AND %(last)s ORDER BY number
"""
SLICES = """
SELECT min(number), max(number), count(*) FROM (
    SELECT number, (row_number() OVER (ORDER BY number) - 1) / %(slice)s AS slice
    FROM rosters_rosterrow WHERE roster_id = %(roster)s AND status IN ('new', 'matched')
) AS row GROUP BY slice ORDER BY slice
"""

Tell = Callable[[int, int], None]


def one_after_the_other() -> None:
    """Nobody else writes or undoes a roster before this transaction ends: overlapping ones neither write a person twice
    nor wait for each other forever."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [APPLYING])


def lock_known(roster: RosterImport) -> None:
    """The people of the roster who are known stay what they are, but for what is written next."""
    lock_people_of(KNOWN, {"roster": roster.pk})


def lock_written(roster: RosterImport) -> None:
    """The same of everybody the roster wrote."""
    lock_people_of(WRITTEN, {"roster": roster.pk})


def write_rows(roster: RosterImport, *, by: Any, on: date, tell: Tell) -> None:
    """Write the good rows, nominated and admitted on that day; ``tell`` hears how many are done.

    Foreign keys are looked up with each slice, while its rows are at hand, and not all of them at the end.
    """
    done = 0
    _look_up_keys("IMMEDIATE")
    noted: dict[str, Any] = {"kind": ChangeKind.IMPORTED.value, "by": by.pk, "origin": origin_of(roster)}
    for first, last, count in _slices(roster):
        params: dict[str, Any] = {
            "roster": roster.pk,
            "first": first,
            "last": last,
            "platform": Platform.KUAISHOU.value,
        }
        enter_people(NEW, params, year=on.year)
        with connection.cursor() as cursor:
            cursor.execute(NOTE_CHANGES, params | noted)
        change_people(CHANGED, params)
        admit_people(TAKING_PART, params, cohort=roster.cohort, on=on, by=by)
        register_accounts_of(ACCOUNTS, params)
        done += count
        tell(done, roster.good_count)
    _look_up_keys("DEFERRED")


def _look_up_keys(when: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET CONSTRAINTS ALL {when}")


def _slices(roster: RosterImport) -> Iterator[tuple[int, int, int]]:
    """First number, last number and count of the rows that are written together."""
    with connection.cursor() as cursor:
        cursor.execute(SLICES, {"roster": roster.pk, "slice": SLICE})
        return iter(cursor.fetchall())
