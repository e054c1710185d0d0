"""The way to the platform and back, over real HTTP to the simulator."""

import urllib.parse
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from incubator.demo.vendor import Vendor
from incubator.metrics.choices import AccountState
from incubator.metrics.models import Authorisation, ConsentRequest
from tests.factories import CreatorAccountFactory, reading
from tests.world import trainee_with_login

pytestmark = pytest.mark.django_db


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
    assert account.state == AccountState.UNLINKED
    assert not Authorisation.objects.exists() and account.readings.count() == 1
    assert client.get(url).status_code == 404


def test_strangers_neither_connect_nor_withdraw(client, account):
    client.force_login(trainee_with_login("T2").user)

    assert client.post(f"/me/account/{account.pk}/connect/").status_code == 404
    assert client.post(f"/me/account/{account.pk}/withdraw/").status_code == 404
