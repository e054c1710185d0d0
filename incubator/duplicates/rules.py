"""What becomes of rows that hang on two people who turn out to be one.

A row moves to the person who stays. Where a unique constraint allows one only, both rows are joined: the rule named
here says which of the two stays, and whatever hangs on the other moves to it. A rule may refuse with a sentence.
Whoever adds a relation to people, or to something that is joined, and limits it by a unique constraint, adds a rule:
``plan.unhandled`` finds what is missing, and a test calls it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from courses.choices import AttendanceState, EnrolmentState
from courses.models import (
    Attempt,
    Attendance,
    CarriedTraining,
    CheckIn,
    Enrolment,
    Graduation,
    GraduationQuestion,
    LearningRecord,
    SatisfactionTicket,
)
from incubator.certification.choices import CandidateState
from incubator.certification.models import Award, Candidate, NearMiss, RehearsalPerson, Work
from incubator.common.errors import RuleBroken
from incubator.forecasts.models import Forecast
from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Participation, SupportChange, SupportReminder
from incubator.programmes.queries import changes_in_force

# Relations that are not moved, each with its reason.
LEFT_ALONE = {
    "trainees.TraineeChange.trainee": "what was changed about the record that is gone stays its history",
    "duplicates.DuplicatePair.first": "a question may be one with another; services.merge_people sees to it",
    "duplicates.DuplicatePair.second": "the same",
}
# Rows of these may come after a merge without anything depending on it.
DEPENDS_ON_NOTHING = {"trainees.FormerNumber.trainee"}
# Of these only some do; the others are previews that are made anew.
DEPENDS_WHERE: dict[str, dict[str, Any]] = {
    "rosters.RosterRow.trainee": {"roster__state": "applied"},
    "duplicates.Merge.survivor": {"undone_at": None},
}


@dataclass(frozen=True, slots=True)
class Joined:
    """Of two rows ``keep`` stays, with ``values`` (by column, as JSON), and takes over what hangs on ``drop``.

    ``sentence`` tells people; empty where it goes without saying.
    """

    keep: Any
    drop: Any
    values: dict[str, Any] = field(default_factory=dict)
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """How two rows become one: of the row that hangs on what stays, and the row that hangs on what goes.

    ``needs`` are related rows that the rule looks at. Nothing is ever joined where it ``refuses`` always.
    """

    join: Callable[[Any, Any], Joined]
    needs: tuple[str, ...] = ()
    refuses: bool = False


def _better(ours: Any, theirs: Any, worth: Callable[[Any], Any], **more: Any) -> Joined:
    """The row worth more stays; of two that are worth the same, ours."""
    keep, drop = (theirs, ours) if worth(theirs) > worth(ours) else (ours, theirs)
    return Joined(keep, drop, **more)


# The later in this list the further along.
FURTHER = [
    ParticipationState.REFUSED,
    ParticipationState.WITHDRAWN,
    ParticipationState.NOMINATED,
    ParticipationState.ADMITTED,
    ParticipationState.TRAINING,
    ParticipationState.GRADUATED,
    ParticipationState.CONCLUDED,
]


def _join_participations(ours: Participation, theirs: Participation) -> Joined:
    """The one further along stays, nominated on the earlier of both days."""
    joined = _better(ours, theirs, lambda p: (FURTHER.index(p.state), p.graduated_on is not None))
    if joined.drop.graduated_on and not joined.keep.graduated_on:
        raise RuleBroken(
            _(
                "In %(cohort)s one of the two graduated and was withdrawn, the other is “%(state)s”. If the graduation "
                "counts, withdraw the other participation first."
            )
            % {"cohort": ours.cohort, "state": joined.keep.get_state_display()}
        )
    if joined.drop.support_starts_on and changes_in_force(SupportChange.objects.filter(participation=joined.drop)):
        raise RuleBroken(
            _(
                "In %(cohort)s both graduated, and the support period of %(number)s was extended or paused. Only that "
                "of the other participation stays. Take the changes back first and enter there what is to count."
            )
            % {"cohort": ours.cohort, "number": joined.drop.trainee.number}
        )
    sentence = _("Both take part in %(cohort)s: it becomes one participation, “%(state)s”.")
    return Joined(
        joined.keep,
        joined.drop,
        {"nominated_on": min(ours.nominated_on, theirs.nominated_on).isoformat()},
        sentence % {"cohort": ours.cohort, "state": joined.keep.get_state_display()},
    )


def _join_attendances(ours: Attendance, theirs: Attendance) -> Joined:
    """Of two marks of one session the longer presence counts; being on leave explains an absence."""
    order = [AttendanceState.ABSENT, AttendanceState.ON_LEAVE, AttendanceState.PRESENT]
    return _better(ours, theirs, lambda a: (order.index(a.state), a.minutes))


def _join_enrolments(ours: Enrolment, theirs: Enrolment) -> Joined:
    """A place in the class outweighs one in its queue, and that one having left."""
    order = [EnrolmentState.LEFT, EnrolmentState.WAITING, EnrolmentState.ENROLLED]
    return _better(ours, theirs, lambda e: order.index(e.state))


def _join_attempts(ours: Attempt, theirs: Attempt) -> Joined:
    """Of two attempts of one number the better marks count; those not marked yet are none."""
    return _better(ours, theirs, lambda a: -1 if a.final_marks is None else a.final_marks)


def _longer(ours: Any, theirs: Any) -> Joined:
    """Of two records of one course, or one day carried twice, the longer one counts."""
    return _better(ours, theirs, lambda r: r.minutes)


def _earlier(ours: CheckIn, theirs: CheckIn) -> Joined:
    return _better(ours, theirs, lambda c: -c.came_at.timestamp())


def _join_candidates(ours: Candidate, theirs: Candidate) -> Joined:
    """An award outweighs a decision, a decision outweighs a question; an award never changes its candidate."""
    if hasattr(ours, "award") and hasattr(theirs, "award"):
        raise RuleBroken(
            _(
                "Both were certified by the same rule in the same cohort (%(one)s and %(other)s). An award keeps the "
                "decision it rests on, so the two cannot become one."
            )
            % {"one": ours.award.number, "other": theirs.award.number}
        )
    order = [None, CandidateState.LAPSED, CandidateState.HOLDING, CandidateState.PENDING, CandidateState.ASKED]
    order += [CandidateState.PROPOSED, CandidateState.REFUSED, CandidateState.APPROVED]
    return _better(ours, theirs, lambda c: (hasattr(c, "award"), order.index(c.state)))


def _closed_first(ours: NearMiss, theirs: NearMiss) -> Joined:
    return _better(ours, theirs, lambda miss: miss.closed_at is not None)


def _refuse_awards(ours: Award, theirs: Award) -> Joined:
    raise RuleBroken(
        _("Both hold a valid “%(badge)s” (%(one)s and %(other)s). One of the two must be withdrawn first.")
        % {"badge": ours.badge, "one": ours.number, "other": theirs.number}
    )


def _keep_ours(ours: Any, theirs: Any) -> Joined:
    return Joined(ours, theirs)


JOINS: dict[str, Rule] = {
    Participation._meta.label: Rule(_join_participations, ("cohort__programme",)),
    # What is open is true of the period that stays, or is closed the next night.
    SupportReminder._meta.label: Rule(_keep_ours),
    Enrolment._meta.label: Rule(_join_enrolments),
    SatisfactionTicket._meta.label: Rule(_keep_ours),
    CheckIn._meta.label: Rule(_earlier),
    LearningRecord._meta.label: Rule(_longer),
    CarriedTraining._meta.label: Rule(_longer),
    Attempt._meta.label: Rule(_join_attempts),
    Attendance._meta.label: Rule(_join_attendances),
    # The decision that the participation rests on; the other one's figures are kept as long as undoing is possible.
    Graduation._meta.label: Rule(_keep_ours),
    GraduationQuestion._meta.label: Rule(_keep_ours),
    Candidate._meta.label: Rule(_join_candidates, ("award",)),
    Forecast._meta.label: Rule(_keep_ours),  # made anew the next night
    Award._meta.label: Rule(_refuse_awards, ("badge",), refuses=True),
    NearMiss._meta.label: Rule(_closed_first),
    RehearsalPerson._meta.label: Rule(_keep_ours),
    Work._meta.label: Rule(_keep_ours),
}
