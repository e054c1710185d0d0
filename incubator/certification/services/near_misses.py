"""Who narrowly missed a number when their period ended: found for a person to look at, never a way to a badge itself.

A period is looked at for ``LOOKED_AT`` days after its end. In its last week,

- ``close``: the best reading was ``CLOSE_PERCENT`` per cent of the number or more, and below it;
- ``unread``: a day was not read, and either the first reading within ``AFTER`` days afterwards had the number, or the
  last one before the end was ``BEFORE_PERCENT`` per cent of it or more. Somebody may still have the figure.

All else that the rule asks for must be met; a question about the followers that is still open is not held against them.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.certification.choices import ConditionKind, Window
from incubator.certification.conditions import Followers, Tree
from incubator.certification.judging import WINDOWS, Judging, values
from incubator.certification.models import NearMiss, Rule
from incubator.certification.services.rules import current_rules
from incubator.common.errors import RuleBroken, Stale
from incubator.metrics.models import LOWEST_THRESHOLD

LOOKED_AT = 60  # days after the end
LAST_WEEK = 7
AFTER = 14  # days after the end within which a first reading counts
BEFORE = 30  # days of the period, counted from its end, in which the last reading before is looked for
CLOSE_PERCENT = 99
BEFORE_PERCENT = 97

ENDED = "AND {ends} BETWEEN %(on)s::date - %(looked_at)s AND %(on)s::date - 1"
# Everybody whose period ended lately and whom nobody decided about, by their accounts that were near the number at all:
# one range of the index over readings each.
FOUND = """
{parts},
near AS MATERIALIZED (
    SELECT person.id, account.id AS account_id, {starts} AS starts_on, {ends} AS ends_on
    FROM {source}
    JOIN metrics_creatoraccount account ON account.trainee_id = person.trainee_id
    WHERE NOT {is_met} AND {others} AND {ends} < %(on)s
        AND EXISTS (
            SELECT FROM metrics_reading reading
            WHERE reading.account_id = account.id {indexed} AND reading.followers * 100::bigint >= %(floor)s
                AND reading.day BETWEEN {ends} - %(before)s + 1 AND least({ends} + %(after)s, %(on)s)
        )
        AND NOT EXISTS (
            SELECT FROM certification_candidate candidate WHERE candidate.participation_id = person.id
                AND candidate.rule_id = %(rule)s AND candidate.state <> 'lapsed'
        )
        AND NOT EXISTS (
            SELECT FROM certification_award award WHERE award.trainee_id = person.trainee_id
                AND award.badge_id = %(badge)s AND award.withdrawn_at IS NULL
        )
),
figures AS (
    SELECT near.id, near.account_id, near.starts_on, near.ends_on, week.days, week.best AS week_best,
        best.day AS best_day, best.followers AS best, before.followers AS before,
        after.day AS after_day, after.followers AS after
    FROM near
    CROSS JOIN LATERAL (
        SELECT count(*) AS days, max(reading.followers) AS best
        FROM generate_series(
            greatest(near.starts_on, near.ends_on - %(last_week)s + 1), near.ends_on, interval '1 day'
        ) AS each (day)
        JOIN metrics_reading reading ON reading.day = each.day::date AND reading.account_id = near.account_id
    ) AS week
    CROSS JOIN LATERAL (
        SELECT reading.day, reading.followers
        FROM generate_series(
            greatest(near.starts_on, near.ends_on - %(before)s + 1), near.ends_on, interval '1 day'
        ) AS each (day)
        JOIN metrics_reading reading ON reading.day = each.day::date AND reading.account_id = near.account_id
        ORDER BY reading.followers DESC, reading.day DESC LIMIT 1
    ) AS best
    CROSS JOIN LATERAL (
        SELECT reading.followers
        FROM generate_series(
            greatest(near.starts_on, near.ends_on - %(before)s + 1), near.ends_on, interval '1 day'
        ) AS each (day)
        JOIN metrics_reading reading ON reading.day = each.day::date AND reading.account_id = near.account_id
        ORDER BY reading.day DESC LIMIT 1
    ) AS before
    LEFT JOIN LATERAL (
        SELECT reading.day, reading.followers
        FROM generate_series(
            near.ends_on + 1, least(near.ends_on + %(after)s, %(on)s::date), interval '1 day'
        ) AS each (day)
        JOIN metrics_reading reading ON reading.day = each.day::date AND reading.account_id = near.account_id
        ORDER BY reading.day LIMIT 1
    ) AS after ON true
),
judged AS (
    SELECT *,
        days < least(%(last_week)s, ends_on - starts_on + 1)
            AND (after >= %(least)s OR before * 100::bigint >= %(least)s * {before_percent}::bigint) AS is_unread,
        week_best < %(least)s AND week_best * 100::bigint >= %(least)s * {close_percent}::bigint AS is_close
    FROM figures WHERE best < %(least)s
)
INSERT INTO certification_nearmiss (rule_id, participation_id, kind, account_id, ended_on, best_day, best, after_day,
    after, found_on, closing)
