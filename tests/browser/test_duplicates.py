"""Two people side by side in a real browser: decided by keyboard, on a wide screen and on a phone, and undone."""

import pytest
from django.urls import reverse

from incubator.duplicates.models import DuplicatePair
from tests import factories
from tests.browser.conftest import fits
from tests.duplicates.world import ID_ONE, ID_OTHER, award, furnish, pair_of, record
from trainees.models import Trainee


def page_of(pair):
    return reverse("admin:duplicates_duplicatepair_change", args=[pair.pk])


@pytest.fixture
def two():
    """A person entered twice: in the same cohort, with two accounts, one of them certified; and a question more."""
    staff = factories.superuser(username="root", display_name="王主任")
    one = record("T2025-0000417", id_number=ID_ONE, phone="+8613800000001", township="吹麻滩镇", education="高中")
    other = record("T2026-0001289", name="马晓兰", id_number=ID_OTHER, phone="+8613800000001", township="大河家镇")
    programme = factories.ProgrammeFactory(name="农村青年主播")
    shared = factories.CohortFactory(programme=programme, name="2026年第一期")
    furnish(one, staff, "malan", cohort=shared, followers=[9_400, 9_800, 10_200])
    given = furnish(other, staff, "malan2026", cohort=shared, followers=[98_000, 104_000])
    award(given, staff, "XC-2026-000041")
    pair_of(record("T2026-0001290", name="赵强"), record("T2026-0001301", name="赵强"), why="name")
    return one, other


@pytest.mark.parametrize("width", [1280, 390])
def test_a_pair_is_looked_at_merged_and_undone(live_server, visit, shoot, two, width):
    one, other = two
    pair = pair_of(one, other)
    page = visit("root", width=width)
    page.goto(live_server.url + reverse("admin:duplicates_duplicatepair_changelist"))
    assert fits(page)
    shoot(page, f"duplicates-list-{width}")
    page.goto(live_server.url + page_of(pair))
    assert fits(page)
    shoot(page, f"duplicates-open-{width}")

    # By keyboard alone: to the choice of the record that stays, over to the other, down to the button.
    page.locator("input[name=stays]:checked").focus()
    page.keyboard.press("ArrowRight" if page.locator("input[name=stays]").first.is_checked() else "ArrowLeft")
    stays = page.locator("input[name=stays]:checked").get_attribute("value")
    page.locator(".pair-form button").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")

    assert Trainee.objects.filter(pk__in=[one.pk, other.pk]).get().pk == int(stays)
    assert fits(page)
    shoot(page, f"duplicates-merged-{width}")

    page.locator("details.desk-move summary").click()
    page.fill("details.desk-move textarea", "是姐妹两人")
    with page.expect_navigation():
        page.locator("details.desk-move button").click()

    assert Trainee.objects.filter(pk__in=[one.pk, other.pk]).count() == 2
    assert DuplicatePair.objects.get(pk=pair.pk).state == "open"
    shoot(page, f"duplicates-undone-{width}")


def test_every_choice_says_what_it_is_and_whose(live_server, visit, two):
    one, other = two
    page = visit("root", width=1280)
    page.goto(live_server.url + page_of(pair_of(one, other)))

    names = page.evaluate(
        "[...document.querySelectorAll('.pair-table input[type=radio]')].map(i => i.labels[0].innerText.trim())"
    )

    assert len(names) == len(set(names)) >= 8
    assert all(one.number in name or other.number in name for name in names)
    small = page.evaluate(
        "[...document.querySelectorAll('.pair-table label')].filter(l => l.getBoundingClientRect().height < 24).length"
    )
    assert small == 0
