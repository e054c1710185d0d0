"""Who sees which region. Default deny."""

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction
from django.utils import timezone

from incubator.accounts.models import Posting, User
from incubator.regions.choices import Level
from incubator.regions.models import KeyCounty, Region
from incubator.regions.scoping import RegionScope, in_scope_q, scope_of
from tests import factories
from trainees.models import Trainee

pytestmark = pytest.mark.django_db

COUNTIES = ["622927", "622926", "620102", "520526", "429004"]


@pytest.fixture
def people():
    """A trainee in each of five counties; 429004 hangs directly under its province, 441900 (东莞) has no counties."""
    for code in COUNTIES[:4]:
        factories.TraineeFactory(county=factories.region(code))
    hubei = factories.region("420000", level=Level.PROVINCE)
    county = Region.objects.create(
        code="429004", name="仙桃市", level=Level.COUNTY, parent=hubei, province=hubei, prefecture=None
    )
    factories.TraineeFactory(county=county)
    factories.TraineeFactory(county=factories.region("441900", "东莞市", level=Level.PREFECTURE))


def seen(user):
    return sorted(Trainee.objects.visible_to(user).values_list("county_id", flat=True))


@pytest.mark.parametrize(
    ("posted_to", "expected"),
    [
        ("622927", ["622927"]),
        ("622900", ["622926", "622927"]),
        ("620000", ["620102", "622926", "622927"]),
        ("420000", ["429004"]),
        ("441900", ["441900"]),
        ("440000", ["441900"]),
        ("110000", []),
    ],
)
def test_people_are_seen_by_county_prefecture_and_province(people, posted_to, expected):
    assert seen(factories.official(posted_to)) == expected


def test_whole_country_is_seen_by_those_posted_to_it_and_by_superusers(people):
    everywhere = factories.UserFactory()
    Posting.objects.create(user=everywhere, is_whole_country=True)
    assert len(seen(everywhere)) == len(seen(factories.superuser())) == 6


def test_nobody_else_sees_anything(people):
    unposted = factories.UserFactory(is_staff=True)
    inactive = factories.official("622927", is_active=False)
    locked = factories.superuser(is_active=False)
    for user in (unposted, inactive, locked, AnonymousUser()):
        assert seen(user) == []
        assert not Region.objects.visible_to(user).exists()
        assert not KeyCounty.objects.visible_to(user).exists()


@pytest.mark.parametrize(
    ("starts", "ends", "is_posted"),
    [(0, None, True), (0, 0, True), (1, None, False), (-10, -1, False), (-10, 0, True), (-10, 10, True)],
)
def test_posting_holds_from_its_first_to_its_last_day(people, starts, ends, is_posted):
    today = timezone.localdate()
    user = factories.UserFactory()
    Posting.objects.create(
        user=user,
        region_id="622927",
        starts_on=today + timedelta(days=starts),
        ends_on=None if ends is None else today + timedelta(days=ends),
    )
    assert bool(seen(User.objects.get(pk=user.pk))) == is_posted


def test_postings_add_up(people):
    user = factories.official("622927")
    Posting.objects.create(user=user, region_id="520526", starts_on=date(2020, 1, 1))
    assert seen(User.objects.get(pk=user.pk)) == ["520526", "622927"]


def test_posting_names_a_region_or_the_whole_country():
    user = factories.UserFactory()
    for wrong in ({}, {"region": factories.region("622927"), "is_whole_country": True}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Posting.objects.create(user=user, **wrong)


def test_empty_scope_matches_no_row_even_when_negated_paths_are_long(people):
    assert scope_of(None) == RegionScope()
    assert not Trainee.objects.filter(in_scope_q(RegionScope(), "county")).exists()
