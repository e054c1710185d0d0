"""What a timetable must keep to, and where two of them want the same room or the same lecturer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from courses.models import Session, TrainingClass
from incubator.common.dates import moment
from incubator.common.errors import RuleBroken

LONGEST = timedelta(hours=24)
A_MOMENT = timedelta(microseconds=1)


def span(starts_at: datetime, ends_at: datetime) -> str:
    """``2026-06-01 08:00–09:30`` in the reader's own way of writing it."""
    day = moment(starts_at)
    return f"{day}–{date_format(timezone.localtime(ends_at), 'H:i')}"


def require_one_day(starts_at: datetime, ends_at: datetime) -> None:
    """Raises ``RuleBroken`` for a session that is not within one Chinese day. One may end at midnight."""
    when = {"from": span(starts_at, ends_at)}
    if ends_at <= starts_at:
        raise RuleBroken(_("The session of %(from)s must end after it starts.") % when)
    if ends_at - starts_at > LONGEST:
        raise RuleBroken(_("The session of %(from)s is longer than 24 hours. Check its dates.") % when)
    if timezone.localtime(starts_at).date() != timezone.localtime(ends_at - A_MOMENT).date():
        raise RuleBroken(
            _("The session of %(from)s reaches into a second day. Enter a session for each of the days.") % when
        )


def require_no_overlap(sessions: Iterable[Session]) -> None:
    """Raises ``RuleBroken`` where two sessions of one class overlap. One may begin when another ends."""
    for earlier, later in pairwise(sorted(sessions, key=lambda session: session.starts_at)):
        if later.starts_at < earlier.ends_at:
            raise RuleBroken(
                _("Two sessions of this class are at the same time: %(one)s and %(other)s.")
                % {"one": span(earlier.starts_at, earlier.ends_at), "other": span(later.starts_at, later.ends_at)}
            )


@dataclass(frozen=True, slots=True)
class Clash:
    """A session whose room or lecturer another class wants at an overlapping time."""

    session: Session
    is_room: bool
    other_class: TrainingClass | None  # none: one that the reader may not see
    starts_at: datetime  # of the other session
    ends_at: datetime


# Rooms are the same when they are of one institution, or of one place in one region where no institution is named.
_CLASHES = """
WITH own AS (
    SELECT session.id, session.starts_at, session.ends_at, session.lecturer_id, session.room,
        class.id AS class_id, class.institution_id, class.region_id, class.place
    FROM courses_session session JOIN courses_trainingclass class ON class.id = session.training_class_id
    WHERE class.id = %(class)s
)
SELECT own.id, false AS is_room, other.training_class_id, other.starts_at, other.ends_at
FROM own
JOIN courses_session other ON other.lecturer_id = own.lecturer_id
WHERE other.training_class_id <> own.class_id AND other.starts_at < own.ends_at AND other.ends_at > own.starts_at
UNION ALL
SELECT own.id, true, other.training_class_id, other.starts_at, other.ends_at
FROM own
JOIN courses_session other ON other.room = own.room AND own.room <> ''
JOIN courses_trainingclass class ON class.id = other.training_class_id
WHERE other.training_class_id <> own.class_id AND other.starts_at < own.ends_at AND other.ends_at > own.starts_at
    AND (class.institution_id = own.institution_id
        OR (class.institution_id IS NOT DISTINCT FROM own.institution_id
            AND class.region_id = own.region_id AND class.place = own.place AND own.place <> ''))
ORDER BY starts_at, is_room, training_class_id
"""


def clashes(training_class: TrainingClass, user: Any) -> list[Clash]:
    """Where sessions of a class meet another class's in one room or with one lecturer, by time.

    Only classes that ``user`` may see are told. Three queries at most.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CLASHES, {"class": training_class.pk})
        found = cursor.fetchall()
    if not found:
        return []
    own = Session.objects.select_related("version", "lecturer").in_bulk([row[0] for row in found])
    others = TrainingClass.objects.visible_to(user).in_bulk([row[2] for row in found])
    return [
        Clash(own[session], is_room, others.get(other), starts_at, ends_at)
        for session, is_room, other, starts_at, ends_at in found
    ]


def differs(before: Session, after: Session, names: Sequence[str]) -> bool:
    return any(getattr(before, name) != getattr(after, name) for name in names)
