"""Decisions about candidates: one person proposes, a second one approves; the way between them is kept as events."""

from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.certification.choices import IN_REVIEW, CandidateState
from incubator.certification.models import Award, Candidate, CandidateEvent
from incubator.certification.queries import unexplained_leaps
from incubator.certification.services.awards import next_number
from incubator.certification.services.dossiers import collect_evidence
from incubator.common.errors import RuleBroken, Stale
from incubator.programmes.models import Participation

S = CandidateState


@transaction.atomic
def propose_candidate(candidate: Candidate, *, by: Any, remark: str = "") -> Candidate:
    """Say that the evidence was looked at and the badge should be given; a second person decides.

    Where followers leapt and no traffic grant explains it, ``remark`` says why the badge is given nonetheless.
    """
    _must_explain_leaps(candidate, remark)
    now = timezone.now()
    changes = {"proposed_by": by, "proposed_at": now, "remark": remark.strip()}
    return _move(candidate, (S.PENDING, S.ASKED), S.PROPOSED, by=by, words=remark, **changes)


@transaction.atomic
def ask_back(candidate: Candidate, *, by: Any, question: str) -> Candidate:
    """Ask whoever knows the person something before it is decided; the county answers."""
    question = _said(question, _("Say what is to be answered."))
    changes = {"question": question, "answer": "", "proposed_by": None, "proposed_at": None}
    return _move(candidate, (S.PENDING, S.PROPOSED), S.ASKED, by=by, words=question, **changes)


@transaction.atomic
def answer_question(candidate: Candidate, *, by: Any, answer: str) -> Candidate:
    """Answer what was asked back; the candidate is to be reviewed again."""
    answer = _said(answer, _("An answer is needed."))
    return _move(candidate, (S.ASKED,), S.PENDING, by=by, words=answer, answer=answer)


@transaction.atomic
def approve_candidate(candidate: Candidate, *, by: Any, on: date) -> Award:
    """Give the badge that somebody else proposed, with the evidence frozen.

    Raises ``RuleBroken`` when the same person proposed it, the rule is not met any more, or the badge is held already;
    ``Stale`` when somebody has decided meanwhile. However many approve at once, one award is given.
    """
    candidate = Candidate.objects.select_for_update(of=("self",)).select_related("rule__badge").get(pk=candidate.pk)
    if candidate.state == S.PROPOSED and candidate.proposed_by_id == by.pk:
        raise RuleBroken(_("You proposed this yourself. A second person must approve it."))
    decided = {"decided_by": by, "decided_at": timezone.now()}
    _move(candidate, (S.PROPOSED,), S.APPROVED, by=by, **decided)
    # Read anew now that the candidate is ours: the participation may have gone to another record of the same person.
    candidate.participation = Participation.objects.select_related("trainee__county", "cohort").get(
        pk=candidate.participation_id
    )
    trainee, badge = candidate.participation.trainee, candidate.rule.badge
    type(trainee).objects.select_for_update().get(pk=trainee.pk)  # two approvals of one person wait for each other
    if Award.objects.live().filter(badge=badge, trainee=trainee).exists():
        raise RuleBroken(_("%(name)s holds this badge already.") % {"name": trainee.name})
    evidence = collect_evidence(candidate, on=on)
    return Award.objects.create(
        number=next_number(on.year, trainee.county),
        badge=badge,
        trainee=trainee,
        candidate=candidate,
        awarded_on=on,
        awarded_by=by,
        expires_on=on + timedelta(days=badge.valid_days) if badge.valid_days else None,
        holder_name=trainee.name,
        evidence=evidence,
    )


@transaction.atomic
def refuse_candidate(candidate: Candidate, *, by: Any, reason: str) -> Candidate:
    """Decide against, with the reason the trainee will be told."""
    reason = _said(reason, _("Say why; the trainee will read it."))
    decided = {"decided_by": by, "decided_at": timezone.now(), "reason": reason}
    return _move(candidate, IN_REVIEW, S.REFUSED, by=by, words=reason, **decided)


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


def _said(words: str, otherwise: str) -> str:
    if not words.strip():
        raise RuleBroken(otherwise)
    return words.strip()


def _move(
    candidate: Candidate,
    before: tuple[CandidateState, ...],
    after: CandidateState,
    *,
    by: Any,
    words: str = "",
    **changes: Any,
) -> Candidate:
    """Move it if it is still where it was read, and keep what happened. Of two clicks at once one loses."""
    was = candidate.state
    mine = Candidate.objects.filter(pk=candidate.pk, state=was) if was in before else Candidate.objects.none()
    if not mine.update(state=after, **changes):
        raise Stale(_("Somebody has decided about this candidate already, or it changed. Look at it again."))
    CandidateEvent.objects.create(candidate=candidate, before=was, after=after, by=by, words=words.strip())
    candidate.refresh_from_db()
    return candidate
