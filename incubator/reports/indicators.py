"""What a report shows of the figures, in order: the page and the workbook read the same list."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from incubator.reports.queries import CountyFigures


@dataclass(frozen=True, slots=True)
class Indicator:
    """A line of the report: its name, unit, value (None where unknown) and what exactly is counted."""

    group: Any
    name: Any
    unit: Any
    value: Callable[[CountyFigures], int | Decimal | None]
    counted: Any


PEOPLE, TRAINING, FOLLOWERS, SUPPORT, LEADERS = (
    _("Trainees"),
    _("Training"),
    _("Followers"),
    _("Support"),
    _("Certification"),
)
PERSONS, TIMES, HOURS, ACCOUNTS = _("persons"), _("person-times"), _("class hours"), pgettext_lazy("unit", "accounts")
FOLLOWER_COUNT, IMPRESSIONS = pgettext_lazy("unit", "followers"), pgettext_lazy("unit", "impressions")

INDICATORS = [
    Indicator(
        PEOPLE, _("Trainees"), PERSONS, lambda f: f.trainees, _("nominated by the end of the period, not refused")
    ),
    Indicator(
        TRAINING, _("Trained"), PERSONS, lambda f: f.trained, _("present at a session of the period at least once")
    ),
    Indicator(
        TRAINING,
        _("Person-times trained"),
        TIMES,
        lambda f: f.person_times,
        _("each person at each session counts once"),
    ),
    Indicator(
        TRAINING, _("Class hours"), HOURS, lambda f: f.class_hours, _("45 minutes each, counted from attendance")
    ),
    Indicator(
        TRAINING, _("Graduated in the period"), PERSONS, lambda f: f.graduates, _("day of graduation within the period")
    ),
    Indicator(TRAINING, _("Graduated in total"), PERSONS, lambda f: f.graduates_total, _("by the end of the period")),
    Indicator(FOLLOWERS, _("Creator accounts"), ACCOUNTS, lambda f: f.accounts, _("all accounts of the trainees")),
    Indicator(
        FOLLOWERS, _("Connected accounts"), ACCOUNTS, lambda f: f.connected, _("whose creators let us read them")
    ),
    Indicator(
        FOLLOWERS,
        _("Followers"),
        FOLLOWER_COUNT,
        lambda f: f.followers,
        _("newest reading of each account within the period or before"),
    ),
    Indicator(
        FOLLOWERS,
        _("Growth"),
        FOLLOWER_COUNT,
        lambda f: f.growth,
        _("only accounts read both before the period and within it"),
    ),
    Indicator(FOLLOWERS, _("10,000 followers and more"), ACCOUNTS, lambda f: f.over_10k, _("by the newest reading")),
    Indicator(FOLLOWERS, _("100,000 followers and more"), ACCOUNTS, lambda f: f.over_100k, _("by the newest reading")),
    Indicator(
        SUPPORT, _("In their support period"), PERSONS, lambda f: f.in_support, _("on the last day of the report")
    ),
    Indicator(
        SUPPORT,
        _("Traffic granted"),
        IMPRESSIONS,
        lambda f: f.impressions,
        _("approved in the period, not taken back"),
    ),
    Indicator(
        LEADERS, _("Certified in the period"), PERSONS, lambda f: f.leaders, _("awards of the period, not withdrawn")
    ),
    Indicator(LEADERS, _("Certified in total"), PERSONS, lambda f: f.leaders_total, _("by the end of the period")),
]
