"""The sessions of a trainee's classes as they concern that trainee: what is marked, and what may be done now."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from courses.check_in_codes import is_early, is_for_leaving, is_late, is_open, minutes_there
from courses.choices import EnrolmentState
from courses.models import Attendance, CheckIn, Enrolment, Session
from trainees.models import Trainee

MOST = 60  # sessions to come, and as many past ones, of one trainee's timetable


class Step(StrEnum):
    """What a trainee may do at a session now."""

    CHECK_IN = "check_in"
    CHECK_OUT = "check_out"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class OwnSession:
    """A session, the trainee's participation in it (an id), their mark and their check-in, if any, at a moment."""

    session: Session
    participation_id: int
    mark: Attendance | None
    check_in: CheckIn | None
    at: datetime

    @property
    def step(self) -> Step:
        if self.session.is_closed or self.mark is not None:
            return Step.NOTHING
        if self.is_inside and self.session.asks_check_out:
            return Step.CHECK_OUT if is_for_leaving(self.session, self.at) else Step.NOTHING
        return Step.CHECK_IN if is_open(self.session, self.at) else Step.NOTHING

    @property
    def is_inside(self) -> bool:
        """Came, and is not marked: the mark comes with checking out."""
        return self.check_in is not None and self.check_in.left_at is None and self.mark is None

    @property
    def is_over(self) -> bool:
        return self.at >= self.session.ends_at

    @property
    def on(self) -> date:
        return timezone.localtime(self.session.starts_at).date()

    @property
    def was_late(self) -> bool:
        return self.check_in is not None and is_late(self.session, self.check_in.came_at)

    @property
    def left_early(self) -> bool:
        left_at = self.check_in.left_at if self.check_in else None
        return left_at is not None and is_early(self.session, left_at)

    @property
    def is_late_now(self) -> bool:
        return is_late(self.session, self.at)

    @property
    def is_early_now(self) -> bool:
        return is_early(self.session, self.at)

    @property
    def minutes_now(self) -> int:
        """What would count if the trainee checked in, or out, at this moment."""
        if self.check_in is not None and self.session.asks_check_out:
            return minutes_there(self.session, self.check_in.came_at, self.at)
        return minutes_there(self.session, self.at)


def sessions_of(trainee: Trainee) -> QuerySet[Session]:
    """Sessions that a trainee belongs into: of the classes they are in, and of those they left the ones before that.

    The other side of ``of_the_session``; tests hold the two against each other.
    """
    own = Q(training_class__enrolments__participation__trainee=trainee)
    left_later = Q(
        training_class__enrolments__state=EnrolmentState.LEFT, training_class__enrolments__since__gt=F("starts_at")
    )
    enrolled = Q(training_class__enrolments__state=EnrolmentState.ENROLLED)
    found = Session.objects.filter(own & (enrolled | left_later))
    return found.annotate(own_id=F("training_class__enrolments__participation_id")).select_related(
        "training_class", "version", "lecturer"
    )


def own_session(trainee: Trainee, pk: int, *, at: datetime) -> OwnSession | None:
    """One session of a trainee; none where they do not belong. Three queries."""
    return next(iter(_own(trainee, sessions_of(trainee).filter(pk=pk), at)), None)


def own_sessions_now(trainee: Trainee, *, at: datetime) -> list[OwnSession]:
    """The sessions in which a trainee may check in or out now; usually one or none. At most three queries."""
    day = timedelta(days=1)
    near = sessions_of(trainee).filter(starts_at__lt=at + day, ends_at__gt=at - day, closed_at=None)
    return [own for own in _own(trainee, near.order_by("starts_at"), at) if own.step != Step.NOTHING]


def timetable_of(trainee: Trainee, *, at: datetime) -> tuple[list[OwnSession], list[OwnSession]]:
    """The sessions that are not over, the next one first, and those that are, the last one first. Six queries."""
    coming = sessions_of(trainee).filter(ends_at__gt=at).order_by("starts_at")
    past = sessions_of(trainee).filter(ends_at__lte=at).order_by("-starts_at")
    return _own(trainee, coming[:MOST], at), _own(trainee, past[:MOST], at)


def _own(trainee: Trainee, sessions: Iterable[Session], at: datetime) -> list[OwnSession]:
    rows = list(sessions)
    if not rows:
        return []
    marks = {m.session_id: m for m in Attendance.objects.filter(participation__trainee=trainee, session__in=rows)}
    came = {c.session_id: c for c in CheckIn.objects.filter(participation__trainee=trainee, session__in=rows)}
    return [OwnSession(s, s.own_id, marks.get(s.pk), came.get(s.pk), at) for s in rows]  # type: ignore[attr-defined]


def classes_of(trainee: Trainee) -> list[Enrolment]:
    """The classes a trainee is in or waits for, each with ``place`` in the queue, 1 for who is next. One query."""
    before = Q(since__lt=OuterRef("since")) | Q(since=OuterRef("since"), pk__lte=OuterRef("pk"))
    queue = Enrolment.objects.filter(before, training_class=OuterRef("training_class"), state=EnrolmentState.WAITING)
    place = queue.order_by().values("training_class").annotate(count=Count("pk")).values("count")
    mine = Enrolment.objects.filter(participation__trainee=trainee).exclude(state=EnrolmentState.LEFT)
    return list(mine.select_related("training_class").annotate(place=Coalesce(Subquery(place), 0)).order_by("-pk"))
