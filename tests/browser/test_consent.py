"""Consent on a phone and at the desk: the notice and its button, and a message to copy, with a script or without."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from incubator.metrics.clients.base import Tokens
from incubator.metrics.models import CreatorAccount
from incubator.metrics.services.consent import grant_consent
from tests.browser.conftest import fits
from tests.factories import RuleFactory, superuser
from tests.world import graduate


def ends_in(participation, days):
    account, now = CreatorAccount.objects.get(trainee=participation.trainee), timezone.now()
    tokens = Tokens("ext", "access", "refresh", now, now + timedelta(days=days), ("user_info",))
    return grant_consent(account, tokens, at=now - timedelta(days=180 - days), by=participation.trainee.user)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_trainee_is_reminded_on_every_page_and_withdraws_in_two_taps(visit, shoot, live_server, scripts):
    RuleFactory()
    account = ends_in(graduate("T1", followers=[90_000, 97_000]), 3)
    page = visit("T1", scripts=scripts)

    for address in ("/me/", "/me/account/"):
        page.goto(live_server.url + address)
        button = page.locator(f"form[action='/me/account/{account.pk}/connect/'] button")
        assert button.count() == 1 and button.bounding_box()["height"] >= 44
        assert page.locator(".notice-last").bounding_box()["y"] < 400
        assert fits(page)
    shoot(page, "consent-390")

    page.locator(f"a[href='/me/account/{account.pk}/withdraw/']").click()
    page.locator("form.card button").click()
    page.wait_for_url("**/me/account/")
    account.refresh_from_db()
    assert account.state == "withdrawn" and page.locator(".notice-last").count() == 0


@pytest.mark.parametrize(("width", "scripts"), [(1280, True), (390, True), (390, False)])
def test_a_message_of_the_work_list_can_be_copied(visit, shoot, live_server, width, scripts):
    account = ends_in(graduate("T1", followers=[90_000]), 14)
    superuser(username="root")
    page = visit("root", width=width, scripts=scripts)
    page.goto(live_server.url + reverse("admin:metrics_creatoraccount_consent_county", args=["622927"]))
    shoot(page, f"consent-list-{width}-{scripts}")

    text, button = page.locator("textarea"), page.locator("[data-copy]")
    assert account.handle in text.input_value() and text.get_attribute("readonly") is not None
    assert button.is_visible() == scripts
    if scripts:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        button.click()
        page.wait_for_function("document.querySelector('[role=status]').textContent")
        assert page.evaluate("navigator.clipboard.readText()") == text.input_value()
    assert fits(page)
