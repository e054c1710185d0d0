"""Finding a person and reading the whole story, on a desk and on a phone."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from incubator.metrics.models import CreatorAccount
from incubator.programmes.models import Participation
from tests import factories
from tests.browser.conftest import fits
from tests.desk.test_person_page import add_one_more_of_everything
from tests.desk.world import make_world
from trainees.choices import ChangeKind
from trainees.history import Change, record_changes
from trainees.models import Trainee
from trainees.names import initials


@pytest.fixture
def person():
    """A county with a few people, one of them with a long story."""
    staff = factories.superuser(username="root", display_name="陈干事")
    world = make_world("622927", "甲")
    for name in ("单晓明", "马小红", "仇志刚", "妥文英", "尉迟秀兰"):
        other = factories.TraineeFactory(name=name, initials=initials(name), background="graduate", sex="female")
        factories.ParticipationFactory(trainee=other, cohort=world[Participation].cohort)
    for n in range(3):
        add_one_more_of_everything(world, n)
    trainee = world[Trainee]
    Trainee.objects.filter(pk=trainee.pk).update(name="王小明", initials="wxm")
    account = CreatorAccount.objects.filter(trainee=trainee).first()
    for days in range(1, 80):
        factories.reading(account, timezone.localdate() - timedelta(days=days), 123_456 - 900 * days)
    record_changes(
        [Change(trainee.pk, {"phone": ("+8613900005678", "+8613800001234"), "name": ("王晓明", "王小明")})],
        kind=ChangeKind.IMPORTED,
        by=staff,
    )
    return trainee


@pytest.mark.parametrize("width", [1280, 390])
def test_a_person_is_found_and_the_whole_story_read(visit, shoot, live_server, person, width):
    page = visit("root", width=width)
    page.goto(live_server.url + reverse("admin:trainees_trainee_changelist"))
    assert fits(page)
    shoot(page, f"people-{width}")
    page.get_by_text("筛选").first.click()
    page.locator("input[name=created_at_from]").wait_for(state="visible")
    shoot(page, f"people-filters-{width}")
    page.goto(live_server.url + reverse("admin:trainees_trainee_changelist"))
    page.fill("#searchbar", "wxm")
    page.press("#searchbar", "Enter")
    page.get_by_role("link", name=person.number).click()
    page.wait_for_load_state("networkidle")
    assert fits(page)
    shoot(page, f"person-{width}")
    page.click(".desk-tabs a:last-of-type")
    assert page.evaluate("document.querySelector('section:target') !== null")
    assert page.locator("section:target").get_by_text("王晓明 → 王小明").is_visible()


def test_the_search_box_finds_a_person_from_the_home_page(visit, shoot, person):
    page = visit("root", width=1400)
    page.wait_for_load_state("networkidle")
    page.click(".desk-search")
    page.locator("#search-input-command").press_sequentially("sxm")
    page.get_by_text("单晓明").wait_for()
    shoot(page, "search-box")
    page.press("#search-input-command", "ArrowDown")
    page.press("#search-input-command", "Enter")
    page.wait_for_url("**/trainee/*/change/")
    assert "单晓明" in page.content()
