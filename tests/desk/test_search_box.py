"""The search box over everything: what it finds, for whom, and that it keeps nothing."""

import pytest
from django.core.cache import cache
from django.urls import reverse

from tests import factories
from tests.desk.world import county_staff, make_world
from trainees.models import Trainee

pytestmark = pytest.mark.django_db
BOX = "/admin/search/"


def found(client, term):
    response = client.get(BOX, {"s": term})
    assert response.status_code == 200
    return response.content.decode()


def test_the_box_of_the_theme_asks_here():
    assert reverse("admin:search") == reverse("desk_search") == BOX


@pytest.mark.parametrize("term", ["学员甲", "xyj", "ks甲", "T2026-"])
def test_people_are_found_as_in_their_list(client, term):
    client.force_login(factories.superuser())
    person = make_world("622927", "甲")[Trainee]
    Trainee.objects.filter(pk=person.pk).update(initials="xyj")
    is_there = reverse("admin:trainees_trainee_change", args=[person.pk]) in found(client, term)
    assert is_there == (term != "ks甲")  # handles are ASCII: with another character it is the beginning of a name


def test_pages_and_certificates_are_found(client):
    client.force_login(factories.superuser())
    make_world("622927", "甲")
    assert "XC-甲" in found(client, "xc-甲")
    html = client.get(BOX, {"s": "PARTICIPATION"}, headers={"accept-language": "en"}).content.decode()
    assert reverse("admin:programmes_participation_changelist") in html


def test_nothing_is_said_for_nothing(client):
    client.force_login(factories.superuser())
    assert found(client, " ") == ""


def test_strangers_are_not_found(client):
    world = make_world("520526", "Z9外")
    client.force_login(county_staff("622927"))
    for term in ("学员Z9外", world[Trainee].number, "XC-Z9外", "ksZ9"):
        assert "Z9外" not in found(client, term)
        assert world[Trainee].number not in found(client, term)


def test_who_may_not_open_the_list_finds_nobody(client):
    make_world("622927", "甲")
    client.force_login(factories.official("622927", is_staff=True))
    assert "学员甲" not in found(client, "学员甲")


def test_what_was_found_is_not_kept(client, clean_cache):
    """Names lie in no cache, and somebody whose posting ended finds nothing at once."""
    make_world("622927", "甲")
    clerk = county_staff("622927")
    client.force_login(clerk)
    assert "学员甲" in found(client, "学员甲")
    assert not [key for key in cache._cache.get_client().keys("*") if b"search" in key]
    clerk.postings.update(ends_on="2020-01-01")
    assert "学员甲" not in found(client, "学员甲")


def test_a_page_of_results_is_short(client):
    client.force_login(factories.superuser())
    for _n in range(20):
        factories.TraineeFactory(name="张三")
    assert found(client, "张三").count("<li") <= 10
