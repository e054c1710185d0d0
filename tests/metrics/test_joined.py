"""Regions' days stay true when two people turn out to be one, and when that is undone."""

import random

import pytest

from incubator.metrics.models import CreatorAccount, RegionDay
from incubator.metrics.services.rollups import recount_joined
from tests.factories import CreatorAccountFactory, TraineeFactory, region
from tests.metrics.test_readings import assert_regions_are_true
from tests.metrics.test_reconcile import COUNTIES, everything, people, play
from trainees.models import Trainee

pytestmark = pytest.mark.django_db


def accounts_of(trainee):
    return list(CreatorAccount.objects.filter(trainee=trainee).order_by("pk").values_list("pk", flat=True))


def kept():
    return sorted(RegionDay.objects.values_list("code", "day", "accounts", "followers", "people", "read", "growth"))


# Counties of one person, of one county, of one prefecture, of one province, of two provinces.
PAIRS = [(0, 5), (0, 1), (0, 2), (0, 3)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("places", PAIRS)
def test_days_of_regions_follow_people_who_are_one(seed, places):
    dice = random.Random(seed)
    play(dice, people(10), rounds=16)
    persons = list(Trainee.objects.order_by("pk"))
    stays, goes = persons[places[0]], persons[places[1]]
    ours, theirs = accounts_of(stays), accounts_of(goes)
    counties = {stays.county_id, goes.county_id}
    before = kept()

    CreatorAccount.objects.filter(trainee=goes).update(trainee=stays)
    recount_joined(ours, theirs, counties=counties, are_one=True)

    assert_regions_are_true()
    assert everything() == []
    assert kept() != before

    CreatorAccount.objects.filter(pk__in=theirs).update(trainee=goes)
    recount_joined(ours, theirs, counties=counties, are_one=False)

    assert_regions_are_true()
    assert kept() == before


def test_a_county_that_changes_with_the_person_is_counted():
    dice = random.Random(7)
    play(dice, people(10), rounds=16)
    stays, goes = Trainee.objects.order_by("pk")[:2]
    ours, theirs = accounts_of(stays), accounts_of(goes)
    counties = {stays.county_id, goes.county_id}

    CreatorAccount.objects.filter(trainee=goes).update(trainee=stays)
    Trainee.objects.filter(pk=stays.pk).update(county=goes.county_id)
    recount_joined(ours, theirs, counties=counties, are_one=True)

    assert_regions_are_true()


def test_people_without_readings_change_nothing():
    one, two = (CreatorAccountFactory(trainee=TraineeFactory(county=region(code))) for code in COUNTIES[:2])

    recount_joined([one.pk], [two.pk], counties={*COUNTIES[:2]}, are_one=True)
    recount_joined([one.pk], [], counties={COUNTIES[0]}, are_one=True)

    assert not RegionDay.objects.exists()
