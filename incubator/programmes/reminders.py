"""Reminders of a support period's end: made 30, 14 and 3 days before it, closed as soon as they are not true."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import batched

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from incubator.programmes.choices import ParticipationState, SupportReminderEnd
from incubator.programmes.interests import is_settled
from incubator.programmes.models import Participation, SupportChange, SupportReminder
from incubator.programmes.periods import REMINDER_DAYS, stage_due
from incubator.programmes.support import AT_ONCE, move_open_pauses


def remind_support(*, on: date, at: datetime) -> int:
    """Remind whose support period ends within ``REMINDER_DAYS`` from ``on``; how many reminders were made.

    Ends are computed anew first. Done twice it makes no second reminder; done late only the newest stage that is due.
    """
    move_open_pauses(on=on)
    with transaction.atomic():
        _close_untrue(on, at)
        return sum(_make(list(some), on, at) for some in batched(_due(on), AT_ONCE))


def _standing_still(participation: str, on: date) -> Exists:
    """Paused without a last day: the end moves with the calendar, so there is no day to remind of."""
    return Exists(SupportChange.objects.never_ended().pauses_on(on).filter(participation=OuterRef(participation)))


def _close_untrue(on: date, at: datetime) -> None:
    """The first reason that fits is the one that is told."""
    reasons: list[tuple[SupportReminderEnd, Q]] = [
        (SupportReminderEnd.ENDED, ~Q(participation__state=ParticipationState.GRADUATED)),
        (SupportReminderEnd.PAUSED, Q(_standing_still("participation_id", on))),
        (SupportReminderEnd.MOVED, ~Q(participation__support_ends_on=F("ends_on"))),
        (SupportReminderEnd.OVER, Q(ends_on__lt=on)),
        (SupportReminderEnd.SETTLED, Q(is_settled("participation_id"))),
        *((SupportReminderEnd.NEXT, after) for after in _followed(on)),
    ]
    for outcome, is_so in reasons:
        SupportReminder.objects.open().filter(is_so).update(closed_at=at, outcome=outcome)


def _followed(on: date) -> Iterator[Q]:
    """Reminders whose next stage is due."""
    for stage in REMINDER_DAYS[1:]:
        yield Q(stage__gt=stage, ends_on__lte=on + timedelta(days=stage))


def _due(on: date) -> Iterator[tuple[int, date]]:
    """``(participation id, last day)`` of whoever is to be reminded and is not."""
    reminded = SupportReminder.objects.open().filter(participation=OuterRef("pk"))
    rows = Participation.objects.filter(
        ~Exists(reminded),
        ~Q(_standing_still("pk", on)),
        ~Q(is_settled("pk")),
        state=ParticipationState.GRADUATED,
        support_starts_on__lte=on,
        support_ends_on__gte=on,
        support_ends_on__lte=on + timedelta(days=max(REMINDER_DAYS)),
    )
    for pk, ends_on in rows.order_by("pk").values_list("pk", "support_ends_on"):
        if ends_on is not None:  # the filter sees to it
            yield pk, ends_on


def _make(due: list[tuple[int, date]], on: date, at: datetime) -> int:
    """Of two runs at once one makes each; the other leaves it."""
    staged = [(pk, ends_on, stage_due((ends_on - on).days)) for pk, ends_on in due]
    rows = [
        SupportReminder(
            participation_id=pk, ends_on=ends_on, stage=stage, due_on=ends_on - timedelta(days=stage), made_at=at
        )
        for pk, ends_on, stage in staged
        if stage is not None
    ]
    made = SupportReminder.objects.filter(participation__in=[row.participation_id for row in rows], closed_at=None)
    before = made.count()
    SupportReminder.objects.bulk_create(rows, ignore_conflicts=True)
    return made.count() - before


def mark_support_reminder_seen(reminder: SupportReminder, *, at: datetime) -> None:
    """The trainee has it before them; the first time counts."""
    SupportReminder.objects.filter(pk=reminder.pk, seen_at=None).update(seen_at=at)
