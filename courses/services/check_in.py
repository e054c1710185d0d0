"""The only writer of check-ins: people who come, and leave, with their own phones.

Everything here holds the row of the session and then that of the person. So of two requests at once one waits for the
other, a session that is being closed lets nobody in, and nobody is let in at two places.
"""

from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from courses.check_in_codes import is_digits, is_for_leaving, is_open, minutes_there, opens_at, shuts_at
from courses.choices import AttendanceState
from courses.models import Attendance, CheckIn, Enrolment, Session
from courses.services.attendance import elsewhere, mark_attendance, of_the_session
from incubator.common.errors import RuleBroken
from incubator.programmes.models import Participation
from trainees.models import Trainee

WRONG_CODES, WRONG_CODES_SECONDS = 5, 600  # so many wrong codes somebody may type in so many seconds


# --- Codes that are typed ---------------------------------------------------------------------------------------------


def require_code(session: Session, digits: str, *, at: datetime, by: Any) -> None:
    """Raises ``RuleBroken`` for a wrong code, and for any code after too many wrong ones of the same person."""
    guesses = f"check-in-codes:{by.pk}"
    cache.add(guesses, 0, WRONG_CODES_SECONDS)
    if _count(guesses, 1) > WRONG_CODES:
        raise RuleBroken(_("Too many wrong codes. Scan the QR code, ask your teacher, or try again in ten minutes."))
    if not is_digits(session, digits, at):
        raise RuleBroken(_("This code is wrong or over. Look at the screen again and type the code that stands there."))
    _count(guesses, -1)


def _count(guesses: str, step: int) -> int:
    try:
        return cache.incr(guesses, step)
    except ValueError:  # the ten minutes ended just now
        return step


# --- Coming -----------------------------------------------------------------------------------------------------------


@transaction.atomic
def check_in(
    session: Session, participation: Participation, *, method: str, device: str, at: datetime, by: Any
) -> CheckIn:
    """Note that somebody came, and mark them present, unless the session asks them to check out as well.

    ``device`` is what their phone calls itself; ``at`` is when they came. Asking again gives what was noted and changes
    nothing. Constant in queries. Raises ``RuleBroken`` for anybody but the person themselves, people outside the
    class, outside the time, marked already, elsewhere at that time, or with a phone that checked in somebody else.
    """
    session = _lock(session, participation, by)
    known = CheckIn.objects.filter(session=session, participation=participation).first()
    mark = _mark_of(session, participation)
    if known is not None and (mark is not None or session.asks_check_out):
        return known
    _require_open(session, at)
    _require_allowed(session, participation, mark, device)
    row = known or CheckIn(
        session=session, participation=participation, method=method, came_at=at, device=_hashed(session, device)
    )
    minutes = minutes_there(session, row.came_at)
    if minutes < 1:
        raise RuleBroken(_("This session ends this very minute; there is nothing left to count."))
    row.save()
    if not session.asks_check_out:
        _mark(row, minutes, method=method, at=at, by=by)
    return row


@transaction.atomic
def check_out(
    session: Session, participation: Participation, *, method: str, device: str, at: datetime, by: Any
) -> CheckIn:
    """Note that somebody who checked in left, and mark them present for the minutes between.

    Asking again gives what was noted and changes nothing. Raises ``RuleBroken`` as ``check_in`` does.
    """
    session = _lock(session, participation, by)
    row = CheckIn.objects.filter(session=session, participation=participation).first()
    if row is None:
        raise RuleBroken(_("You have not checked in to this session. If you were there, tell your teacher."))
    if row.left_at is not None:
        return row
    if not session.asks_check_out:
        raise RuleBroken(_("Nobody has to check out of this session."))
    _require_leaving(session, at)
    _require_allowed(session, participation, _mark_of(session, participation), device)
    at = max(at, row.came_at)  # another server's clock may be behind
    minutes = minutes_there(session, row.came_at, at)
    if minutes < 1:
        raise RuleBroken(_("You have only just come. Check out when you leave."))
    row.left_at = at
    row.save(update_fields=["left_at"])
    _mark(row, minutes, method=method, at=at, by=by)
    return row


