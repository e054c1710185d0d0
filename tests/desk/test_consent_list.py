"""The work-list of accounts that need consent: by county, with a message to copy, and nobody else's people."""

import csv
import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from incubator.metrics.choices import AccountState
from incubator.metrics.models import Authorisation, CreatorAccount
from incubator.metrics.services import lose_consents, remind_consents, withdraw_consent
from tests import factories
from tests.desk.world import county_staff
from tests.factories import CreatorAccountFactory, TraineeFactory, consents_of, region
from trainees.identity import parse_mobile

pytestmark = pytest.mark.django_db

HERE, THERE = "622927", "520526"
COUNTIES = reverse("admin:metrics_creatoraccount_consent")


def url(name="county", code=HERE):
    return reverse(f"admin:metrics_creatoraccount_consent_{name}", args=[code])


def waiting(code=HERE, state=AccountState.UNLINKED, **kwargs):
    trainee = TraineeFactory(county=region(code), **kwargs)
    return CreatorAccountFactory(trainee=trainee, state=state)


def ending(days, code=HERE):
    """A connected account whose consent ends so many days from now."""
    account, now = waiting(code, AccountState.LINKED), timezone.now()
    Authorisation.objects.create(
        account=account,
        external_id=account.handle,
        access_token="secret-access",
        refresh_token="secret-refresh",
        access_expires_at=now,
        refresh_expires_at=now + timedelta(days=days),
        granted_at=now,
    )
    return account


@pytest.fixture
def staff(client):
    user = county_staff(HERE)
    client.force_login(user)
    return user


def names(page):
    return {w.account.trainee.name for w in page.context["people"]}


def test_counties_are_counted_and_the_counts_are_those_of_their_lists(client):
    client.force_login(factories.superuser())
    for code, count in ((HERE, 2), (THERE, 3)):
        for _n in range(count):
            waiting(code)
    ending(20, THERE), ending(2, THERE), ending(60, THERE)

    page = client.get(COUNTIES)

    counts = {needs.county.code: (needs.total, needs.by_need) for needs, _row in page.context["rows"]}
    nothing = {"never": 0, "over": 0, "withdrawn": 0, "soon": 0, "urgent": 0}
    assert counts == {HERE: (2, nothing | {"never": 2}), THERE: (5, nothing | {"never": 3, "soon": 2, "urgent": 1})}
    assert page.context["total"] == 7
    for code, (total, by_need) in counts.items():
        assert client.get(url(code=code)).context["total"] == total
        for need, count in by_need.items():
            shown = client.get(url(code=code), {"need": need})
            assert shown.context["total"] == count == len(shown.context["people"]), (code, need)


def test_a_need_chosen_leaves_the_counties_that_have_it(client):
    client.force_login(factories.superuser())
    waiting(HERE), ending(2, THERE)

    page = client.get(COUNTIES, {"need": "urgent"})

    assert [needs.county.code for needs, _row in page.context["rows"]] == [THERE]
    assert client.get(COUNTIES, {"need": "invented"}).status_code == 404


def test_each_person_has_the_reason_and_a_message(client, staff):
    never, soon, lost, left = waiting(), ending(2), ending(100), ending(100)
    lose_consents({lost.pk: "100200109"}, consents_of(lost), at=timezone.now())
    withdraw_consent(left, by=staff, at=timezone.now())

    page = client.get(url(), HTTP_ACCEPT_LANGUAGE="en")

    text = page.content.decode()
    whys = {w.account: w.why for w in page.context["people"]}
    assert whys == {
        never: "never connected",
        soon: "ends in 2 days",
        lost: "withdrawn on the platform",
        left: "withdrawn by the office",
    }
    for found in page.context["people"]:
        assert found.account.handle in found.message and f"message-{found.account.pk}" in text
    assert text.count("<textarea") == 4 and "secret" not in text


def test_all_messages_of_a_county_are_one_text_and_a_file(client, staff):
    accounts = [waiting() for _n in range(30)]

    page, file = client.get(url("messages")), client.get(url("text"))

    for text in (page.context["text"], file.content.decode()):
        assert all(account.handle in text for account in accounts)
        assert len(text.split("\n\n")) == 30
    assert "attachment" in file["Content-Disposition"]


