"""Who meets a rule: found in SQL, for everybody or for those for whom something changed. Nothing here decides.

An evaluation writes candidates and what becomes of them until people have decided: holding the number, to be reviewed,
lapsed where a correction took away what they had, and back. An award is never touched.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction

from incubator.certification.choices import OPEN, CandidateState
from incubator.certification.conditions import followers_in
from incubator.certification.judging import AMONG, JUDGED, WITHOUT_BADGE, Judging, values
from incubator.certification.models import Candidate, Evaluation, Rule
from incubator.certification.services.rules import current_rules
from incubator.metrics.models import LOWEST_THRESHOLD

LOCK = 7_202_602  # advisory lock: one evaluation at a time
MANY = 1_000  # new candidates that are counted for the planner at once: over a table that it knew empty it would loop

# Whoever was decided about by this version is left alone.
UNDECIDED = """
AND NOT EXISTS (
    SELECT FROM certification_candidate decided WHERE decided.participation_id = participation.id
        AND decided.rule_id = %(rule)s AND decided.state IN ('approved', 'refused')
)
"""
FRESH = """
CREATE TEMP TABLE IF NOT EXISTS judged (
    id bigint PRIMARY KEY, is_met boolean, account_id bigint, day date, followers integer, held_on date
) ON COMMIT DELETE ROWS;
TRUNCATE judged
"""
FOUND = """
WITH new AS (
    INSERT INTO certification_candidate (rule_id, participation_id, account_id, crossed_on, followers, held_on,
        found_on, state, remark, question, answer, reason, was_decided_alone)
    SELECT %(rule)s, id, account_id, day, followers, held_on, %(on)s,
        CASE WHEN is_met THEN 'pending' ELSE 'holding' END, '', '', '', '', false
    FROM judged ORDER BY id
    ON CONFLICT (rule_id, participation_id) DO NOTHING
    RETURNING id, state
)
INSERT INTO certification_candidateevent (candidate_id, before, after, at, words)
SELECT id, '', state, now(), '' FROM new
"""
# What is known of open ones, brought up to today. Who was proposed by other figures is looked at again.
MOVED = """
WITH moving AS (
    SELECT candidate.id, candidate.state AS before, judged.account_id, judged.day, judged.followers, judged.held_on,
        CASE
            WHEN NOT judged.is_met THEN 'holding'
            WHEN candidate.state IN ('holding', 'lapsed') THEN 'pending'
            WHEN ROW(candidate.account_id, candidate.crossed_on, candidate.followers)
                IS DISTINCT FROM ROW(judged.account_id, judged.day, judged.followers) THEN 'pending'
            ELSE candidate.state
        END AS after
    FROM certification_candidate candidate JOIN judged ON judged.id = candidate.participation_id
    WHERE candidate.rule_id = %(rule)s AND candidate.state IN ('holding', 'pending', 'asked', 'proposed', 'lapsed')
    FOR UPDATE OF candidate
),
written AS (
    UPDATE certification_candidate candidate
    SET account_id = moving.account_id, crossed_on = moving.day, followers = moving.followers,
        held_on = moving.held_on, state = moving.after, lapsed_at = NULL
    FROM moving
    WHERE candidate.id = moving.id AND ROW(candidate.account_id, candidate.crossed_on, candidate.followers,
        candidate.held_on, candidate.state) IS DISTINCT FROM
        ROW(moving.account_id, moving.day, moving.followers, moving.held_on, moving.after)
    RETURNING candidate.id, moving.before, moving.after
),
told AS (
    INSERT INTO certification_candidateevent (candidate_id, before, after, at, words)
    SELECT id, before, after, now(), '' FROM written WHERE before <> after
)
SELECT count(*) FROM written WHERE before = 'holding' AND after = 'pending'
"""
LAPSED = """
WITH gone AS (
    UPDATE certification_candidate candidate SET state = 'lapsed', lapsed_at = now()
    FROM (
        SELECT id, state FROM certification_candidate open
        WHERE open.rule_id = %(rule)s AND open.state IN ('holding', 'pending', 'asked', 'proposed') {among}
            AND NOT EXISTS (SELECT FROM judged WHERE judged.id = open.participation_id)
        ORDER BY id FOR UPDATE
    ) AS was
    WHERE candidate.id = was.id
    RETURNING candidate.id, was.state AS before
)
INSERT INTO certification_candidateevent (candidate_id, before, after, at, words)
SELECT id, before, 'lapsed', now(), '' FROM gone
"""
# People one of whose accounts has a rule's number in readings of some days, and who are no candidates of it yet. Who
# ever had the number is known of each account: only readings of those who are left are looked for, each by its key.
CROSSED = """
WITH had AS MATERIALIZED (
    SELECT participation.id, latest.account_id, asked.least
    FROM metrics_latestreading latest
    JOIN unnest(%(rules)s::bigint[], %(badges)s::bigint[], %(least)s::integer[]) AS asked (rule, badge, least)
        ON latest.peak >= asked.least
    JOIN metrics_creatoraccount account ON account.id = latest.account_id
    JOIN programmes_participation participation ON participation.trainee_id = account.trainee_id
    WHERE latest.peak >= %(fewest)s AND participation.state = ANY(%(judged)s)
        AND NOT EXISTS (
            SELECT FROM certification_candidate candidate
            WHERE candidate.participation_id = participation.id AND candidate.rule_id = asked.rule
        )
        AND NOT EXISTS (
            SELECT FROM certification_award award WHERE award.trainee_id = participation.trainee_id
                AND award.badge_id = asked.badge AND award.withdrawn_at IS NULL
        )
)
SELECT DISTINCT had.id
FROM had CROSS JOIN LATERAL (
    SELECT FROM metrics_reading reading
    WHERE reading.account_id = had.account_id AND reading.day = ANY(%(days)s::date[])
        AND reading.followers >= %(lowest)s AND reading.followers >= had.least
    LIMIT 1
) AS reading
"""


def evaluate(*, on: date) -> int:
    """Evaluate everybody by the rules that decide on a day, with readings up to it; returns the new candidates.

    Of a past day it only adds: nobody lapses for what was not known then.
    """
    return _evaluate(on, among=None).found


def evaluate_changes(*, on: date) -> Evaluation:
    """The same for those only for whom something changed: readings since the last evaluation that have a rule's number,
    candidates on their way, and whoever was noted to be looked at again.
    """
    return _evaluate(on, among=())


@transaction.atomic
def _evaluate(on: date, *, among: Iterable[int] | None) -> Evaluation:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        last = Evaluation.objects.order_by("-day").first()
        is_past = last is not None and on < last.day
        rules = _rules_with_people(on)
        noted, days = ([], []) if is_past else _take_noted(cursor)
        ids = None if among is None else _changed(cursor, rules, on, last, noted, days)
        done = Evaluation(day=on, is_complete=ids is None, looked_at=None if ids is None else len(ids))
        for rule, is_current in rules:
            _evaluate_rule(cursor, rule, on, done, ids=ids, is_current=is_current, may_lapse=not is_past)
    done.save()
    return done


def _rules_with_people(on: date) -> list[tuple[Rule, bool]]:
    """The rules that decide on a day, and older versions by which people are candidates still: those have met them."""
    rules = [(rule, True) for rule in current_rules(on)]
    current = [rule.pk for rule, _is_current in rules]
    older = Rule.objects.filter(candidates__state__in=(*OPEN, CandidateState.LAPSED)).exclude(pk__in=current)
    return rules + [(rule, False) for rule in older.distinct().select_related("badge").order_by("pk")]


def _take_noted(cursor: Any) -> tuple[list[int], list[date]]:
    """Whom and which days to look at again; the notes are gone, unless this evaluation does not come to its end."""
    cursor.execute("DELETE FROM certification_recheck RETURNING participation_id")
    people = [pk for (pk,) in cursor.fetchall()]
    cursor.execute("DELETE FROM certification_recheckday RETURNING day")
    return people, [day for (day,) in cursor.fetchall()]


def _changed(
    cursor: Any,
    rules: list[tuple[Rule, bool]],
    on: date,
    last: Evaluation | None,
    noted: list[int],
    days: list[date],
) -> list[int]:
    on_their_way = Candidate.objects.filter(state__in=(CandidateState.HOLDING, CandidateState.LAPSED))
    ids = {*noted, *on_their_way.values_list("participation_id", flat=True)}
    asked = [
        (rule.pk, rule.badge_id, asked.least)
        for rule, is_current in rules
        if is_current
        for asked in followers_in(rule.conditions)
    ]
    if asked:
        columns = dict(zip(("rules", "badges", "least"), map(list, zip(*asked, strict=True)), strict=True))
        # A day back: readings of the day before may have been on their way when it was evaluated.
        since = min(last.day, on) - timedelta(days=1) if last else on
        lately = {since + timedelta(days=n) for n in range((on - since).days + 1)}
        told = {"fewest": min(columns["least"]), "lowest": LOWEST_THRESHOLD, "judged": list(JUDGED)}
        cursor.execute(CROSSED, columns | told | {"days": sorted(lately.union(days))})
        ids |= {pk for (pk,) in cursor.fetchall()}
    return sorted(ids)


def _evaluate_rule(
    cursor: Any, rule: Rule, on: date, done: Evaluation, *, ids: list[int] | None, is_current: bool, may_lapse: bool
) -> None:
    scope: dict[str, Any] = {"badge": rule.badge_id, "rule": rule.pk}
    if not is_current:  # nobody becomes a candidate of an older version any more
        own = Candidate.objects.filter(rule=rule).values_list("participation_id", flat=True)
        ids = sorted(own if ids is None else own.filter(participation__in=ids))
    if ids is not None:
        scope["among"] = ids
    judging = Judging(rule.conditions, scope=WITHOUT_BADGE + UNDECIDED + (AMONG if ids is not None else ""))
    cursor.execute(FRESH)
    cursor.execute(f"INSERT INTO judged {judging.sql}", values(judging, on=on, **scope))
    cursor.execute("ANALYZE judged")
    own_scope = scope | {"on": on}
    if is_current:
        cursor.execute(FOUND, own_scope)
        done.found += cursor.rowcount
        if cursor.rowcount > MANY:
            cursor.execute("ANALYZE certification_candidate")
    if may_lapse:
        cursor.execute(MOVED, own_scope)
        done.ripened += cursor.fetchone()[0]
        among = "" if ids is None else "AND open.participation_id = ANY(%(among)s)"
        cursor.execute(LAPSED.format(among=among), own_scope)
        done.lapsed += cursor.rowcount
