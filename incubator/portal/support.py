"""What a trainee is told about the support period: until when, whether it stands still, and that its end is near."""

from dataclasses import dataclass
from datetime import date, datetime

from incubator.programmes.models import Participation, SupportChange, SupportReminder
from incubator.programmes.periods import Pause
from incubator.programmes.queries import changes_in_force, pauses_in, period_from
from incubator.programmes.reminders import mark_support_reminder_seen


@dataclass(frozen=True, slots=True)
class SupportNow:
    """A support period as of a day. ``pause`` is the one that runs, ``cause`` why in a word; ``reminder`` is one that
    is open and true."""

    base_ends_on: date
    ends_on: date
    pause: Pause | None
    cause: str
    reminder: SupportReminder | None

    @property
    def was_moved(self) -> bool:
        return self.ends_on != self.base_ends_on

    @property
    def urgency(self) -> str:
        """``soon``, ``urgent`` or ``last``, by the stage of the reminder; empty where there is none."""
        return {30: "soon", 14: "urgent"}.get(self.reminder.stage, "last") if self.reminder else ""


def support_now(participation: Participation, *, on: date) -> SupportNow | None:
    """How the period stands, computed anew; None while none is open. Two queries.

    The participation at hand gets the computed end, so that everything on a page says the same day.
    """
    if participation.support_starts_on is None:
        return None
    changes = list(SupportChange.objects.filter(participation=participation).order_by("pk"))
    period = period_from(participation, changes)
    if period is None:
        return None
    pause = period.pause_on(on)
    why = [row for row, one in pauses_in(changes_in_force(changes)) if one == pause]
    reminder = SupportReminder.objects.due(on).filter(participation=participation).first()
    ends_on = participation.support_ends_on = period.ends_on(on)
    is_true = reminder is not None and reminder.ends_on == ends_on and not (pause and pause.is_open)
    return SupportNow(
        period.base_ends_on, ends_on, pause, why[0].get_cause_display() if why else "", reminder if is_true else None
    )


def mark_seen(support: SupportNow | None, *, at: datetime) -> None:
    """The trainee has the reminder before them; no query where there is none, or it was seen."""
    if support and support.reminder and support.reminder.seen_at is None:
        mark_support_reminder_seen(support.reminder, at=at)
