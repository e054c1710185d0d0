"""An ID number or phone in full: for whoever may, with a reason, once, recorded, and not too often."""

import re
from datetime import datetime, timedelta
from html.parser import HTMLParser

import pytest
import time_machine
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from incubator.accounts.choices import StaffGroup
from incubator.accounts.models import AccessRecord, Posting
from incubator.common.errors import RuleBroken
from tests import factories
from tests.factories import SHANGHAI
from tests.personal.world import ID_NUMBER, OTHER_KEY, PHONE
from trainees.services import NewTrainee, enter_trainees, reveal

pytestmark = pytest.mark.django_db
AT = datetime(2026, 9, 1, 10, tzinfo=SHANGHAI)
BARE_PHONE = PHONE.removeprefix("+86")


@pytest.fixture
def person(db):
    county = factories.region("622927")
    return enter_trainees([NewTrainee("王小明", county, id_number=ID_NUMBER, phone=PHONE)], year=2026)[0]


def member(group, code="622927"):
    user = factories.official(code, is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    return user


@pytest.fixture
def clerk(client, person):
    user = member(StaffGroup.CLERK)
    client.force_login(user)
    return user


def address(person):
    return reverse("trainee_reveal", args=[person.pk])


def page(person):
    return reverse("admin:trainees_trainee_change", args=[person.pk])


def ask(client, person, field="phone", reason="回访未接通", **more):
    return client.post(address(person), {"field": field, "reason": reason}, **more)


@pytest.mark.parametrize(("field", "value"), [("phone", PHONE), ("id_number", ID_NUMBER)])
def test_a_clerk_sees_one_number_once_and_it_is_recorded(client, person, clerk, field, value):
    before = client.get(page(person)).content.decode()
    answer = ask(client, person, field)

    other = ID_NUMBER if field == "phone" else BARE_PHONE
    assert value in answer.content.decode() and other not in answer.content.decode()
    record = AccessRecord.objects.get()
    assert (record.by, record.what, record.row) == (clerk, "trainees.trainee", str(person.pk))
    assert (record.kind, record.fields, record.reason, record.count) == ("reveal", [field], "回访未接通", 1)
    for html in (before, client.get(page(person)).content.decode()):
        assert value not in html and BARE_PHONE not in html


def test_the_answer_is_kept_nowhere(client, person, clerk, caplog):
    caplog.set_level("DEBUG")
    answer = ask(client, person)

    assert "no-store" in answer["Cache-Control"] and "private" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "same-origin" and BARE_PHONE not in address(person)
    assert BARE_PHONE not in caplog.text
    assert "phone" not in str(dict(client.session)) and BARE_PHONE not in str(dict(client.session))
    again = client.get(address(person), follow=True)
    assert again.redirect_chain[-1][0] == page(person) and BARE_PHONE not in again.content.decode()
    assert AccessRecord.objects.count() == 1


def test_the_persons_page_shows_who_looked(client, person, clerk):
    assert "Nobody had anything" in english(client, person)
    ask(client, person)

    html = english(client, person)
    assert "回访未接通" in html and str(clerk) in html and "Nobody had anything" not in html


def english(client, person):
    return client.get(page(person), headers={"accept-language": "en"}).content.decode()


class Forms(HTMLParser):
    """How deep forms lie in each other, and what the one that reveals has."""

    depth = deepest = 0
    action = ""
    labels: set[str] = set()

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag == "form":
            self.depth += 1
            self.deepest = max(self.deepest, self.depth)
            self.action = found.get("action") or ""
        elif tag == "label":
            self.labels = self.labels | {found.get("for")}
        elif tag == "input" and found.get("name") == "reason":
            self.asked = (self.action, found.get("id"), found.get("type"))

    def handle_endtag(self, tag):
        self.depth -= tag == "form"


def test_the_form_stands_by_itself_and_its_field_has_a_label(client, person, clerk):
    forms = Forms()
    forms.feed(client.get(page(person)).content.decode())

    assert forms.deepest == 1, "a form within a form posts the wrong one"
    assert forms.asked[0] == address(person) and forms.asked[1] in forms.labels and forms.asked[2] == "text"


# --- Who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", [StaffGroup.CERTIFIER, StaffGroup.VIEWER])
def test_who_has_not_the_permission_has_no_button_and_is_refused(client, person, group):
    client.force_login(member(group))

    assert address(person) not in client.get(page(person)).content.decode()
    answer = ask(client, person)
    assert answer.status_code == 403 and BARE_PHONE not in answer.content.decode()
    assert not AccessRecord.objects.exists()


def test_another_countys_clerk_does_not_learn_that_there_is_such_a_person(client, person):
    client.force_login(member(StaffGroup.CLERK, "520526"))

    assert ask(client, person).status_code == 404 == client.post("/admin/trainees/trainee/99999/reveal/").status_code
    assert not AccessRecord.objects.exists()


def test_a_posting_that_ended_shows_nothing(client, person, clerk):
    Posting.objects.update(ends_on=timezone.localdate() - timedelta(days=1))
    assert ask(client, person).status_code == 404


def test_strangers_and_trainees_are_turned_away(client, person):
    assert "login" in ask(client, person)["Location"]
    client.force_login(factories.UserFactory(role="trainee", is_staff=False))
    assert ask(client, person, follow=True).status_code in (403, 404)
    assert not AccessRecord.objects.exists()


def test_a_forged_post_is_refused(person, clerk):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(clerk)
    assert ask(strict, person).status_code == 403
    assert not AccessRecord.objects.exists()


def test_the_groups_that_may(person):
    may = {
        group.name
        for group in Group.objects.all()
        if group.permissions.filter(codename="reveal_personal_data").exists()
    }
    assert may == {StaffGroup.MANAGER, StaffGroup.CLERK}


# --- With a reason, not too often, and only what is there -------------------------------------------------------------


@pytest.mark.parametrize("reason", ["", " ", "a", f"电话 {BARE_PHONE}", f"核对 {ID_NUMBER}", "x" * 201])
def test_without_a_reason_or_with_numbers_in_it_nothing_is_shown(client, person, clerk, reason):
    answer = ask(client, person, reason=reason, follow=True)

    html = answer.content.decode()
    assert answer.redirect_chain == [(page(person), 302)] and BARE_PHONE not in html and ID_NUMBER not in html
    assert not AccessRecord.objects.exists()


@pytest.mark.parametrize("field", ["", "name", "user", "id_number_index", "phone_index"])
def test_nothing_else_is_shown(client, person, clerk, field):
    assert ask(client, person, field).status_code == 302
    assert not AccessRecord.objects.exists()


def test_as_many_as_are_allowed_in_an_hour(client, person, clerk, settings):
    settings.REVEALS_PER_HOUR = 3
    with time_machine.travel(AT, tick=False):
        answers = [ask(client, person).status_code for _n in range(5)]
        assert answers == [200, 200, 200, 302, 302]
        assert AccessRecord.objects.count() == 3
    with time_machine.travel(AT + timedelta(minutes=59), tick=False):
        assert ask(client, person).status_code == 302
    with time_machine.travel(AT + timedelta(minutes=61), tick=False):
        assert ask(client, person).status_code == 200


def test_one_persons_limit_is_not_anothers(person, settings):
    settings.REVEALS_PER_HOUR = 1
    one, two = member(StaffGroup.CLERK), member(StaffGroup.CLERK)
    for user in (one, two):
        assert reveal(person, "phone", by=user, reason="回访", at=timezone.now()) == PHONE
    with pytest.raises(RuleBroken):
        reveal(person, "phone", by=one, reason="回访", at=timezone.now())


def test_without_the_record_there_is_no_number(client, person, clerk, monkeypatch):
    def fails(*_arguments, **_more):
        raise RuntimeError("the record was not written")

    monkeypatch.setattr("trainees.services.record_access", fails)
    client.raise_request_exception = False
    answer = ask(client, person)
    assert answer.status_code == 500 and BARE_PHONE not in answer.content.decode()


def test_who_has_none_and_what_cannot_be_read_is_said(client, clerk, person, settings):
    without = factories.TraineeFactory()
    assert ask(client, without).status_code == 302
    settings.PERSONAL_DATA_KEY = OTHER_KEY
    with pytest.raises(RuleBroken, match="doctor"):
        reveal(person, "phone", by=clerk, reason="回访", at=timezone.now())
    assert not AccessRecord.objects.exists()


# --- Head office ------------------------------------------------------------------------------------------------------


def test_head_office_sees_who_looked_and_changes_nothing(client, person, clerk):
    ask(client, person)
    record = AccessRecord.objects.get()
    head = factories.UserFactory(is_staff=True)
    Posting.objects.create(user=head, is_whole_country=True, starts_on=timezone.localdate())
    head.groups.add(Group.objects.get(name=StaffGroup.MANAGER))
    client.force_login(head)

    html = client.get(reverse("admin:accounts_accessrecord_changelist")).content.decode()
    assert "回访未接通" in html and page(person) in html and str(clerk) in html
    url = reverse("admin:accounts_accessrecord_change", args=[record.pk])
    assert client.get(url).status_code == 200
    assert client.post(url, {"reason": "x"}).status_code == 403
    assert client.get(reverse("admin:accounts_accessrecord_delete", args=[record.pk])).status_code == 403
    assert client.get(reverse("admin:accounts_accessrecord_add")).status_code == 403


def test_records_are_found_by_who_looked(client, person, clerk):
    ask(client, person)
    client.force_login(factories.superuser())
    url = reverse("admin:accounts_accessrecord_changelist")

    def found(term):
        return client.get(url, {"q": term}).context["cl"].result_count

    assert found(clerk.username) == 1 and found("nobody") == 0


def test_whoever_is_not_head_office_has_no_such_list(client, person):
    manager = member(StaffGroup.MANAGER)
    manager.user_permissions.set(Permission.objects.filter(codename="view_accessrecord"))
    client.force_login(manager)

    assert client.get(reverse("admin:accounts_accessrecord_changelist")).status_code == 403
    assert reverse("admin:accounts_accessrecord_changelist") not in client.get("/admin/").content.decode()


def test_the_page_asks_as_often_with_many_records_as_with_one(client, person, clerk, django_assert_num_queries):
    def queries():
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as captured:
            client.get(page(person))
        return len(captured)

    ask(client, person)
    queries()
    one = queries()
    for _n in range(25):
        ask(client, person)
    assert queries() == one
    assert len(re.findall("回访未接通", client.get(page(person)).content.decode())) == 20
