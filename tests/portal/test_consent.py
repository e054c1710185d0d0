"""The way to the platform and back, over real HTTP to the simulator."""

import urllib.parse
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import override

from incubator.demo.vendor import Vendor
from incubator.metrics.choices import AccountState
from incubator.metrics.models import Authorisation, ConsentReminder, ConsentRequest, CreatorAccount
from incubator.metrics.services import lose_consents, remind_consents
from incubator.portal.views import SESSION_SECRET
from tests.factories import CreatorAccountFactory, consents_of, reading
from tests.world import trainee_with_login

pytestmark = pytest.mark.django_db
PAGES = ["/me/", "/me/account/", "/accounts/password/change/"]


@pytest.fixture
def account(platform, settings):
    settings.PUBLIC_URL = "http://testserver"
    return CreatorAccountFactory(trainee=trainee_with_login("T1"), state=AccountState.UNLINKED, handle="ks1")


def set_out(client, account):
    """Press “connect”; the address of the platform's page."""
    client.force_login(account.trainee.user)
    answer = client.post(f"/me/account/{account.pk}/connect/")
    assert answer.status_code == 302
    return answer["Location"]


def come_back(client, **query):
    return client.get("/me/account/callback/?" + urllib.parse.urlencode(query), follow=True).content.decode()


def agree(platform, address, handle="ks1"):
    state, code = Vendor(platform.url).agree(address, handle=handle)
    return {"state": state, "code": code}


def test_consent_connects_the_account(client, account, platform):
    address = set_out(client, account)
    assert address.startswith(platform.url)

    page = come_back(client, **agree(platform, address))

    account.refresh_from_db()
    authorisation = Authorisation.objects.get(account=account)
    assert account.state == AccountState.LINKED and "已连接" in page
    assert authorisation.refresh_expires_at > timezone.now() + timedelta(days=179)
    assert authorisation.access_token not in page


def test_a_refusal_is_explained_and_changes_nothing(client, account):
    state = urllib.parse.parse_qs(urllib.parse.urlsplit(set_out(client, account)).query)["state"][0]

    page = come_back(client, state=state)

    account.refresh_from_db()
    assert account.state == AccountState.UNLINKED and "没有在平台页面上同意" in page


def test_a_way_back_counts_once(client, account, platform):
    back = agree(platform, set_out(client, account))
    come_back(client, **back)
    Authorisation.objects.all().delete()

    page = come_back(client, **back)

    assert "已过期" in page and not Authorisation.objects.exists()


def test_a_way_back_belongs_to_who_set_out(client, account, platform):
    back = agree(platform, set_out(client, account))
    client.force_login(trainee_with_login("T2").user)

    page = come_back(client, **back)

    assert "已过期" in page and not Authorisation.objects.exists()


def test_a_way_back_belongs_to_the_session_that_set_out(client, account, platform):
    """Else a way back caught on one device would connect whatever account is logged in there on another."""
    back = agree(platform, set_out(client, account))
    elsewhere = Client()
    elsewhere.force_login(account.trainee.user)

    assert "已过期" in come_back(elsewhere, **back) and not Authorisation.objects.exists()
    come_back(client, **back)  # and the right session has lost nothing by it
    assert Authorisation.objects.get().account == account


def test_two_ways_may_be_open_in_one_session(client, account, platform):
    other = CreatorAccountFactory(trainee=account.trainee, state=AccountState.UNLINKED, handle="dy1", platform="douyin")
    first, second = set_out(client, account), set_out(client, other)
    come_back(client, **agree(platform, second, handle="dy1"))
    come_back(client, **agree(platform, first))

    assert set(CreatorAccount.objects.values_list("state", flat=True)) == {AccountState.LINKED}


def test_the_session_is_kept_as_a_digest_only(client, account):
    set_out(client, account)

    request = ConsentRequest.objects.get()
    assert len(request.session) == 64 and request.session not in client.session.values()
    assert client.session[SESSION_SECRET] not in str(list(ConsentRequest.objects.values()))


def test_a_way_back_lasts_ten_minutes(client, account, platform):
    back = agree(platform, set_out(client, account))
    with time_machine.travel(timezone.now() + timedelta(minutes=11), tick=False):
        client.force_login(account.trainee.user)
        page = come_back(client, **back)

    assert "已过期" in page and ConsentRequest.objects.get().used_at is None


def test_an_invented_code_is_refused_by_the_platform(client, account):
    state = urllib.parse.parse_qs(urllib.parse.urlsplit(set_out(client, account)).query)["state"][0]

    page = come_back(client, state=state, code="invented")

    assert "没有确认授权" in page and not Authorisation.objects.exists()


def test_somebody_elses_platform_account_is_not_taken(client, account, platform):
    come_back(client, **agree(platform, set_out(client, account)))
    other = CreatorAccountFactory(trainee=trainee_with_login("T2"), state=AccountState.UNLINKED, handle="ks2")

    page = come_back(client, **agree(platform, set_out(client, other), handle="ks1"))

    other.refresh_from_db()
    assert other.state == AccountState.UNLINKED and "另一位学员" in page


