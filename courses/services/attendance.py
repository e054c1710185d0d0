"""The only writers of attendance: marks, corrections with a reason, and the closing of a session."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from courses.choices import EARLY_MINUTES, AttendanceMethod, AttendanceState, EnrolmentState
from courses.models import Attendance, AttendanceChange, Enrolment, Session, TrainingClass
from courses.services.graduation import question_graduations
from incubator.common.dates import moment
from incubator.common.errors import RuleBroken
from trainees.models import Trainee

EARLY = timedelta(minutes=EARLY_MINUTES)
MOST_NAMED = 3


def of_the_session(session: Session) -> Q:
    """Enrolments of people who belong into a session: in its class, or in it then and gone since."""
    left_later = Q(state=EnrolmentState.LEFT, since__gt=session.starts_at)
    return Q(training_class=session.training_class_id) & (Q(state=EnrolmentState.ENROLLED) | left_later)


@transaction.atomic
def mark_attendance(
    session: Session,
    *,
    marks: Mapping[int, tuple[str, int | None]],
    by: Any,
    method: str = AttendanceMethod.STAFF,
    reason: str = "",
    at: datetime | None = None,
) -> int:
    """Mark a session: ``{participation id: (state, minutes)}``; minutes None means the whole session.

    Returns how many marks were written. A mark that says what stands there already keeps its method, time and author;
    one that says otherwise corrects it, which takes a reason and is kept. The same queries for any number of people.
    Raises ``RuleBroken`` for people outside the class or at two places at once, minutes that cannot be, sessions still
    to come, and corrections without a reason.
    """
    session = Session.objects.select_for_update(of=["self"]).get(pk=session.pk)
    at = at or timezone.now()
    if at < session.starts_at - EARLY:
        sentence = _("This session begins on %(moment)s; it cannot be marked yet.")
        raise RuleBroken(sentence % {"moment": moment(session.starts_at)})
    _require_in_class(session, marks)
    rows = {pk: _mark(session, pk, state, minutes, method, by) for pk, (state, minutes) in marks.items()}
    known = {a.participation_id: a for a in session.attendances.filter(participation__in=rows)}
    changed = [known[pk] for pk, row in rows.items() if pk in known and _differs(known[pk], row)]
    if changed and not reason.strip():
        raise RuleBroken(
            ngettext(
                "%(count)s mark is already made and would change. Say why it is corrected.",
                "%(count)s marks are already made and would change. Say why they are corrected.",
                len(changed),
            )
            % {"count": len(changed)}
        )
    present = [pk for pk, row in rows.items() if row.state == AttendanceState.PRESENT]
    lock_participants(present)
    _require_at_one_place(session, present, by)
    AttendanceChange.objects.bulk_create(_change(was, rows[was.participation_id], by, reason) for was in changed)
    written = [row for pk, row in rows.items() if pk not in known] + [rows[was.participation_id] for was in changed]
    Attendance.objects.bulk_create(
        written,
        update_conflicts=True,
        unique_fields=["session", "participation"],
        update_fields=["state", "minutes", "method", "marked_by", "marked_at"],
    )
    if written:
        question_graduations([row.participation_id for row in written], cause=_cause(session))
    return len(written)


def _cause(session: Session) -> str:
    day = date_format(timezone.localtime(session.starts_at), "DATE_FORMAT")
    return _("The attendance of %(day)s was corrected.") % {"day": day}


def _require_in_class(session: Session, marks: Iterable[int]) -> None:
    enrolled = set(Enrolment.objects.filter(of_the_session(session)).values_list("participation_id", flat=True))
    if strangers := set(marks) - enrolled:
        raise RuleBroken(
            ngettext(
                "%(count)s person is not in this class.", "%(count)s people are not in this class.", len(strangers)
            )
            % {"count": len(strangers)}
        )


def _mark(session: Session, participation_id: int, state: str, minutes: int | None, method: str, by: Any) -> Attendance:
    present = state == AttendanceState.PRESENT
    minutes = (session.minutes if minutes is None else minutes) if present else 0
    require_minutes(session, minutes, is_present=present)
    return Attendance(
        session=session,
        participation_id=participation_id,
        state=state,
        minutes=minutes,
        method=method,
        marked_by=by,
    )


def require_minutes(session: Session, minutes: int, *, is_present: bool = True) -> None:
    """Raises ``RuleBroken`` for minutes that nobody can have been at the session."""
    if minutes < 0 or (is_present and minutes < 1):
        raise RuleBroken(_("Somebody who was present was there for at least a minute."))
    if minutes > session.minutes:
        raise RuleBroken(
            _("The session has %(count)s minutes; nobody can be present longer.") % {"count": session.minutes}
        )


def _differs(was: Attendance, now: Attendance) -> bool:
    return (was.state, was.minutes) != (now.state, now.minutes)


def _change(was: Attendance, now: Attendance, by: Any, reason: str) -> AttendanceChange:
    return AttendanceChange(
        attendance=was,
        state_before=was.state,
        minutes_before=was.minutes,
        method_before=was.method,
        marked_by_before_id=was.marked_by_id,
        marked_at_before=was.marked_at,
        state_after=now.state,
        minutes_after=now.minutes,
        reason=reason.strip(),
        by=by,
    )


# People present at another session that overlaps, in whatever class and participation.
ELSEWHERE = """
SELECT own.id, trainee.name, class.name, session.starts_at
FROM programmes_participation own
JOIN programmes_participation other ON other.trainee_id = own.trainee_id
JOIN courses_attendance mark ON mark.participation_id = other.id AND mark.state = 'present'
JOIN courses_session session ON session.id = mark.session_id
JOIN courses_trainingclass class ON class.id = session.training_class_id
JOIN trainees_trainee trainee ON trainee.id = own.trainee_id
WHERE own.id = ANY(%(people)s) AND session.id <> %(session)s
    AND session.starts_at < %(ends_at)s AND session.ends_at > %(starts_at)s
