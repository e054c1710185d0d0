"""Reads of this room: what forecasts are reckoned with, how they came true, and a forecast in words and as a fan."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from incubator.common.charts import Curve, curves_chart
from incubator.forecasts.method import (
    BEYOND,
    DENSE,
    FEWEST_READINGS,
    HIGH,
    HORIZONS,
    KINDS,
    LOW,
    MIDDLE,
    SHORTEST,
    Shapes,
    Table,
    path,
)
from incubator.forecasts.models import BackTest, Calibration, Forecast


def table_on(on: date) -> Table:
    """The scores learned last by a day; the prior where nothing was learned yet."""
    table = Table.prior()
    newest = Calibration.objects.filter(fitted_on__lte=on).order_by("-fitted_on").values("fitted_on")[:1]
    for row in Calibration.objects.filter(fitted_on=newest):
        place = HORIZONS.index(row.horizon)
        table.scores[place, row.group] = row.scores
        table.is_calibrated[place, row.group] = row.is_calibrated
    return table


def newest_back_test() -> list[BackTest]:
    """How forecasts came true when it was measured last, by horizon; empty before the first time."""
    newest = BackTest.objects.order_by("-measured_on").values("measured_on")[:1]
    return list(BackTest.objects.filter(measured_on=newest).order_by("horizon"))


@dataclass(frozen=True, slots=True)
class Kept:
    """What all horizons together held of their 80 % ranges, as of a day."""

    cases: int
    coverage: float
    measured_on: date

    @property
    def percent(self) -> int:
        return round(100 * self.coverage)


def kept_of(tests: Sequence[BackTest]) -> Kept | None:
    """None where nothing could be compared yet. Days of reaching a number are no part of it."""
    own = [test for test in tests if test.horizon]
    cases = sum(test.cases for test in own)
    if not cases:
        return None
    return Kept(cases, sum(test.held for test in own) / cases, own[0].measured_on)


def percent(share: float | None, digits: int = 1) -> str:
    """``79.8%``, and a dash for what is not known."""
    return "-" if share is None else f"{100 * share:.{digits}f}%"


# --- In words ---------------------------------------------------------------------------------------------------------


def when_sentence(forecast: Forecast) -> str:
    """By when the number is reached, with the range; a day is only named within 60 days of the last reading."""
    if not forecast.band:
        return str(forecast.get_reason_display())
    if forecast.is_reached:
        return _("The number is reached.")
    known = {
        "expected": _day(forecast.expected_on),
        "first": _day(forecast.reached_from),
        "last": _day(forecast.reached_until),
        "later": _day(forecast.later_than),
    }
    if forecast.reached_from is None:
        return _("later than %(later)s") % known
    if forecast.expected_on is None:
        return _("not before %(first)s, perhaps only after %(later)s") % known
    if forecast.reached_until is None:
        return _("about %(expected)s; not before %(first)s, perhaps only after %(later)s") % known
    return _("about %(expected)s, between %(first)s and %(last)s") % known


def _day(day: date | None) -> str:
    return date_format(day, "DATE_FORMAT") if day else ""


# --- As a picture -----------------------------------------------------------------------------------------------------

SHOWN = range(2, BEYOND + 1, 2)  # days that are drawn


def fan(forecast: Forecast) -> Any:
    """The next 60 days as three lines: the middle and the ends of the 80 % range; empty where nothing is said."""
    if forecast.pace is None or forecast.followers is None or forecast.group is None or forecast.read_on is None:
        return ""
    shapes = _shapes(forecast)
    table = table_on(forecast.as_of)
    names = ((HIGH, _("upper end of the range")), (MIDDLE, _("expected")), (LOW, _("lower end of the range")))
    curves = [
        Curve(name, [(0, forecast.followers), *((day, float(path(shapes, table, day, level)[0])) for day in SHOWN)])
        for level, name in names
    ]
    label = _("Followers in the 60 days after %(day)s") % {"day": forecast.read_on}
    return curves_chart(curves, label=label, steps=BEYOND, every=10, unit=_("day %s"))


def _shapes(forecast: Forecast) -> Shapes:
    """What the forecast was reckoned from; readings so many that it is of the same kind of account again."""
    readings = DENSE if (forecast.group or 0) >= KINDS else FEWEST_READINGS
    columns = (forecast.followers, forecast.pace, forecast.restless, readings, SHORTEST)
    return Shapes(*(np.array([value], float) for value in columns))
