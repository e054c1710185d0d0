"""The days of the demo, counted from the day it was first built, so that a second start goes on where the first was."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone

READING_DAYS = 90


@dataclass(frozen=True, slots=True)
class DemoClock:
    """``built_on`` is the last day with readings; everything else lies before it."""

    built_on: date

    @property
    def cohort_starts_on(self) -> date:
        return self.built_on - timedelta(days=120)

    @property
    def class_starts_on(self) -> date:
        return self.built_on - timedelta(days=97)

    @property
    def graduates_on(self) -> date:
        return self.built_on - timedelta(days=92)

    @property
    def consents_on(self) -> date:
        return self.built_on - timedelta(days=90)

    @property
    def reading_days(self) -> list[date]:
        return [self.built_on - timedelta(days=back) for back in range(READING_DAYS - 1, -1, -1)]

    @property
    def kuaishou_days(self) -> list[date]:
        """Those on which nobody is on the second platform yet."""
        return self.reading_days[:-7]

    @property
    def douyin_days(self) -> list[date]:
        """Refreshes of both platforms: a week of them, and the first fills 30 days of the second one back."""
        return self.reading_days[-7:]

    @property
    def joins_douyin_on(self) -> date:
        return self.douyin_days[0] - timedelta(days=1)

    @staticmethod
    def at(day: date, hour: int = 3) -> datetime:
        return timezone.make_aware(datetime.combine(day, time(hour)))