SELECT DISTINCT ON (id) %(rule)s, id, CASE WHEN is_unread THEN 'unread' ELSE 'close' END, account_id, ends_on, best_day,
    best, after_day, after, %(on)s, ''
FROM judged WHERE is_unread OR is_close
ORDER BY id, is_unread DESC, greatest(best, after) DESC, account_id
ON CONFLICT (rule_id, participation_id) DO UPDATE
    SET kind = excluded.kind, account_id = excluded.account_id, best_day = excluded.best_day, best = excluded.best,
        after_day = excluded.after_day, after = excluded.after
    WHERE certification_nearmiss.closed_at IS NULL AND certification_nearmiss.ended_on = excluded.ended_on
        AND ROW(certification_nearmiss.kind, certification_nearmiss.best, certification_nearmiss.after_day)
            IS DISTINCT FROM ROW(excluded.kind, excluded.best, excluded.after_day)
RETURNING xmax = 0 AS is_new
"""
CLOSED = """
UPDATE certification_nearmiss miss SET closed_at = now(), closing = %(words)s
WHERE miss.closed_at IS NULL AND EXISTS (
    SELECT FROM certification_candidate candidate JOIN certification_rule own ON own.id = candidate.rule_id
    JOIN certification_rule missed ON missed.id = miss.rule_id
    WHERE candidate.participation_id = miss.participation_id AND own.badge_id = missed.badge_id
        AND candidate.state <> 'lapsed'
)
"""


@transaction.atomic
def find_near_misses(*, on: date) -> int:
    """Note who narrowly missed a number of the rules that decide on a day; returns how many are new.

    Open ones learn of the first reading afterwards, and those who became candidates meanwhile are closed. Done twice it
    changes nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(CLOSED, {"words": _("Became a candidate of the badge.")})
        found = 0
        for rule in current_rules(on):
            for sql, given in _statements(rule, on):
                cursor.execute(sql, given)
                found += sum(is_new for (is_new,) in cursor.fetchall())
    return found


def close_near_miss(miss: NearMiss, *, by: Any, finding: str) -> NearMiss:
    """Say what was found; the near miss needs nobody's look any more."""
    if not finding.strip():
        raise RuleBroken(_("Say what was found."))
    changes = {"closed_at": timezone.now(), "closed_by": by, "closing": finding.strip()}
    if not NearMiss.objects.open().filter(pk=miss.pk).update(**changes):
        raise Stale(_("Somebody has closed this already."))
    miss.refresh_from_db()
    return miss


def _statements(rule: Rule, on: date) -> Iterator[tuple[str, dict[str, Any]]]:
    """One statement for each number that the rule asks for within a period that ends."""
    for asked in Judging(rule.conditions).asked:
        if asked.when != Window.EVER:
            yield _statement(rule, asked, on)


def _statement(rule: Rule, asked: Followers, on: date) -> tuple[str, dict[str, Any]]:
    starts, ends = WINDOWS[asked.when]
    own_ends = ends.replace("person.cohort_ends_on", "cohort.ends_on").replace("person.", "participation.")
    judging = Judging(rule.conditions, scope=ENDED.format(ends=own_ends))
    floor = asked.least * BEFORE_PERCENT
    sql = FOUND.format(
        parts=judging.parts(everybody=True),
        source=judging.source(),
        is_met=judging.is_met,
        others=_others(judging, rule.conditions),
        starts=starts,
        ends=ends,
        # Below it the index has nothing.
        indexed="AND reading.followers >= %(lowest)s" if floor >= LOWEST_THRESHOLD * 100 else "",
        before_percent=BEFORE_PERCENT,
        close_percent=CLOSE_PERCENT,
    )
    days = {"looked_at": LOOKED_AT, "last_week": LAST_WEEK, "after": AFTER, "before": BEFORE}
    own = {"rule": rule.pk, "badge": rule.badge_id, "least": asked.least, "floor": floor}
    return sql, values(judging, on=on, **days, **own)


def _others(judging: Judging, node: Tree) -> str:
    """The rule as an expression in which every number is met, and every question about followers is answered."""
    if "kind" in node:
        is_given = node["kind"] in (ConditionKind.FOLLOWERS, ConditionKind.NO_OPEN_FLAG)
        return "true" if is_given else judging.leaf(node)
    word, some = (" AND ", node["all"]) if "all" in node else (" OR ", node["any"])
    return "(" + word.join(_others(judging, child) for child in some) + ")"
