"""The only writers of candidates and awards."""

from datetime import date
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from courses.queries import live_graduation
from incubator.certification.choices import CandidateState
from incubator.certification.models import Award, Candidate, Rule
from incubator.certification.queries import leaps_of, unexplained_leaps
from incubator.common.errors import RuleBroken, Stale
from incubator.metrics.models import LOWEST_THRESHOLD, Reading
from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Participation

# For every graduate the first day of the support period on which an account of theirs had the rule's number.
# Whoever is a candidate of this version already, or holds the badge, is left alone.
FIND_CANDIDATES = """
INSERT INTO certification_candidate
    (rule_id, participation_id, account_id, crossed_on, followers, found_on, state, reason)
SELECT DISTINCT ON (participation.id)
    rule.id, participation.id, account.id, reading.day, reading.followers, %(day)s, 'pending', ''
FROM certification_rule rule
CROSS JOIN programmes_participation participation
JOIN metrics_creatoraccount account ON account.trainee_id = participation.trainee_id
JOIN metrics_reading reading
    ON reading.account_id = account.id
    AND reading.day BETWEEN participation.support_starts_on AND least(participation.support_ends_on, %(day)s)
    AND reading.followers >= %(lowest)s
    AND reading.followers >= rule.followers + rule.is_strict::int
WHERE rule.id = %(rule)s
    AND participation.state IN (%(graduated)s, %(concluded)s)
    AND NOT EXISTS (
        SELECT FROM certification_award award
        WHERE award.trainee_id = participation.trainee_id
            AND award.badge_id = rule.badge_id AND award.withdrawn_at IS NULL
    )
ORDER BY participation.id, reading.day, reading.followers DESC
ON CONFLICT (rule_id, participation_id) DO NOTHING
"""


@transaction.atomic
def publish_rule(rule: Rule, *, by: Any) -> Rule:
    """From now on this version decides; it can no longer be changed."""
    if not Rule.objects.filter(pk=rule.pk, published_at=None).update(published_at=timezone.now()):
        raise RuleBroken(_("This version is published already. Make a new version instead."))
    rule.refresh_from_db()
    return rule


def current_rules() -> list[Rule]:
    """The newest published version of each badge."""
    rules = Rule.objects.exclude(published_at=None).select_related("badge")
    return list(rules.order_by("badge_id", "-version").distinct("badge_id"))


def evaluate(*, on: date) -> int:
    """Find who reached a current rule by ``on``; returns the number of new candidates. One statement per rule."""
    return sum(_evaluate(rule, on) for rule in current_rules())


def _evaluate(rule: Rule, on: date) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            FIND_CANDIDATES,
            {
                "rule": rule.pk,
                "day": on,
                "lowest": LOWEST_THRESHOLD,
                "graduated": ParticipationState.GRADUATED,
                "concluded": ParticipationState.CONCLUDED,
            },
        )
        return cursor.rowcount


@transaction.atomic
def approve_candidate(candidate: Candidate, *, by: Any, on: date, remark: str = "") -> Award:
    """Give the badge, with the evidence frozen. Raises ``RuleBroken`` when the person holds it already.

    Where followers leapt and no traffic grant explains it, ``remark`` says why the badge is given nonetheless.
    """
    _must_explain_leaps(candidate, remark)
    _decide(candidate, CandidateState.APPROVED, by=by, reason=remark.strip())
    # Read anew now that the candidate is ours: the participation may have gone to another record of the same person.
    candidate.participation = Participation.objects.select_related("trainee").get(pk=candidate.participation_id)
    trainee = candidate.participation.trainee
    badge = candidate.rule.badge
    if not candidate.participation.is_graduated:
        raise RuleBroken(_("%(name)s is not a graduate of the programme any more.") % {"name": trainee.name})
    type(trainee).objects.select_for_update().get(pk=trainee.pk)  # two approvals of one person wait for each other
    if Award.objects.live().filter(badge=badge, trainee=trainee).exists():
        raise RuleBroken(_("%(name)s holds this badge already.") % {"name": trainee.name})
    return Award.objects.create(
        number=_next_number(on.year),
        badge=badge,
        trainee=trainee,
        candidate=candidate,
        awarded_on=on,
        awarded_by=by,
        evidence=collect_evidence(candidate),
    )


