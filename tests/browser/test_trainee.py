"""The trainee's phone: 390 px wide, keyboard or thumb, with a script or without."""

from pathlib import Path

from django.utils import timezone

from incubator.certification.services import withdraw_award
from incubator.programmes.reminders import remind_support
from incubator.programmes.support import pause_support
from tests.browser.conftest import fits
from tests.factories import RuleFactory, superuser
from tests.world import certified, graduate, in_training


def test_first_screen_says_how_far_what_next_and_until_when(visit, shoot):
    RuleFactory()
    graduate("T1", followers=[90_000, 95_000, 97_000])

    page = visit("T1")

    shoot(page, "portal-390")
    text = page.inner_text("main")
    assert "97,000" in text and "100,000" in text and "3,000" in text
    assert "150" in text  # days of support left
    assert page.locator("#next").bounding_box()["y"] < 400
    assert page.locator("svg.line-chart").count() == 1
    assert fits(page)


def test_somebody_in_training_reads_what_is_missing(visit, shoot):
    in_training("T2", sessions=1)

    page = visit("T2")

    shoot(page, "portal-training-390")
    assert "还差 2 天培训" in page.inner_text("main")
    assert "8.0" in page.inner_text("main")
    assert fits(page)


def test_everything_can_be_done_with_the_keyboard_alone(visit):
    RuleFactory()
    graduate("T1", followers=[90_000])
    page = visit()

    assert page.evaluate("document.activeElement.id") == "id_login"
    page.keyboard.type("T1")
    page.keyboard.press("Tab")
    page.keyboard.type("correct horse")
    page.keyboard.press("Enter")
    page.wait_for_url("**/me/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_the_language_can_be_changed_and_changed_back(visit):
    RuleFactory()
    graduate("T1", followers=[90_000])
    page = visit("T1")
    assert "下一步" in page.inner_text("main")

    page.get_by_role("button", name="English").click()
    assert "Next step" in page.inner_text("main")
    assert page.get_attribute("html", "lang") == "en"

    page.get_by_role("button", name="简体中文").click()
    assert "下一步" in page.inner_text("main")


def test_it_works_without_scripts_and_weighs_little(visit):
    RuleFactory()
    graduate("T1", followers=list(range(10_000, 100_000, 1000)))
    page = visit("T1", scripts=False)
    assert "下一步" in page.inner_text("main")

    weights = []
    page.on("response", lambda r: weights.append(len(r.body())))
    page.reload(wait_until="networkidle")
    assert 0 < sum(weights) <= 100 * 1024


def test_the_certificate_is_one_tap_away(visit, shoot):
    award = certified("T3")
    page = visit("T3")

    page.get_by_role("link", name="打开我的证书").click()

    shoot(page, "certificate-390")
    assert award.number in page.inner_text("article") and award.trainee.name in page.inner_text("article")
    assert fits(page)


def test_a_pause_and_the_end_of_support_fit_the_first_screens(visit, shoot):
    RuleFactory()
    participation = graduate("T4", followers=[90_000, 95_000], started=170)
    today = timezone.localdate()
    remind_support(on=today, at=timezone.now())
    page = visit("T4")
    shoot(page, "portal-support-ends-390")
    assert page.locator(".notice-urgent").bounding_box()["y"] < 400
    assert page.locator("#next").bounding_box()["y"] < 700
    assert fits(page)

    pause_support(participation, first_day=today, cause="illness", reason="住院", by=superuser(), on=today)
    page.reload()
    shoot(page, "portal-paused-390")
    assert page.locator(".notice-urgent").count() == 0
    assert page.locator("section[aria-labelledby=support] .notice").is_visible()
    assert fits(page)


def test_the_certificate_comes_as_a_file_and_a_withdrawn_one_with_its_notice(visit, shoot):
    award = certified("T3")
    page = visit("T3")
    page.goto(page.url.rstrip("/") + f"/certificate/{award.number}/")
    for kind in ("certificate", "notice"):
        assert fits(page)
        with page.expect_download() as taken:
            page.click(f'main a[href$="{kind}.pdf"]')
        assert award.number in taken.value.suggested_filename
        assert Path(taken.value.path()).read_bytes().startswith(b"%PDF-")
        if kind == "certificate":
            withdraw_award(award, by=superuser(), reason="粉丝造假")
        page.reload()
    shoot(page, "certificate-withdrawn-390")