def test_more_than_anybody_pastes_is_said_and_is_in_the_file(client, staff, monkeypatch):
    monkeypatch.setattr("incubator.metrics.admin.consent.MESSAGES_AT_ONCE", 2)
    for _n in range(3):
        waiting()

    page = client.get(url("messages"))

    assert page.context["has_more"] and len(page.context["text"].split("\n\n")) == 2
    assert len(client.get(url("text")).content.decode().split("\n\n")) == 3


def test_the_file_of_the_list_masks_people_and_no_program_computes_it(client, staff):
    account = waiting(name="王小明", phone=parse_mobile("13800001234"))
    CreatorAccount.objects.filter(pk=account.pk).update(handle="=1+1")

    content = client.get(url("csv")).getvalue().decode()

    [_headings, row] = csv.reader(io.StringIO(content.removeprefix("\ufeff")))
    assert row[:3] == [account.trainee.number, "王*明", "138****1234"] and row[4] == "'=1+1"
    assert "王小明" not in content and "13800001234" not in content


@pytest.mark.parametrize("name", ["county", "messages", "text", "csv"])
def test_a_strangers_county_is_not_there(client, staff, name):
    waiting(THERE, name="外人")

    assert client.get(url(name, THERE)).status_code == 404
    assert client.get(url(name, "999999")).status_code == 404
    assert client.get(url(name, "a\0b")).status_code == 404


def test_strangers_are_not_counted_and_not_named(client, staff):
    waiting(HERE), waiting(THERE, name="外人")

    page = client.get(COUNTIES)

    assert [needs.county.code for needs, _row in page.context["rows"]] == [HERE]
    assert page.context["total"] == 1 and region(THERE).name not in page.content.decode()
    assert "外人" not in client.get(url()).content.decode()


def test_without_the_right_to_see_accounts_there_is_no_list_and_no_entry(client):
    user = factories.official(HERE, is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_trainee"))
    client.force_login(user)
    waiting()

    for address in (COUNTIES, url(), url("messages"), url("text"), url("csv")):
        assert client.get(address).status_code == 403
    assert COUNTIES not in client.get("/admin/").content.decode()


def test_nobody_waiting_is_said(client, staff):
    for address in (COUNTIES, url(), url("messages")):
        assert "desk-nothing" in client.get(address).content.decode()


def test_people_are_paged_in_order(client, staff):
    numbers = [waiting().trainee.number for _n in range(30)]

    pages = [client.get(url(), {"page": n}).context["people"] for n in (1, 2)]

    assert [w.account.trainee.number for page in pages for w in page] == sorted(numbers)
    assert [len(page) for page in pages] == [25, 5]


def test_queries_do_not_grow_with_people_or_counties(client):
    client.force_login(factories.superuser())
    addresses = [COUNTIES, url(), url("messages"), url("text"), url("csv")]
    used = []
    for n in range(2):
        for k in range(1 + 15 * n):
            waiting(), ending(3), waiting(f"5205{10 + 20 * n + k}")
        for address in addresses:
            client.get(address)
        counts = {}
        for address in addresses:
            with CaptureQueriesContext(connection) as captured:
                assert client.get(address).status_code == 200
            counts[address] = len(captured)
            assert not [query for query in captured if "_token" in query["sql"]]
        used.append(counts)

    assert used[0] == used[1]
    assert max(used[0].values()) <= 15


def test_the_page_of_an_account_shows_its_consents_and_reminders(client, staff):
    account = ending(14)
    remind_consents(on=timezone.localdate(), at=timezone.now())
    withdraw_consent(account, by=staff, at=timezone.now())

    page = client.get(reverse("admin:metrics_creatoraccount_change", args=[account.pk]), HTTP_ACCEPT_LANGUAGE="en")

    text = page.content.decode()
    assert "consent withdrawn" in text and str(staff) in text
    assert "first seen by the trainee" in text and "secret" not in text


def test_staff_withdraw_for_somebody_who_asks(client, staff):
    account = ending(100)

    client.post(reverse("admin:metrics_creatoraccount_move", args=[account.pk, "withdraw_consent"]))

    account.refresh_from_db()
    assert account.state == AccountState.WITHDRAWN and not Authorisation.objects.exists()
    assert account.consent_events.get().by == staff


def test_the_menu_and_the_list_of_accounts_lead_there(client, staff):
    waiting()
    for address in ("/admin/", reverse("admin:metrics_creatoraccount_changelist")):
        assert client.get(address).content.decode().count(f'href="{COUNTIES}"') >= 2
