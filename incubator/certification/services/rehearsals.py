"""A draft run on the real data of a day before it decides: who gains and who loses, counted by county and by name.

It writes the rehearsal and nothing else: no candidate, no award. Both versions are judged for everybody, whoever holds
the badge already included, so that the figures say what the rule says and not who happened to be decided about.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.certification.conditions import checked
from incubator.certification.judging import Judging, values
from incubator.certification.models import Rehearsal, Rule
from incubator.certification.services.rules import present_version
from incubator.common.errors import RuleBroken
from incubator.jobs.models import Job
from incubator.jobs.services import ask_for_job

KIND = "rehearse_rule"
STEPS = 3  # the draft judged, the present version judged, both compared
NAMED = 2_000  # people kept by name of those who gain, and as many of those who lose

TABLES = """
CREATE TEMP TABLE IF NOT EXISTS rehearsed (
    id bigint PRIMARY KEY, is_met boolean, was_met boolean NOT NULL DEFAULT false
) ON COMMIT DELETE ROWS;
TRUNCATE rehearsed
"""
DRAFT = "INSERT INTO rehearsed (id, is_met) SELECT id, true FROM ({sql}) AS who"
PRESENT = """
INSERT INTO rehearsed (id, is_met, was_met) SELECT id, false, true FROM ({sql}) AS who
ON CONFLICT (id) DO UPDATE SET was_met = true
"""
COUNTIES = """
INSERT INTO certification_rehearsalcounty (rehearsal_id, county_id, meets, met, gains, loses)
SELECT %(rehearsal)s, trainee.county_id, count(*) FILTER (WHERE is_met), count(*) FILTER (WHERE was_met),
    count(*) FILTER (WHERE is_met AND NOT was_met), count(*) FILTER (WHERE was_met AND NOT is_met)
FROM rehearsed
JOIN programmes_participation participation ON participation.id = rehearsed.id
JOIN trainees_trainee trainee ON trainee.id = participation.trainee_id
GROUP BY trainee.county_id ORDER BY trainee.county_id
"""
TOTALS = """
SELECT count(*) FILTER (WHERE is_met), count(*) FILTER (WHERE was_met),
    count(*) FILTER (WHERE is_met AND NOT was_met), count(*) FILTER (WHERE was_met AND NOT is_met)
FROM rehearsed
"""
PEOPLE = """
INSERT INTO certification_rehearsalperson (rehearsal_id, participation_id, gains)
(SELECT %(rehearsal)s, id, true FROM rehearsed WHERE is_met AND NOT was_met ORDER BY id LIMIT %(named)s)
UNION ALL
(SELECT %(rehearsal)s, id, false FROM rehearsed WHERE was_met AND NOT is_met ORDER BY id LIMIT %(named)s)
"""


def ask_for_rehearsal(rule: Rule, *, by: Any) -> Job:
    """Rehearse a draft in the background, with today's readings; the live job of the draft if there is one."""
    _must_be_draft(rule)
    checked(rule.conditions)
    title = _("Rehearsal of %(rule)s") % {"rule": rule}
    day = timezone.localdate().isoformat()
    return ask_for_job(KIND, key=f"{rule.pk}", by=by, title=title, total=STEPS, rule=rule.pk, day=day)


@transaction.atomic
def rehearse(rule: Rule, *, on: date, by: Any, step: Callable[[int], Any] = lambda done: None) -> Rehearsal:
    """Judge everybody by the draft and by the version that decides on a day, and save the comparison.

    ``step`` is told after each of the ``STEPS``. Raises ``RuleBroken`` for a published version and for conditions that
    cannot be understood. Where no version of the badge decides, whoever meets the draft gains.
    """
    rule = Rule.objects.select_related("badge").get(pk=rule.pk)
    _must_be_draft(rule)
    conditions = checked(rule.conditions)
    against = present_version(rule, on=on)
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        _judge(cursor, DRAFT, conditions, on)
        step(1)
        if against is not None:
            _judge(cursor, PRESENT, against.conditions, on)
        step(2)
        cursor.execute(TOTALS)
        meets, met, gains, loses = cursor.fetchone()
        figures = {"meets": meets, "met": met, "gains": gains, "loses": loses}
        done = Rehearsal.objects.create(rule=rule, against=against, conditions=conditions, day=on, by=by, **figures)
        own = {"rehearsal": done.pk, "named": NAMED}
        cursor.execute(COUNTIES, own)
        cursor.execute(PEOPLE, own)
    step(STEPS)
    return done


def _judge(cursor: Any, statement: str, conditions: Any, on: date) -> None:
    judging = Judging(conditions)
    cursor.execute(statement.format(sql=judging.who_meets), values(judging, on=on))


def _must_be_draft(rule: Rule) -> None:
    if rule.published_at is not None:
        raise RuleBroken(_("This version is published already. Make a new version instead."))
