"""The only writer of timetables."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from courses.models import Enrolment, Session, TrainingClass
from courses.services.graduation import question_graduations
from courses.timetable import differs, require_no_overlap, require_one_day, span
from incubator.common.errors import RuleBroken

COUNTED = ("version_id", "starts_at", "ends_at")  # what the hours of a mark come from


@transaction.atomic
def plan_sessions(training_class: TrainingClass, sessions: Sequence[Session], *, by: Any) -> int:
    """Write new and changed sessions of a class; returns how many.

    Raises ``RuleBroken`` for a session of two days, one that overlaps another of the class, and a change of the course
    or the time of one that is marked already: hours would change behind everybody's back. More or less teaching changes
    the share of attendance, so graduations of the class whose rule is no longer met become questions.
    """
    TrainingClass.objects.select_for_update().get(pk=training_class.pk)
    there = {session.pk: session for session in training_class.sessions.all()}
    for session in sessions:
        require_one_day(session.starts_at, session.ends_at)
    require_no_overlap([*_others(there, sessions), *sessions])
    _require_unmarked([s for s in sessions if s.pk in there and differs(there[s.pk], s, COUNTED)])
    for session in sessions:
        session.training_class = training_class
        session.save()
    people = Enrolment.objects.filter(training_class=training_class).values_list("participation_id", flat=True)
    if sessions:
        cause = _("The timetable of “%(class)s” was changed.") % {"class": training_class}
        question_graduations(people, cause=cause)
    return len(sessions)


def _others(there: dict[int, Session], sessions: Sequence[Session]) -> list[Session]:
    written = {session.pk for session in sessions}
    return [session for pk, session in there.items() if pk not in written]


def _require_unmarked(changed: Sequence[Session]) -> None:
    marked = Session.objects.filter(pk__in=[s.pk for s in changed], attendances__isnull=False).first()
    if marked is not None:
        raise RuleBroken(
            _(
                "The session of %(from)s is marked already, so its course and its times stay. What people attended is "
                "corrected on the attendance sheet."
            )
            % {"from": span(marked.starts_at, marked.ends_at)}
        )


@transaction.atomic
def remove_session(session: Session, *, by: Any) -> None:
    """Take a session out of the timetable. Raises ``RuleBroken`` when somebody was marked or checked in to it."""
    session = Session.objects.select_for_update(of=["self"]).get(pk=session.pk)
    if session.attendances.exists() or session.check_ins.exists() or session.paper_sheets.exists():
        raise RuleBroken(_("Attendance of this session is kept already; it can no longer be taken out."))
    training_class = session.training_class
    session.delete()
    people = Enrolment.objects.filter(training_class=training_class).values_list("participation_id", flat=True)
    question_graduations(people, cause=_("The timetable of “%(class)s” was changed.") % {"class": training_class})
