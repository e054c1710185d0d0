"""A stranger with a phone and a certificate in hand, without a script; and the holder who decides about their name."""

import pytest
from django.urls import reverse
from django.utils import timezone

from incubator.certification.models import Award
from incubator.certification.services import withdraw_award
from tests.browser.conftest import fits
from tests.credentials.world import expired
from tests.factories import superuser
from tests.world import certified


@pytest.mark.parametrize("width", [390, 1280])
def test_a_stranger_types_a_code_and_reads_what_the_award_is_worth(visit, live_server, shoot, width):
    award = certified("T1")
    name = "阿卜杜热合曼·阿卜杜拉·买买提"
    Award.objects.filter(pk=award.pk).update(name_shown_since=timezone.now(), holder_name=name)
    page = visit(width=width, scripts=False)

    page.goto(live_server.url + reverse("verify_form"))
    shoot(page, f"verify-form-{width}")
    assert fits(page)
    page.fill("#code", award.number)
    page.click("main button")
    assert page.locator("#code-problem").count() == 1 and fits(page)
    page.fill("#code", award.code.lower())
    page.click("main button")

    shoot(page, f"verify-valid-{width}")
    assert page.locator(".verified-valid").count() == 1
    assert award.number in page.inner_text("main") and name in page.inner_text("main")
    assert fits(page)


def test_withdrawn_expired_and_unknown_look_different(visit, live_server, shoot):
    withdrawn, old = certified("T1"), expired(certified("T2"))
    withdraw_award(withdrawn, by=superuser(), reason="一个理由")
    page = visit(scripts=False)

    for code, name in [(withdrawn.code, "withdrawn"), (old.code, "expired")]:
        page.goto(live_server.url + reverse("verify", args=[code]))
        shoot(page, f"verify-{name}-390")
        assert page.locator(f".verified-{name}").count() == 1 and fits(page)


def test_the_holder_agrees_and_takes_the_file(visit, live_server, shoot):
    award = certified("T1")
    page = visit("T1")
    page.goto(live_server.url + reverse("certificate", args=[award.number]))
    shoot(page, "certificate-verify-390")
    assert fits(page)

    page.click('button[name="show"][value="yes"]')
    assert Award.objects.get().name_shown_since is not None
    with page.expect_download() as taken:
        page.click(f'a[href="{reverse("own_credential", args=[award.number])}"]')
    assert taken.value.suggested_filename == f"{award.number}.json"
    page.click('button[name="show"][value="no"]')
    assert Award.objects.get().name_shown_since is None
