"""What a class needs next, as its page shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, IntegerField, Max, OuterRef, Q, QuerySet, Subquery

from courses.choices import EnrolmentState
from courses.models import (
    Assessment,
    Attempt,
    Enrolment,
    GraduationQuestion,
    SatisfactionTicket,
    Session,
    TrainingClass,
)

SHOWN = 10


@dataclass(frozen=True, slots=True)
class Due:
    """What is open in a class. Sessions carry ``marked``, assessments ``unmarked``: people with and without."""

    sessions: Sequence[Session]  # over and not closed, the oldest first
    assessments: Sequence[Assessment]  # required, with people who have no marks yet
    questions: Sequence[GraduationQuestion]  # open ones about people of the class
    places: int  # free
    waiting: int
    forms: int | None  # satisfaction forms filled in, once the class is over; None before, and with nobody in it
    people: int  # in the class

    @property
    def can_move_up(self) -> int:
        return min(self.places, self.waiting)


def over_q(at: datetime) -> Q:
    """Sessions that are over and were not closed: somebody has to look whether all are marked."""
    return Q(ends_at__lte=at, closed_at=None)


def due_of(training_class: TrainingClass, user: Any, *, at: datetime) -> Due:
    """Six queries. Questions are those ``user`` may see; what is counted is the whole class."""
    enrolments = Enrolment.objects.filter(training_class=training_class)
    counts = enrolments.aggregate(
        people=Count("pk", filter=Q(state=EnrolmentState.ENROLLED)),
        waiting=Count("pk", filter=Q(state=EnrolmentState.WAITING)),
    )
    sessions = training_class.sessions.filter(over_q(at)).select_related("version")
    return Due(
        sessions=list(sessions.annotate(marked=Count("attendances")).order_by("starts_at")[:SHOWN]),
        assessments=list(_to_mark(training_class)[:SHOWN]),
        questions=list(_questions(training_class, user)[:SHOWN]),
        places=max(0, training_class.capacity - counts["people"]),
        waiting=counts["waiting"],
        forms=_forms(training_class, at) if counts["people"] else None,
        people=counts["people"],
    )


def _to_mark(training_class: TrainingClass) -> QuerySet[Assessment]:
    marked = Attempt.objects.filter(
        assessment=OuterRef(OuterRef("pk")), participation=OuterRef("participation"), marks__isnull=False
    )
    without = Enrolment.objects.enrolled().filter(~Exists(marked), training_class=OuterRef("training_class"))
    required = Assessment.objects.filter(training_class=training_class, is_required=True)
    return required.annotate(unmarked=_count(without)).filter(unmarked__gt=0).order_by("due_at", "pk")


def _count(rows: QuerySet) -> Subquery:
    """How many, as a part of another query."""
    counted = rows.order_by().values("training_class").annotate(count=Count("pk")).values("count")
    return Subquery(counted, output_field=IntegerField())


def _questions(training_class: TrainingClass, user: Any) -> QuerySet[GraduationQuestion]:
    found = GraduationQuestion.objects.visible_to(user).open()
    mine = found.filter(graduation__participation__enrolments__training_class=training_class)
    return mine.select_related("graduation__participation__trainee").order_by("pk")


def _forms(training_class: TrainingClass, at: datetime) -> int | None:
    """How many filled in the form about the class; None while there are sessions to come, or none at all."""
    tickets = SatisfactionTicket.objects.filter(enrolment__training_class=training_class)
    last = training_class.sessions.aggregate(last=Max("ends_at"))["last"]
    return tickets.count() if last is not None and last <= at else None
