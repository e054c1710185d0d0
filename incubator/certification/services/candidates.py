"""Decisions about candidates."""

from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.certification.choices import CandidateState
from incubator.certification.models import Award, Candidate
from incubator.certification.queries import unexplained_leaps
from incubator.certification.services.awards import next_number
from incubator.certification.services.dossiers import collect_evidence
from incubator.common.errors import RuleBroken, Stale
from incubator.programmes.models import Participation


@transaction.atomic
def approve_candidate(candidate: Candidate, *, by: Any, on: date, remark: str = "") -> Award:
    """Give the badge, with the evidence frozen. Raises ``RuleBroken`` when the person holds it already.

    Where followers leapt and no traffic grant explains it, ``remark`` says why the badge is given nonetheless.
    """
    _must_explain_leaps(candidate, remark)
    _decide(candidate, CandidateState.APPROVED, by=by, reason=remark.strip())
    # Read anew now that the candidate is ours: the participation may have gone to another record of the same person.
    candidate.participation = Participation.objects.select_related("trainee__county").get(pk=candidate.participation_id)
    trainee = candidate.participation.trainee
    badge = candidate.rule.badge
    if not candidate.participation.is_graduated:
        raise RuleBroken(_("%(name)s is not a graduate of the programme any more.") % {"name": trainee.name})
    type(trainee).objects.select_for_update().get(pk=trainee.pk)  # two approvals of one person wait for each other
    if Award.objects.live().filter(badge=badge, trainee=trainee).exists():
        raise RuleBroken(_("%(name)s holds this badge already.") % {"name": trainee.name})
    return Award.objects.create(
        number=next_number(on.year, trainee.county),
        badge=badge,
        trainee=trainee,
        candidate=candidate,
        awarded_on=on,
        awarded_by=by,
        expires_on=on + timedelta(days=badge.valid_days) if badge.valid_days else None,
        holder_name=trainee.name,
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


def _decide(candidate: Candidate, state: CandidateState, *, by: Any, reason: str = "") -> Candidate:
    pending = Candidate.objects.filter(pk=candidate.pk, state=CandidateState.PENDING)
    if not pending.update(state=state, decided_by=by, decided_at=timezone.now(), reason=reason):
        raise Stale(_("Somebody has decided about this candidate already."))
    candidate.refresh_from_db()
    return candidate
