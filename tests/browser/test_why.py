"""What is missing, on a phone without a script; and the page for the telephone."""

from tests.browser.conftest import fits
from tests.certification.test_explaining import GRADUATED, NO_FLAG, followers, rule_of
from tests.factories import superuser
from tests.world import graduate

TREE = {
    "all": [
        GRADUATED,
        {"any": [followers(held_days=7), {"all": [followers(300_000, when="ever"), NO_FLAG]}]},
        {"kind": "published", "number": 3},
    ]
}


def test_a_phone_without_a_script_shows_what_is_missing(visit, shoot):
    rule_of(TREE)
    graduate("T1", followers=[90_000, 95_000, 97_000])
    page = visit("T1", scripts=False)

    page.click('a[href="/me/why/"]')
    page.wait_for_url("**/me/why/")

    shoot(page, "portal-why-390")
    text = page.inner_text("main")
    assert "97,000" in text and "3,000" in text and "203,000" in text
    assert page.locator(".why-nearest").count() >= 3 and page.locator(".why-met").count() >= 2
    assert fits(page)


def test_the_telephone_s_page_answers_in_sentences(visit, shoot):
    rule_of(TREE)
    number = graduate("T1", followers=[90_000, 97_000]).trainee.number
    superuser(username="clerk")
    page = visit("clerk", width=1200)
    page.goto(page.url.split("/admin/")[0] + "/admin/certification/why/")

    page.fill("#q", number)
    page.press("#q", "Enter")
    page.wait_for_load_state()

    shoot(page, "desk-why-1200")
    assert "3,000" in page.inner_text("main, #content")
    assert page.locator(".why-spoken").count() >= 5
    assert fits(page)
