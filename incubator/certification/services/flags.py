"""Doubts about followers: raised from readings or reported by people, and cleared by a person who says why.

A flag is raised once for an account, a kind and a day: cleared, it does not come back for the same day.
"""

from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.certification.choices import OPEN, FlagKind
from incubator.certification.conditions import followers_in
from incubator.certification.judging import JUDGED
from incubator.certification.models import Flag, Rule
from incubator.common.errors import RuleBroken, Stale
from incubator.metrics.models import CreatorAccount, Spike
from incubator.metrics.queries import with_traffic
from incubator.programmes.models import Participation

INFLATION = """
INSERT INTO certification_flag (account_id, kind, day, change, note, raised_at, clearance)
SELECT leap.account_id, %s, leap.day, leap.gained, '', now(), '' FROM ({leaps}) AS leap
ORDER BY leap.account_id, leap.day
ON CONFLICT (account_id, kind, day) DO NOTHING
"""
# The first fall below the number that nobody has been asked about yet: not while a question about an earlier fall is
# open, and of those that came after the last such question was cleared. The reading of the crossing is the first of
# ``since``; days are looked up one by one, because months that are open have no index by account.
REGRESSION = """
WITH asked AS (SELECT * FROM unnest(%(rules)s::bigint[], %(least)s::integer[]) AS asked (rule, least)),
reached AS (
    SELECT candidate.account_id, candidate.crossed_on, max(asked.least) AS least
    FROM certification_candidate candidate
    JOIN asked ON asked.rule = candidate.rule_id AND asked.least <= candidate.followers
    WHERE candidate.state = ANY(%(open)s) AND candidate.crossed_on IS NOT NULL
        AND NOT EXISTS (
            SELECT FROM certification_flag flag
            WHERE flag.account_id = candidate.account_id AND flag.kind = %(kind)s AND flag.cleared_at IS NULL
        )
    GROUP BY candidate.account_id, candidate.crossed_on
),
fall AS (
    SELECT DISTINCT ON (reached.account_id) reached.account_id, since.day, since.followers - since.before AS change
    FROM reached CROSS JOIN LATERAL (
        SELECT reading.day, reading.followers, lag(reading.followers) OVER (ORDER BY reading.day) AS before
        FROM generate_series(0, %(on)s - reached.crossed_on) AS n
        JOIN metrics_reading reading
            ON reading.day = reached.crossed_on + n AND reading.account_id = reached.account_id
    ) AS since
    WHERE since.followers < reached.least AND since.before >= reached.least AND since.day > coalesce((
        SELECT max((flag.cleared_at AT TIME ZONE %(zone)s)::date) FROM certification_flag flag
        WHERE flag.account_id = reached.account_id AND flag.kind = %(kind)s
    ), '-infinity')
    ORDER BY reached.account_id, since.day
)
INSERT INTO certification_flag (account_id, kind, day, change, note, raised_at, clearance)
SELECT account_id, %(kind)s, day, change, '', now(), '' FROM fall ORDER BY account_id
ON CONFLICT (account_id, kind, day) DO NOTHING
"""


@transaction.atomic
def raise_flags(*, on: date) -> int:
    """Ask about what readings up to a day show; returns how many questions are new. Safe to run twice."""
    with connection.cursor() as cursor:
        leaps, parameters = _unexplained_leaps(on).query.sql_with_params()
        cursor.execute(INFLATION.format(leaps=leaps), [FlagKind.INFLATION, *parameters])
        raised = cursor.rowcount
        asked = [(rule.pk, one.least) for rule in _rules_with_open_people() for one in followers_in(rule.conditions)]
        parameters = {
            "rules": [rule for rule, _least in asked],
            "least": [least for _rule, least in asked],
            "open": list(OPEN),
            "kind": FlagKind.REGRESSION,
            "on": on,
            "zone": timezone.get_default_timezone_name(),
        }
        cursor.execute(REGRESSION, parameters)
        return raised + cursor.rowcount


def _unexplained_leaps(on: date) -> Any:
    """Leaps that no traffic grant explains, of people who are judged, from their cohort's first day to the end of
    their support period (of the cohort, where none has begun).
    """
    judged = Participation.objects.filter(trainee=OuterRef("account__trainee"), state__in=JUDGED)
    ends_on = Coalesce(F("support_ends_on"), F("cohort__ends_on"))
    within = judged.alias(ends_on=ends_on).filter(cohort__starts_on__lte=OuterRef("day"), ends_on__gte=OuterRef("day"))
    leaps: Any = with_traffic(Spike.objects.filter(Exists(within), day__lte=on))
    return leaps.filter(ran_traffic=False).order_by().values("account_id", "day", "gained")


def _rules_with_open_people() -> Any:
    return Rule.objects.filter(candidates__state__in=OPEN).distinct()


@transaction.atomic
def report_flag(account: CreatorAccount, *, day: date, note: str, by: Any) -> Flag:
    """A person doubts the followers of a day and says what they saw. The same day can be reported once."""
    if not note.strip():
        raise RuleBroken(_("Say what you saw."))
    if day > timezone.localdate():
        raise RuleBroken(_("This day is still to come."))
    known = {"account": account, "kind": FlagKind.REPORTED, "day": day}
    flag, is_new = Flag.objects.get_or_create(**known, defaults={"note": note.strip(), "raised_by": by})
    if not is_new:
        raise RuleBroken(_("Somebody has reported this account for this day already. Look at that question."))
    return flag


@transaction.atomic
def clear_flag(flag: Flag, *, by: Any, reason: str) -> Flag:
    """The followers are believed, and why. Who is waiting because of the question goes on with the next evaluation."""
    if not reason.strip():
        raise RuleBroken(_("Say why the followers are believed."))
    cleared = {"cleared_at": timezone.now(), "cleared_by": by, "clearance": reason.strip()}
    if not Flag.objects.open().filter(pk=flag.pk).update(**cleared):
        raise Stale(_("This question is answered already."))
    flag.refresh_from_db()
    return flag
