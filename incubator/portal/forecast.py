"""What a trainee is told about the way to the number: how fast, how fast it must be, by when, and what helps.

Staff see a band; here is only said what is known and what can still be done.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from incubator.forecasts.models import Forecast
from incubator.forecasts.queries import Kept, kept_of, newest_back_test, when_sentence
from incubator.programmes.models import Participation

STALE_AFTER = timedelta(days=3)  # a forecast older than this is not told


@dataclass(frozen=True, slots=True)
class Outlook:
    """A forecast as its trainee reads it. Days are counted from the day it was made for."""

    forecast: Forecast
    kept: Kept | None

    @property
    def has_future(self) -> bool:
        """Whether anything is said about the days to come."""
        return bool(self.forecast.band) and not self.forecast.is_reached and self.forecast.pace is not None

    @property
    def pace(self) -> int:
        return round(self.forecast.pace or 0)

    @property
    def lost(self) -> int:
        """Followers lost a day; 0 where none are."""
        return max(0, -self.pace)

    @property
    def faster_by(self) -> int:
        """Followers a day more than in the last 14 days that reach the number in time; 0 where the pace is enough."""
        return max(0, (self.forecast.needed_per_day or 0) - max(0, self.pace))

    @property
    def when(self) -> str:
        return when_sentence(self.forecast)

    @property
    def is_in_time(self) -> bool:
        """Whether the expected day lies within the support period."""
        expected = self.forecast.expected_on
        return expected is not None and expected <= self.forecast.support_ends_on

    @property
    def is_trusted(self) -> bool:
        return self.forecast.is_calibrated and self.kept is not None


def outlook_of(participation: Participation | None, *, award: Any, on: date) -> Outlook | None:
    """None for whoever is out of support, holds the badge, or has no forecast of these days. Two queries at most."""
    if participation is None or award is not None or not participation.support_days_left(on):
        return None
    found = Forecast.objects.filter(participation=participation, as_of__gte=on - STALE_AFTER)
    forecast = found.select_related("badge").first()
    return None if forecast is None else Outlook(forecast, kept_of(newest_back_test()))