def _mark(row: CheckIn, minutes: int, *, method: str, at: datetime, by: Any) -> None:
    marks = {row.participation_id: (AttendanceState.PRESENT, minutes)}
    mark_attendance(row.session, marks=marks, by=by, method=method, at=at)


# --- What has to be so ------------------------------------------------------------------------------------------------


def _lock(session: Session, participation: Participation, by: Any) -> Session:
    """The session as it is now, and the person held: somebody checks in at one place at a time, and for nobody else."""
    session = Session.objects.select_for_update(of=["self"]).get(pk=session.pk)
    person = Trainee.objects.select_for_update(no_key=True).get(pk=participation.trainee_id)
    if person.user_id is None or person.user_id != by.pk:
        raise RuleBroken(_("Everybody checks in only themselves."))
    return session


def _hashed(session: Session, device: str) -> str:
    """64 characters that tell phones of one session apart, and say nothing about where else a phone was."""
    return salted_hmac("courses.check_in.device", f"{session.pk}:{device}", algorithm="sha256").hexdigest()


def _mark_of(session: Session, participation: Participation) -> Attendance | None:
    return session.attendances.filter(participation=participation).first()


def _clock(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "TIME_FORMAT")


def _require_not_closed(session: Session) -> None:
    if session.is_closed:
        raise RuleBroken(_("This session is closed. If you were there, tell your teacher."))


def _require_open(session: Session, at: datetime) -> None:
    _require_not_closed(session)
    if is_open(session, at):
        return
    if at < session.starts_at:
        day = date_format(timezone.localtime(session.starts_at), "DATE_FORMAT")
        raise RuleBroken(
            _("You can check in on %(day)s from %(time)s on.") % {"day": day, "time": _clock(opens_at(session))}
        )
    raise RuleBroken(_("This session is over. If you were there, tell your teacher."))


def _require_leaving(session: Session, at: datetime) -> None:
    _require_not_closed(session)
    if is_for_leaving(session, at):
        return
    if at < session.starts_at:
        raise RuleBroken(_("This session has not begun yet. Check out when you leave."))
    raise RuleBroken(
        _("People could check out until %(time)s. Tell your teacher when you left.")
        % {"time": _clock(shuts_at(session))}
    )


def _require_allowed(session: Session, participation: Participation, mark: Attendance | None, device: str) -> None:
    """Of the class, not marked by anybody, with a phone of their own, and nowhere else."""
    if not Enrolment.objects.filter(of_the_session(session), participation=participation).exists():
        raise RuleBroken(_("You are not in this class. Look at your timetable, or ask your teacher."))
    if mark is not None:
        raise RuleBroken(
            _("You are marked for this session already: %(mark)s. If that is wrong, tell your teacher.")
            % {"mark": mark.get_state_display()}
        )
    same_phone = CheckIn.objects.filter(session=session, device=_hashed(session, device))
    if same_phone.exclude(participation=participation).exists():
        raise RuleBroken(
            _(
                "Somebody else has checked in to this session with this phone. Everybody uses a phone of their own; "
                "who has none is marked by the teacher."
            )
        )
    _require_here(session, participation)


def _require_here(session: Session, participation: Participation) -> None:
    """Neither present nor, still to be marked, checked in at another session that overlaps."""
    other = next((name for _who, name, _at in elsewhere(session, [participation.pk]).values()), "")
    if not other:
        marks = Attendance.objects.filter(session=OuterRef("session"), participation=OuterRef("participation"))
        came = CheckIn.objects.filter(
            ~Exists(marks),
            participation__trainee=participation.trainee_id,
            session__starts_at__lt=session.ends_at,
            session__ends_at__gt=session.starts_at,
        )
        row = came.exclude(session=session).select_related("session__training_class").first()
        other = row.session.training_class.name if row else ""
    if other:
        raise RuleBroken(
            _("You are at another session at that time: %(class)s. If that is wrong, tell your teacher.")
            % {"class": other}
        )