def test_consent_is_withdrawn_in_two_taps_and_readings_stay(client, account, platform):
    come_back(client, **agree(platform, set_out(client, account)))
    reading(account, timezone.localdate(), 5_000)
    url = f"/me/account/{account.pk}/withdraw/"

    assert client.get(url).status_code == 200
    client.post(url)

    account.refresh_from_db()
    assert account.state == AccountState.WITHDRAWN
    assert not Authorisation.objects.exists() and account.readings.count() == 1
    assert client.get(url).status_code == 404


def test_strangers_neither_connect_nor_withdraw(client, account):
    client.force_login(trainee_with_login("T2").user)

    assert client.post(f"/me/account/{account.pk}/connect/").status_code == 404
    assert client.post(f"/me/account/{account.pk}/withdraw/").status_code == 404


# --- What the pages say -----------------------------------------------------------------------------------------------


def consent_ends_in(account, days, **kwargs):
    """The account is connected and its consent ends so many days from now; its owner is reminded where due."""
    now = timezone.now()
    CreatorAccount.objects.filter(pk=account.pk).update(state=AccountState.LINKED, **kwargs)
    Authorisation.objects.create(
        account=account,
        platform=kwargs.get("platform", "kuaishou"),
        external_id=account.handle,
        access_token="a",
        refresh_token="r",
        access_expires_at=now,
        refresh_expires_at=now + timedelta(days=days),
        granted_at=now - timedelta(days=180 - days),
        scopes=["user_info"],
    )
    remind_consents(on=timezone.localdate(now), at=now)


def look(client, url, language="en"):
    return client.get(url, HTTP_ACCEPT_LANGUAGE=language).content.decode()


@pytest.mark.parametrize(("days", "urgency"), [(31, None), (30, "soon"), (14, "urgent"), (3, "last"), (0.01, "last")])
def test_every_page_says_that_the_consent_ends_and_how_urgent_it_is(client, account, days, urgency):
    consent_ends_in(account, days)
    client.force_login(account.trainee.user)

    for url in PAGES:
        page = look(client, url)
        assert (f"notice-{urgency}" in page) == (urgency is not None), url
        assert page.count(f'action="/me/account/{account.pk}/connect/"') == (urgency is not None), url


def test_a_lost_consent_is_said_on_every_page_until_it_is_given_again(client, account, platform):
    consent_ends_in(account, 100)
    lose_consents({account.pk: "100200109"}, consents_of(account), at=timezone.now())
    client.force_login(account.trainee.user)
    assert all("notice-last" in look(client, url) for url in PAGES)

    come_back(client, **agree(platform, set_out(client, account)))

    assert not any("notice-last" in look(client, url) for url in PAGES)


def test_the_first_look_at_a_reminder_counts_as_seeing_it(client, account):
    consent_ends_in(account, 14)
    client.force_login(account.trainee.user)
    look(client, "/me/")
    seen_at = ConsentReminder.objects.get().seen_at
    assert seen_at is not None

    look(client, "/me/account/")

    assert ConsentReminder.objects.get().seen_at == seen_at


def test_nobody_elses_reminder_is_shown_or_marked(client, account):
    consent_ends_in(account, 3)
    client.force_login(trainee_with_login("T2").user)

    assert not any("notice-last" in look(client, url) for url in PAGES)
    assert ConsentReminder.objects.get().seen_at is None


def test_the_account_page_says_what_is_read_since_when_and_until_when(client, account):
    consent_ends_in(account, 100)
    reading(account, timezone.localdate(), 5_000)
    client.force_login(account.trainee.user)

    page = look(client, "/me/account/")

    consent = Authorisation.objects.get()
    with override("en"):
        days = [date_format(timezone.localtime(at)) for at in (consent.granted_at, consent.refresh_expires_at)]
    assert all(day in page for day in days) and "5,000" in page
    assert "user_info" not in page and "numbers of followers" in page


def test_a_douyin_account_is_connected_withdrawn_and_never_called_kuaishou(client, account, platform):
    CreatorAccount.objects.filter(pk=account.pk).update(platform="douyin", handle="dy1")
    client.force_login(account.trainee.user)
    pages = [look(client, "/me/account/")]

    come_back(client, **agree(platform, set_out(client, account), handle="dy1"))
    pages += [look(client, url) for url in ("/me/", "/me/account/", f"/me/account/{account.pk}/withdraw/")]
    client.post(f"/me/account/{account.pk}/withdraw/")
    pages.append(look(client, "/me/account/"))

    assert not Authorisation.objects.exists()
    assert [w for w in ("Kuaishou", "快手") for page in pages if w in page] == []
    assert "Douyin" in pages[0]


def test_the_trace_of_the_consent_is_on_the_account_page(client, account, platform):
    come_back(client, **agree(platform, set_out(client, account)))
    client.post(f"/me/account/{account.pk}/withdraw/")

    page = look(client, "/me/account/")

    assert page.index("consent withdrawn") < page.index("consent given") and page.count("by you") == 2


def test_the_second_of_two_taps_at_once_is_told_so(client, account, platform, monkeypatch):
    come_back(client, **agree(platform, set_out(client, account)))
    stale = CreatorAccount.objects.get(pk=account.pk)
    client.post(f"/me/account/{account.pk}/withdraw/")
    monkeypatch.setattr("incubator.portal.views._own_account", lambda request, pk: stale)

    assert client.post(f"/me/account/{account.pk}/withdraw/", follow=True).status_code == 200
    assert account.consent_events.filter(what="withdrawn").count() == 1
