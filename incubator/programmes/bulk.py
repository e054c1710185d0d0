"""Participations by the hundred thousand, over what a higher room has staged. See ``trainees.bulk``."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import connection

from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Cohort

# One statement: who takes part already stays as they are and gets no history.
ADMIT = """
WITH written AS (
    INSERT INTO programmes_participation (id, trainee_id, cohort_id, state, nominated_on)
    SELECT id, trainee_id, %(cohort)s, %(admitted)s, %(on)s FROM ({source}) AS person
    ON CONFLICT (trainee_id, cohort_id) DO NOTHING
    RETURNING id
)
INSERT INTO programmes_participationmove (participation_id, before, after, by_id, at, reason)
SELECT id, %(nominated)s, %(admitted)s, %(by)s, now(), '' FROM written
"""
# Guarded by the state, as every move is: the support period runs ``support_days`` from the day of graduation, that day
# included.
GRADUATE = """
WITH moved AS (
    UPDATE programmes_participation participation
    SET state = %(graduated)s, graduated_on = %(on)s, support_starts_on = %(on)s,
        support_ends_on = %(on)s::date + cohort.support_days - 1,
        support_base_ends_on = %(on)s::date + cohort.support_days - 1
    FROM programmes_cohort cohort
    WHERE cohort.id = participation.cohort_id AND participation.state = %(training)s
        AND participation.id IN ({source})
    RETURNING participation.id
)
INSERT INTO programmes_participationmove (participation_id, before, after, by_id, at, reason)
SELECT id, %(training)s, %(graduated)s, %(by)s, now(), '' FROM moved
"""
FORGET_MOVES = "DELETE FROM programmes_participationmove WHERE participation_id IN ({source})"
FORGET = "DELETE FROM programmes_participation WHERE id IN ({source})"


def admit_people(source: str, params: Mapping[str, Any], *, cohort: Cohort, on: date, by: Any) -> int:
    """Nominate on a day, and admit, the people of ``source`` (``id``, a reserved key, and ``trainee_id``).

    Those who take part already stay as they are. Returns how many were written.
    """
    values = {
        **params,
        "cohort": cohort.pk,
        "on": on,
        "by": by.pk,
        "nominated": ParticipationState.NOMINATED.value,
        "admitted": ParticipationState.ADMITTED.value,
    }
    with connection.cursor() as cursor:
        cursor.execute(ADMIT.format(source=source), values)
        return cursor.rowcount


def graduate_people(source: str, params: Mapping[str, Any], *, on: date, by: Any) -> int:
    """Graduate, on a day, the participations in training whose ids ``source`` gives, and open their support periods.

    Called by the graduation decision of the teaching room, which knows whether the rule is met. Returns how many moved.
    """
    values = {
        **params,
        "on": on,
        "by": by.pk,
        "training": ParticipationState.TRAINING.value,
        "graduated": ParticipationState.GRADUATED.value,
    }
    with connection.cursor() as cursor:
        cursor.execute(GRADUATE.format(source=source), values)
        return cursor.rowcount


def remove_participations(source: str, params: Mapping[str, Any]) -> int:
    """Take participations out again, with their history, whose ids ``source`` gives."""
    with connection.cursor() as cursor:
        cursor.execute(FORGET_MOVES.format(source=source), params)
        cursor.execute(FORGET.format(source=source), params)
        return cursor.rowcount
