"""The support period, told once in SQL and once in Python, pinned to each other."""

from datetime import date, timedelta

import pytest

from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Participation
from tests import factories

FIRST = date(2026, 6, 1)
LAST = FIRST + timedelta(days=179)

EDGES = [
    (FIRST - timedelta(days=1), None, False),
    (FIRST, 180, True),
    (FIRST + timedelta(days=1), 179, True),
    (LAST, 1, True),
    (LAST + timedelta(days=1), 0, False),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("day", "days_left", "is_in"), EDGES)
def test_support_period_includes_both_end_days(day, days_left, is_in):
    person = factories.graduate_row(FIRST)
    assert person.support_days_left(day) == days_left
    assert Participation.objects.in_support(day).exists() == is_in == bool(days_left)


@pytest.mark.django_db
def test_support_ends_with_withdrawal_and_is_unknown_before_graduation():
    person = factories.graduate_row(FIRST)
    Participation.objects.update(state=ParticipationState.WITHDRAWN)
    assert not Participation.objects.in_support(FIRST).exists()
    assert factories.ParticipationFactory().support_days_left(FIRST) is None
    assert person.pk
