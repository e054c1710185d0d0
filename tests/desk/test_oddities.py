"""Figures held back, corrected readings and leaps, as staff see and decide them."""

from datetime import date, datetime, timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import override

from incubator.accounts.choices import StaffGroup
from incubator.metrics.admin.oddities import factor_of
from incubator.metrics.choices import Source, Suspicion
from incubator.metrics.models import Correction, LatestReading, QuarantinedReading, Reading, Spike
from incubator.metrics.services.readings import Origin, hold_unusable, write_readings
from tests import factories

pytestmark = pytest.mark.django_db

DAY = date(2026, 9, 1)
AT = datetime(2026, 9, 1, 3, 0, tzinfo=factories.SHANGHAI)
LIST = "admin:metrics_quarantinedreading_changelist"


@pytest.fixture
def staff(client):
    user = factories.superuser()
    client.force_login(user)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    with override("en"):
        yield user


def write(account, days, followers, **kwargs):
    return write_readings(
        [(account.pk, DAY + timedelta(days=days), followers, None)], source=Source.API, at=AT, **kwargs
    )


def held(before=10_000, figure=3, **kwargs):
    """A figure of the day after ``DAY`` that is held back."""
    account = factories.CreatorAccountFactory(**kwargs)
    write(account, 0, before)
    write(account, 1, figure)
    return QuarantinedReading.objects.get(account=account)


def unusable(why=Suspicion.MISSING, told="null"):
    account = factories.CreatorAccountFactory()
    hold_unusable([(account.pk, why, told)], day=DAY, origin=Origin(Source.API, AT))
    return QuarantinedReading.objects.get(account=account)


def page(row):
    return reverse("admin:metrics_quarantinedreading_change", args=[row.pk])


def move(client, row, name, **answers):
    url = reverse("admin:metrics_quarantinedreading_move", args=[row.pk, name])
    return client.post(url, answers, follow=True)


def test_the_list_says_what_was_told_and_what_it_was_compared_with(client, staff):
    held(before=10_000, figure=200_000)
    unusable(Suspicion.NEGATIVE, "-5")
    content = client.get(reverse(LIST)).content.decode()
    for word in ("200,000", "10,000", "× 20.0", "rose tenfold or more", "-5", "below zero"):
        assert word in content


def test_what_waits_is_shown_first_and_filters_narrow(client, staff):
    open_, decided = held(), held(figure=200_000)
    move(client, decided, "reject")
    url = reverse(LIST)
    assert list(client.get(url).context["cl"].queryset) == [open_]
    assert list(client.get(url, {"held": "rejected"}).context["cl"].queryset) == [decided]
    assert list(client.get(url, {"held": "all", "why__exact": "rise"}).context["cl"].queryset) == [decided]
    assert not client.get(url, {"account__platform__exact": "douyin"}).context["cl"].queryset.exists()


def test_an_accepted_figure_is_the_reading_of_its_day(client, staff):
    row = held(figure=4_000)
    move(client, row, "accept", remark="asked her")
    row.refresh_from_db()
    assert (row.state, row.decided_by, row.remark) == ("accepted", staff, "asked her")
    assert Reading.objects.get(account=row.account, day=row.day).followers == 4_000
    assert LatestReading.objects.get(account=row.account).followers == 4_000
    assert "asked her" in client.get(page(row)).content.decode()


def test_a_rejected_figure_is_no_reading_and_cannot_be_accepted_later(client, staff):
    row = held()
    move(client, row, "reject")
    response = move(client, row, "accept")
    row.refresh_from_db()
    assert row.state == "rejected" and not Reading.objects.filter(day=row.day).exists()
    assert len(list(response.context["messages"])) == 1


def test_many_rows_are_decided_at_once_and_what_has_no_figure_is_refused(client, staff):
    rows = [held(), held(), unusable()]
    chosen = {"action": "accept", "_selected_action": [row.pk for row in rows], "confirmed": "1", "remark": "checked"}
    response = client.post(reverse(LIST), chosen, follow=True)
    assert sorted(QuarantinedReading.objects.values_list("state", flat=True)) == ["accepted", "accepted", "open"]
    sentences = [str(message) for message in response.context["messages"]]
    assert len(sentences) == 2 and "no figure" in sentences[0]


def test_the_page_offers_what_fits_and_says_what_it_does(client, staff):
    odd, nothing = client.get(page(held())).content.decode(), client.get(page(unusable())).content.decode()
    assert "/accept/" in odd and "becomes the reading of its day" in odd
    assert "/accept/" not in nothing and "/reject/" in nothing and "not counted as 0" in nothing
    assert ">held back<" in odd and "line-chart-dot" in odd and "to be looked at" in odd


@pytest.mark.parametrize(
    ("before", "figure", "factor"),
    [(10_000, 125_000, "× 12.5"), (10_000, 1_250, "÷ 8.0"), (10_000, 0, "-"), (0, 150, "-")],
)
def test_the_factor_is_read_at_a_glance(before, figure, factor):
    assert factor_of(held(before=before, figure=figure)) == factor


def test_what_decided_itself_says_how(client, staff):
    row = held(before=10_000, figure=3)
    write(row.account, 2, 10_050)
    content = client.get(page(row)).content.decode()
    assert "a later figure was near the one before" in content and "by itself" in content


def test_who_may_only_look_is_offered_no_move(client):
    viewer = factories.official("622927", is_staff=True)
    viewer.groups.add(Group.objects.get(name=StaffGroup.VIEWER))
    client.force_login(viewer)
    row = held()
    content = client.get(page(row)).content.decode()
    assert "/accept/" not in content and "/reject/" not in content
    assert move(client, row, "accept").status_code == 403
    row.refresh_from_db()
    assert row.state == "open"


def test_corrections_and_leaps_are_looked_at_and_not_changed(client, staff):
    account = factories.CreatorAccountFactory()
    write(account, 0, 1_500)
    write_readings([(account.pk, DAY, 1_555, None)], source=Source.API, at=AT + timedelta(hours=1))
    for day, followers in ((1, 1_600), (2, 1_650), (3, 5_700)):
        write(account, day, followers)
    for row, words in ((Correction.objects.get(), ["1,500", "1,555"]), (Spike.objects.get(), ["+4,050"])):
        name = f"admin:metrics_{row._meta.model_name}"
        for url in (reverse(f"{name}_changelist"), reverse(f"{name}_change", args=[row.pk])):
            content = client.get(url).content.decode()
            assert all(word in content for word in words), url
        assert client.get(reverse(f"{name}_add")).status_code == 403
        assert client.get(reverse(f"{name}_delete", args=[row.pk])).status_code == 403


def test_a_page_asks_the_database_as_often_whatever_was_held_back(client, staff):
    row = held()
    client.get(page(row))
    with CaptureQueriesContext(connection) as few:
        client.get(page(row))
    for _n in range(5):
        held()
    for days in range(2, 9):
        write(factories.CreatorAccountFactory(trainee=row.account.trainee), days, 9_000)
    with CaptureQueriesContext(connection) as many:
        client.get(page(row))
    assert len(many) == len(few)
