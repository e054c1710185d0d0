"""Support periods on the desk: what is shown, what can be done by whom, and nobody else's people."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from incubator.accounts.choices import StaffGroup
from incubator.programmes.models import Participation, SupportChange, SupportReminder
from incubator.programmes.reminders import remind_support
from incubator.programmes.services import withdraw
from incubator.programmes.support import extend_support, pause_support
from tests import factories
from tests.desk.world import county_staff

pytestmark = pytest.mark.django_db
ENGLISH = {"accept-language": "en"}
HERE, THERE = "622927", "520526"
TODAY = timezone.localdate


def supported(code=HERE, *, left=100, name="学员", **kwargs):
    """A graduate of a county with so many days of support left, today counted."""
    trainee = factories.TraineeFactory(county=factories.region(code), name=name)
    return factories.graduate_row(TODAY() - timedelta(days=180 - left), trainee=trainee, **kwargs)


def ends_in(row):
    row.refresh_from_db()
    return (row.support_ends_on - TODAY()).days + 1


@pytest.fixture
def staff(client):
    user = county_staff(HERE)
    client.force_login(user)
    return user


def url(model, name, *args):
    return reverse(f"admin:programmes_{model._meta.model_name}_{name}", args=args)


def page(client, row):
    return client.get(url(type(row), "change", row.pk), headers=ENGLISH)


def move(client, row, name, **answers):
    return client.post(url(type(row), "move", row.pk, name), answers, headers=ENGLISH)


def act(client, name, rows, **answers):
    chosen = {"action": name, "_selected_action": [row.pk for row in rows], **answers}
    return client.post(url(Participation, "changelist"), chosen, headers=ENGLISH)


def said(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def listed(client, **query):
    response = client.get(url(Participation, "changelist"), query)
    return {row.trainee.name for row in response.context["cl"].result_list}


ILL = {"cause": "illness", "reason": "住院"}


def test_a_period_is_extended_paused_resumed_and_taken_back_on_its_pages(client, staff):
    row = supported()
    assert b"As of today" in page(client, row).content

    move(client, row, "extend_support", days=10, cause="other", reason="迟开班")
    assert ends_in(row) == 110
    first = TODAY() - timedelta(days=4)
    move(client, row, "pause_support", first_day=first, last_day="", **ILL)
    assert ends_in(row) == 115
    text = page(client, row).content.decode()
    for word in ("10 of 90", "住院", "迟开班", "until further notice", "Extended by 10 days", "resume_support"):
        assert word in text, word

    move(client, row, "resume_support", goes_on_on=TODAY(), reason="已出院")
    assert ends_in(row) == 114
    extension = SupportChange.objects.get(kind="extension")
    assert [move.name for move, _form in page(client, extension).context["moves"]] == ["take_back"]
    move(client, extension, "take_back", reason="录错")
    assert ends_in(row) == 104
    told = page(client, extension)
    assert "录错" in told.content.decode() and told.context["moves"] == []
    assert "Taken back: Extended by 10 days" in page(client, row).content.decode()


def test_what_can_be_done_is_offered_where_it_can_be_done(client, staff):
    row, training = supported(), factories.ParticipationFactory(
        state="training", trainee=factories.TraineeFactory(county=factories.region(HERE))
    )  # fmt: skip

    def offered(participation):
        return {move.name for move, _form in page(client, participation).context["moves"]}

    ours = {"extend_support", "pause_support", "resume_support"}
    assert offered(row) & ours == {"extend_support", "pause_support"}
    assert offered(training) & ours == set()
    assert b"As of today" not in page(client, training).content
    pause_support(row, first_day=TODAY(), by=staff, on=TODAY(), **ILL)
    assert offered(row) & ours == ours


def test_forms_begin_with_today(client, staff):
    forms = {move.name: form for move, form in page(client, supported()).context["moves"]}

    assert forms["pause_support"]["first_day"].value() == TODAY()
    assert forms["extend_support"]["days"].value() == 30


def test_many_are_paused_with_one_reason_and_each_refusal_is_named(client, staff):
    rows = [supported(name=f"学员{n}") for n in range(3)]
    gone = supported(name="退出者")
    withdraw(gone, by=staff, reason="外出")
    asked = act(client, "pause_support", [*rows, gone])
    assert asked.status_code == 200 and not SupportChange.objects.exists()

    first, last = TODAY(), TODAY() + timedelta(days=9)
    done = act(client, "pause_support", [*rows, gone], confirmed="1", first_day=first, last_day=last, **ILL)

    assert [ends_in(row) for row in (*rows, gone)] == [110, 110, 110, 100]
    refusal, success = said(done)
    assert "退出者" in refusal and "3 rows" in success
    act(client, "extend_support", rows, confirmed="1", days=5, cause="other", reason="停电")
    assert [ends_in(row) for row in rows] == [115] * 3
    assert set(SupportChange.objects.values_list("reason", flat=True)) == {"住院", "停电"}


def test_a_refusal_is_told_on_the_page(client, staff):
    row = supported(cohort=factories.CohortFactory(most_extension_days=5))

    assert "allows 5 days in all" in said(move(client, row, "extend_support", days=6, **ILL))[0]
    assert ends_in(row) == 100
    assert move(client, row, "extend_support", days="", **ILL).status_code == 200  # asks again
    assert move(client, row, "extend_support", days=3, cause="laziness", reason="x").status_code == 200
    assert ends_in(row) == 100


def test_the_list_is_filtered_by_how_the_period_stands(client, staff):
    supported(name="早"), supported(left=30, name="近"), supported(left=0, name="完"), supported(THERE, name="外")
    pause_support(supported(name="停"), first_day=TODAY(), by=staff, on=TODAY(), **ILL)

    assert listed(client, support="now") == {"早", "近", "停"}
    assert listed(client, support="paused") == {"停"}
    assert listed(client, support="soon") == {"近"}
    assert listed(client, support="over") == {"完"}


def test_nobody_elses_period_is_seen_counted_or_changed(client, staff):
    other = supported(THERE, left=10, name="外人")
    change = extend_support(other, days=1, cause="other", reason="外因", by=staff, on=TODAY())
    remind_support(on=TODAY(), at=timezone.now())
    reminder = SupportReminder.objects.get()

    for row in (other, change, reminder):
        assert page(client, row).status_code in (302, 404)  # the desk leads home from what is not there
        response = client.get(url(type(row), "changelist"), {"due": "all"} if row is reminder else {})
        assert response.context["cl"].result_count == 0 and "外人" not in response.content.decode()
    move(client, other, "extend_support", days=5, **ILL)
    move(client, change, "take_back", reason="x")
    act(client, "extend_support", [other], confirmed="1", days=5, **ILL)
    assert ends_in(other) == 11 and SupportChange.objects.count() == 1
    home = client.get(reverse("admin:index"))
    assert not [card for card in home.context["cards"] if "supportreminder" in card.url]


def test_what_is_due_waits_on_the_home_page_and_in_its_list(client, staff):
    near, nearer = supported(left=20, name="近"), supported(left=2, name="更近")
    supported(left=80)
    remind_support(on=TODAY(), at=timezone.now())

    [card] = [card for card in client.get(reverse("admin:index")).context["cards"] if "supportreminder" in card.url]
    assert card.count == "2"
    rows = client.get(card.url, headers=ENGLISH).context["cl"].result_list
    assert [row.participation_id for row in rows] == [nearer.pk, near.pk]
    extend_support(nearer, days=60, cause="other", reason="x", by=staff, on=TODAY())
    assert client.get(card.url).context["cl"].result_count == 1
    assert page(client, SupportReminder.objects.first()).status_code == 200


def member(group):
    user = factories.official(HERE, is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    return user


@pytest.mark.parametrize("group", [StaffGroup.CLERK, StaffGroup.CERTIFIER, StaffGroup.VIEWER])
def test_only_managers_move_a_deadline(client, staff, group):
    row = supported()
    change = extend_support(row, days=1, cause="illness", reason="住院", by=staff, on=TODAY())
    client.force_login(member(group))

    text = page(client, row).content.decode()
    assert "Extended by 1 day" in text and "extend_support" not in text
    assert ("住院" in text) == (group != StaffGroup.VIEWER)  # that somebody is ill is not for everybody
    assert move(client, row, "extend_support", days=5, **ILL).status_code == 403
    assert move(client, change, "take_back", reason="x").status_code in (302, 403)
    act(client, "extend_support", [row], confirmed="1", days=5, **ILL)
    assert ends_in(row) == 101

    client.force_login(member(StaffGroup.MANAGER))
    move(client, row, "extend_support", days=5, **ILL)
    assert ends_in(row) == 106


def test_the_right_to_change_participations_is_not_enough(client):
    user = factories.official(HERE, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__endswith="_participation"))
    client.force_login(user)

    assert move(client, supported(), "extend_support", days=5, **ILL).status_code == 403


def test_the_page_asks_as_often_for_many_changes_as_for_two(client, staff):
    row, used = supported(), []
    for count in (1, 20):
        for n in range(count):
            extend_support(row, days=1, cause="other", reason=f"因{n}", by=factories.UserFactory(), on=TODAY())
        page(client, row)
        with CaptureQueriesContext(connection) as captured:
            page(client, row)
        used.append(len(captured))

    assert used[0] == used[1]