def _must_explain_leaps(candidate: Candidate, remark: str) -> None:
    leap = unexplained_leaps(candidate).first()
    if leap is not None and not remark.strip():
        raise RuleBroken(
            _(
                "On %(day)s the account gained %(gained)s followers, and no traffic grant explains it. Look at the "
                "leaps and say in a remark why the badge is given nonetheless."
            )
            % {"day": leap.day, "gained": f"{leap.gained:,}"}
        )


@transaction.atomic
def refuse_candidate(candidate: Candidate, *, by: Any, reason: str) -> Candidate:
    """Decide against, with the reason the trainee will be told."""
    if not reason.strip():
        raise RuleBroken(_("Say why; the trainee will read it."))
    return _decide(candidate, CandidateState.REFUSED, by=by, reason=reason.strip())


@transaction.atomic
def withdraw_award(award: Award, *, by: Any, reason: str) -> Award:
    """Take a badge back. The award stays, marked withdrawn, with who and why."""
    if not reason.strip():
        raise RuleBroken(_("Say why the award is withdrawn."))
    changes = {"withdrawn_at": timezone.now(), "withdrawn_by": by, "withdrawal_reason": reason.strip()}
    if not Award.objects.live().filter(pk=award.pk).update(**changes):
        raise Stale(_("This award is withdrawn already."))
    award.refresh_from_db()
    return award


def _decide(candidate: Candidate, state: CandidateState, *, by: Any, reason: str = "") -> Candidate:
    pending = Candidate.objects.filter(pk=candidate.pk, state=CandidateState.PENDING)
    if not pending.update(state=state, decided_by=by, decided_at=timezone.now(), reason=reason):
        raise Stale(_("Somebody has decided about this candidate already."))
    candidate.refresh_from_db()
    return candidate


def collect_evidence(candidate: Candidate) -> dict[str, Any]:
    """What the award rests on, as plain values that no later change of rows can alter."""
    rule, participation = candidate.rule, candidate.participation
    reading = Reading.objects.get(day=candidate.crossed_on, account=candidate.account)
    graduation = live_graduation(participation)
    return {
        "rule": {
            "badge": rule.badge.code,
            "version": rule.version,
            "followers": rule.followers,
            "strict": rule.is_strict,
        },
        "reading": {
            "platform": candidate.account.platform,
            "handle": candidate.account.handle,
            "day": reading.day.isoformat(),
            "followers": reading.followers,
            "source": reading.source,
            "fetched_at": reading.fetched_at.isoformat(),
        },
        "participation": {
            "cohort": str(participation.cohort),
            "graduated_on": _iso(participation.graduated_on),
            "support_starts_on": _iso(participation.support_starts_on),
            "support_ends_on": _iso(participation.support_ends_on),
        },
        "graduation": graduation.facts if graduation else {},
        "leaps": [
            {
                "day": leap.day.isoformat(),
                "gained": leap.gained,
                "usual": round(leap.usual),
                "ran_traffic": leap.ran_traffic,
            }
            for leap in leaps_of(candidate)
        ],
        "decided": {
            "by": candidate.decided_by.username if candidate.decided_by else "",
            "at": _iso(candidate.decided_at),
            "remark": candidate.reason,
        },
    }


def _iso(when: date | None) -> str:
    return when.isoformat() if when else ""


def _next_number(year: int) -> str:
    """Fresh and unique at any concurrency: the year and a sequence, ``XC-2026-000123``."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('certification_award_number')")
        return f"XC-{year}-{cursor.fetchone()[0]:06d}"
