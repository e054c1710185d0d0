"""Graduates whose support periods are changed, for the tests of this room."""

from datetime import date, timedelta

from incubator.programmes.models import Participation, SupportChange
from incubator.programmes.queries import periods_of
from incubator.programmes.support import extend_support, pause_support, resume_support, take_back_support_change
from tests import factories

FIRST = date(2026, 6, 1)
LAST = date(2026, 11, 27)  # 180 days
TODAY = date(2026, 11, 20)


def d(text):
    return date.fromisoformat(text)


def graduate(**kwargs):
    """In support from FIRST to LAST, in a cohort with the usual limits: 90 days, 180 days, 30 days of grace."""
    return factories.graduate_row(FIRST, **kwargs)


def extend(person, days=10, *, by, on=TODAY, reason="迟开班", cause="other"):
    return extend_support(person, days=days, cause=cause, reason=reason, by=by, on=on)


def pause(person, first=TODAY, last=None, *, by, on=TODAY, reason="住院", cause="illness"):
    return pause_support(person, first_day=first, last_day=last, cause=cause, reason=reason, by=by, on=on)


def resume(person, goes_on_on=TODAY, *, by, on=TODAY, reason="已出院"):
    return resume_support(person, goes_on_on=goes_on_on, reason=reason, by=by, on=on)


def take_back(change, *, by, on=TODAY, reason="录错"):
    return take_back_support_change(change, reason=reason, by=by, on=on)


def ends_on(person) -> date:
    """The last day as its row has it."""
    return Participation.objects.get(pk=person.pk).support_ends_on


def assert_ends_are_true(on=TODAY):
    """Every row's end is the computed one, and the end as given is where it was."""
    rows = list(Participation.objects.exclude(support_starts_on=None))
    assert rows
    for pk, period in periods_of(rows).items():
        assert Participation.objects.get(pk=pk).support_ends_on == period.ends_on(on)


def kinds(person):
    return list(SupportChange.objects.filter(participation=person).order_by("pk").values_list("kind", flat=True))


def days(n):
    return timedelta(days=n)
