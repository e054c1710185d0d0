"""The only writers of enrolments, attendance and graduations."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from courses.choices import AttendanceMethod, AttendanceState
from courses.models import Attendance, Enrolment, Graduation, Session, TrainingClass
from courses.queries import training_standings
from incubator.common.errors import RuleBroken
from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Participation
from incubator.programmes.services import open_support, start_training


@transaction.atomic
def enrol(participations: Sequence[Participation], *, training_class: TrainingClass, by: Any) -> int:
    """Put admitted people into a class, up to its capacity; they are in training from then on."""
    locked = TrainingClass.objects.select_for_update().get(pk=training_class.pk)
    if any(p.cohort_id != locked.cohort_id for p in participations):
        raise RuleBroken(_("Everybody in a class must be of its cohort."))
    there = set(locked.enrolments.values_list("participation_id", flat=True))
    new = [p for p in participations if p.pk not in there]
    for p in new:
        if p.state not in (ParticipationState.ADMITTED, ParticipationState.TRAINING):
            raise RuleBroken(
                _("%(name)s is “%(state)s”. Only admitted people are put into a class.")
                % {"name": p.trainee.name, "state": p.get_state_display()}
            )
    free = locked.capacity - len(there)
    if len(new) > free:
        raise RuleBroken(
            _("The class has %(free)s places left and you chose %(count)s people.") % {"free": free, "count": len(new)}
        )
    Enrolment.objects.bulk_create(Enrolment(training_class=locked, participation=p) for p in new)
    start_training([p for p in new if p.state == ParticipationState.ADMITTED], by=by)
    return len(new)


@transaction.atomic
def mark_attendance(session: Session, *, marks: Mapping[int, tuple[str, int | None]], by: Any) -> int:
    """Mark a session: ``{participation id: (state, minutes)}``; minutes None means the whole session.

    A mark made again replaces the earlier one. Raises ``RuleBroken`` for somebody outside the class or more minutes
    than the session has.
    """
    enrolled = set(session.training_class.enrolments.values_list("participation_id", flat=True))
    strangers = set(marks) - enrolled
    if strangers:
        raise RuleBroken(_("%(count)s people are not in this class.") % {"count": len(strangers)})
    rows = [_mark(session, pk, state, minutes, by) for pk, (state, minutes) in marks.items()]
    Attendance.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["session", "participation"],
        update_fields=["state", "minutes", "method", "marked_by", "marked_at"],
    )
    return len(rows)


def _mark(session: Session, participation_id: int, state: str, minutes: int | None, by: Any) -> Attendance:
    present = state == AttendanceState.PRESENT
    minutes = (session.minutes if minutes is None else minutes) if present else 0
    if present and minutes < 1:
        raise RuleBroken(_("Somebody who was present was there for at least a minute."))
    if minutes > session.minutes:
        raise RuleBroken(
            _("The session has %(count)s minutes; nobody can be present longer.") % {"count": session.minutes}
        )
    return Attendance(
        session=session,
        participation_id=participation_id,
        state=state,
        minutes=minutes,
        method=AttendanceMethod.STAFF,
        marked_by=by,
    )


def graduate(participation: Participation, *, on: date, by: Any) -> Graduation:
    """Decide that one person graduated; raises ``RuleBroken`` with what is missing."""
    return graduate_all([participation], on=on, by=by)[0]


@transaction.atomic
def graduate_all(participations: Iterable[Participation], *, on: date, by: Any) -> list[Graduation]:
    """Graduate people who meet their cohort's rule, all or none, and open their support periods on that day."""
    participations = list(participations)
    standings = training_standings(participations)
    return [_graduate(p, standings.get(p.pk), on, by) for p in participations]


def _graduate(participation: Participation, standing, on: date, by: Any) -> Graduation:
    name = participation.trainee.name
    if standing is None:
        raise RuleBroken(_("The cohort has no graduation rule yet. Enter one first."))
    if not standing.is_enough:
        missing = _(", ").join(standing.missing())
        raise RuleBroken(_("%(name)s cannot graduate yet: %(missing)s.") % {"name": name, "missing": missing})
    last = participation.attendances.filter(minutes__gt=0).order_by("-session__ends_at").first()
    if last is not None and timezone.localtime(last.session.ends_at).date() > on:
        raise RuleBroken(_("%(name)s still has sessions after that day.") % {"name": name})
    open_support(participation, graduated_on=on, by=by)
    return Graduation.objects.create(
        participation=participation, graduated_on=on, decided_by=by, facts=standing.facts()
    )
