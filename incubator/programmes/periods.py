"""The one home of the deadline: when a support period ends, from what was given at graduation and what changed since.

Plain values in, a day out; nothing here asks the database or the clock. All days are those of China's calendar and
all ends are included.
"""

from dataclasses import dataclass
from datetime import date, timedelta

REMINDER_DAYS = (30, 14, 3)  # days before the end on which a reminder falls due


@dataclass(frozen=True, slots=True)
class Pause:
    """Days on which the period does not run, both ends included.

    Of an open one ``last`` is the latest day it can have: nobody said yet when it is over, so it counts as far as the
    day on which one asks, and no further than ``last``.
    """

    first: date
    last: date
    is_open: bool = False

    @property
    def days(self) -> int:
        """Days it takes of what the cohort allows; an open one all that were left for it."""
        return (self.last - self.first).days + 1

    def counted_until(self, on: date) -> date:
        """Its last day that counts as of ``on``; before ``first`` where none does."""
        return min(self.last, on) if self.is_open else self.last

    def covers(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Period:
    """A support period: as it was given (``starts_on`` to ``base_ends_on``), days added, and days it did not run.

    ``pauses`` do not overlap.
    """

    starts_on: date
    base_ends_on: date
    extended: int = 0
    pauses: tuple[Pause, ...] = ()

    def ends_on(self, on: date) -> date:
        """The last day as of ``on``: that on which the last of its days which are not paused falls.

        It moves by the day while an open pause runs. Days of a pause before the period starts, and of pauses that
        begin after its end, do not count.
        """
        end = self.base_ends_on + timedelta(days=self.extended)
        for pause in sorted(self.pauses, key=lambda one: one.first):
            if pause.first > end:
                break
            paused = (pause.counted_until(on) - max(pause.first, self.starts_on)).days + 1
            end += timedelta(days=max(0, paused))
        return end

    def paused_days(self) -> int:
        """Days of pause given, which the cohort's limit counts."""
        return sum(pause.days for pause in self.pauses)

    def pause_on(self, day: date) -> Pause | None:
        """The pause that runs on a day within the period; None on a day that counts."""
        if not self.starts_on <= day <= self.ends_on(day):
            return None
        return next((pause for pause in self.pauses if pause.covers(day)), None)

    def meets(self, other: Pause) -> Pause | None:
        """A pause that has a day in common with another one."""
        return next((pause for pause in self.pauses if pause.first <= other.last and other.first <= pause.last), None)


def stage_due(days_before: int) -> int | None:
    """The newest reminder due so many days before the end; None while none is, or when it is over."""
    return min((stage for stage in REMINDER_DAYS if stage >= days_before >= 0), default=None)