ORDER BY own.id
"""


def elsewhere(session: Session, people: Iterable[int]) -> dict[int, tuple[str, str, datetime]]:
    """Of the participations those marked present at another session at that time: name, class and when it began."""
    values: dict[str, Any] = {
        "people": list(people),
        "session": session.pk,
        "starts_at": session.starts_at,
        "ends_at": session.ends_at,
    }
    with connection.cursor() as cursor:
        cursor.execute(ELSEWHERE, values)
        return {pk: (name, training_class, began) for pk, name, training_class, began in cursor.fetchall()}


def lock_participants(participations: Iterable[int]) -> None:
    """Hold these people, always in one order: of two sessions at one time that mark somebody, one waits and is told."""
    people = Trainee.objects.filter(participations__in=list(participations)).order_by("pk")
    list(people.select_for_update(no_key=True, of=["self"]).values_list("pk", flat=True))


def _require_at_one_place(session: Session, people: list[int], by: Any) -> None:
    """The other class is named to whoever may see it."""
    if found := elsewhere(session, people):
        names = {training_class for _name, training_class, _at in found.values()}
        seen = set(TrainingClass.objects.visible_to(by).filter(name__in=names).values_list("name", flat=True))
        named = "; ".join(
            f"{name} ({training_class if training_class in seen else _('another class')})"
            for name, training_class, _at in list(found.values())[:MOST_NAMED]
        )
        raise RuleBroken(
            _("Marked as present in another class at the same time: %(named)s.")
            % {"named": named + (" …" if len(found) > MOST_NAMED else "")}
        )


@transaction.atomic
def close_session(session: Session, *, by: Any, at: datetime | None = None) -> int:
    """End the marking of a session: whoever has no mark was absent. Returns how many those were."""
    locked = Session.objects.select_for_update(of=["self"]).get(pk=session.pk)
    at = at or timezone.now()
    if locked.is_closed:
        raise RuleBroken(_("This session is closed already."))
    if at < locked.ends_at:
        raise RuleBroken(_("This session is not over yet; it can be closed when it is."))
    enrolled = Enrolment.objects.filter(of_the_session(locked)).values_list("participation_id", flat=True)
    there = set(locked.attendances.values_list("participation_id", flat=True))
    rest = [
        _mark(locked, pk, AttendanceState.ABSENT, None, AttendanceMethod.CLOSING, by)
        for pk in enrolled
        if pk not in there
    ]
    Attendance.objects.bulk_create(rest)
    locked.closed_at, locked.closed_by = at, by
    locked.save(update_fields=["closed_at", "closed_by"])
    return len(rest)
