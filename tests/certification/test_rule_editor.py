"""A draft is edited as sentences, by buttons that need no script."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from incubator.certification.admin.rule_form import Row, carry_out, node_of, posted_node
from incubator.certification.conditions import checked
from incubator.certification.models import Rehearsal, Rule
from incubator.certification.services import rehearse
from incubator.jobs import services as jobs
from incubator.jobs.models import Job
from tests import factories

pytestmark = pytest.mark.django_db
OF_YOUR_COUNTIES = "Of your counties."

NESTED = {
    "all": [
        {"kind": "graduated"},
        {
            "any": [
                {"kind": "followers", "number": 100_000, "strict": True, "held_days": 3, "when": "support"},
                {"all": [{"kind": "class_hours", "number": "16.0"}, {"kind": "published", "number": 2}]},
            ]
        },
        {"kind": "no_open_flag"},
    ]
}


@pytest.fixture
def staff(client):
    user = factories.superuser()
    client.force_login(user)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return user


@pytest.fixture
def draft(staff):
    present = factories.RuleFactory()
    return factories.RuleFactory(badge=present.badge, version=2, published_at=None, conditions=checked(NESTED))


def page(rule, name="conditions", *args):
    return reverse(f"admin:certification_rule_{name}", args=[rule.pk, *args])


def fields_of(html):
    """What a browser would send of the page's form, without a button."""
    form = re.search(r'<form method="post" class="rule-editor".*?</form>', html, re.DOTALL)[0]
    found = {}
    for tag in re.findall(r"<(?:input|textarea)[^>]*>", form):
        said = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        if said.get("type") != "radio" or " checked" in tag:
            found[said["name"]] = said.get("value", "")
    for name, options in re.findall(r'<select[^>]*name="([^"]+)".*?>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)"[^>]*selected', options)
        found[name] = chosen[1] if chosen else ""
    return found


def press(client, rule, html, button, **changes):
    return client.post(page(rule), fields_of(html) | {"do": button} | changes)


def said(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_a_tree_comes_back_from_the_form_as_it_went_in():
    row = Row(node_of(checked(NESTED)))
    assert row.is_whole and row.tree == NESTED


def test_a_draft_is_saved_as_it_is_shown(client, draft):
    shown = client.get(page(draft)).content.decode()
    for words in ("More than 100,000 followers", "held for 3 days", "At least 16.0 class hours", "2 published works"):
        assert words in shown
    response = press(client, draft, shown, "save", note="Held for three days", valid_from="2027-01-01")
    assert response.status_code == 302
    draft.refresh_from_db()
    assert draft.conditions == NESTED
    assert (draft.note, draft.valid_from.isoformat(), draft.valid_until) == ("Held for three days", "2027-01-01", None)


def test_numbers_are_changed_and_commas_are_understood(client, draft):
    shown = client.get(page(draft)).content.decode()
    changes = {"0.2.1-number": "120,000", "0.2.1-strict": "least", "0.2-join": "all", "0.2.2.1-number": "8"}
    press(client, draft, shown, "save", **changes)
    group = Rule.objects.get(pk=draft.pk).conditions["all"][1]["all"]
    assert (group[0]["number"], group[0]["strict"]) == (120_000, False)
    assert group[1]["all"][0] == {"kind": "class_hours", "number": "8.0"}


def test_rows_and_groups_are_added_and_removed_without_saving(client, draft):
    shown = client.get(page(draft)).content.decode()
    added = press(client, draft, shown, "add 0.2", **{"0.2-new": "published"}).content.decode()
    assert 'name="0.2.3-kind" value="published"' in added
    grouped = press(client, draft, added, "group 0").content.decode()
    assert 'name="0.4-join" value="any" checked' in grouped and "Add a condition here." in grouped
    removed = press(client, draft, grouped, "remove 0.2").content.decode()
    assert fields_of(removed)["0.2-kind"] == "no_open_flag"
    assert Rule.objects.get(pk=draft.pk).conditions == NESTED
    refused = press(client, draft, removed, "save")  # the new group is empty
    assert refused.status_code == 200 and "not filled in" in said(refused)[0]
    filled = press(client, draft, removed, "add 0.3", **{"0.3-new": "graduated"}).content.decode()
    assert press(client, draft, filled, "save").status_code == 302
    assert Rule.objects.get(pk=draft.pk).conditions == {
        "all": [{"kind": "graduated"}, {"kind": "no_open_flag"}, {"any": [{"kind": "graduated"}]}]
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("0.2.1-number", "9999"),
        ("0.2.1-number", "many"),
        ("0.2.1-number", ""),
        ("0.2.1-held_days", "0"),
        ("0.2.1-when", "never"),
        ("0.2.2.1-number", "0"),
        ("0.2.2.1-number", "16.05"),
        ("0.2.2.2-number", "0"),
        ("valid_until", "2020-01-01"),
    ],
)
def test_what_cannot_be_is_marked_where_it_stands_and_not_saved(client, draft, name, value):
    shown = client.get(page(draft)).content.decode()
    answer = press(client, draft, shown, "save", valid_from="2027-01-01", **{name: value})
    assert answer.status_code == 200
    assert 'class="desk-error"' in answer.content.decode() and said(answer)
    assert Rule.objects.get(pk=draft.pk).conditions == NESTED
    assert value in fields_of(answer.content.decode()).values() or name.endswith("when")


def test_examples_of_what_is_entered_are_judged_before_it_is_saved(client, draft):
    shown = client.get(page(draft)).content.decode()
    looked = press(client, draft, shown, "look", **{"0.2.1-number": "250000"}).content.decode()
    assert "250,001 followers from the last day on, for 3 days" in looked
    assert Rule.objects.get(pk=draft.pk).conditions == NESTED


def test_of_two_who_change_a_draft_the_second_is_told(client, draft):
    shown = client.get(page(draft)).content.decode()
    press(client, draft, shown, "save", **{"0.2.1-number": "120000"})
    second = press(client, draft, shown, "save", **{"0.2.1-number": "130000"})
    assert "Somebody else" in said(second)[-1]
    assert Rule.objects.get(pk=draft.pk).conditions["all"][1]["any"][0]["number"] == 120_000


def test_groups_go_two_levels_deep_and_no_deeper():
    node = node_of(checked({"all": [{"kind": "graduated"}]}))
    for path in ("0", "0.2", "0.2.1"):
        carry_out(node, f"group {path}", {})
    assert node["parts"][1]["parts"] == [{"join": "all", "parts": []}]


@pytest.mark.parametrize(
    "button", ["", "remove", "remove 0", "remove 0.9", "remove x", "add 7", "group 0.1", "add 0.1"]
)
def test_buttons_of_nobodys_making_change_nothing(button):
    node = node_of(checked(NESTED))
    carry_out(node, button, {"0.1-new": "graduated"})
    assert node == node_of(checked(NESTED))


def test_a_form_of_thousands_of_rows_is_cut():
    data = {"0-join": "all"} | {f"0.{n}-kind": "graduated" for n in range(1, 1_000)}
    assert len(posted_node(data)["parts"]) < 100


def test_a_published_version_is_not_edited(client, draft):
    present = Rule.objects.exclude(published_at=None).get()
    assert client.get(page(present)).status_code == 302
    shown = client.get(page(present, "change")).content.decode()
    assert page(present, "new_version") in shown and page(present) not in shown


def test_a_new_version_is_made_from_one_and_opened_for_editing(client, draft):
    present = Rule.objects.exclude(published_at=None).get()
    answer = client.post(page(present, "new_version"))
    new = Rule.objects.order_by("-version").first()
    assert answer.url == page(new) and new.conditions == present.conditions
    assert client.get(page(present, "new_version")).status_code == 405


def test_the_first_version_of_a_badge_is_drafted_by_adding(client, staff):
    badge = factories.BadgeFactory()
    answer = client.post(reverse("admin:certification_rule_add"), {"badge": badge.pk, "note": "First"})
    rule = badge.rules.get()
    assert answer.url == page(rule) and (rule.version, rule.note) == (1, "First")


def test_drafting_needs_the_permission(client, draft):
    viewer = factories.official("622927", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_rule"))
    client.force_login(viewer)
    assert client.get(page(draft)).status_code == 403
    assert client.post(page(draft, "new_version")).status_code == 403
    shown = client.get(page(draft, "change")).content.decode()
    assert "More than 100,000 followers" in shown and page(draft) not in shown


# Rehearsing and publishing on the desk


def test_a_draft_is_rehearsed_looked_at_and_published(client, draft, staff):
    shown = client.get(page(draft, "change")).content.decode()
    assert "Rehearse exactly these conditions first" in shown
    client.post(page(draft, "move", "rehearse"))
    running = client.get(page(draft, "change")).content.decode()
    assert "step 0 of 3" in running
    jobs.run(Job.objects.get().pk)
    rehearsal = Rehearsal.objects.get()
    shown = client.get(page(draft, "change")).content.decode()
    assert reverse("admin:certification_rehearsal_change", args=[rehearsal.pk]) in shown
    assert f'href="{page(draft, "move", "publish")}"' in shown

    asked = client.get(page(draft, "move", "publish")).content.decode()
    assert "Would meet the draft" in asked and "never be changed again" in asked
    not_seen = client.post(page(draft, "move", "publish"), {})
    assert not_seen.status_code == 200 and Rule.objects.get(pk=draft.pk).published_at is None
    client.post(page(draft, "move", "publish"), {"is_seen": "on"})
    assert Rule.objects.get(pk=draft.pk).published_by == staff


def test_without_a_rehearsal_the_page_says_so_and_publishing_is_refused(client, draft):
    assert "It cannot be published" in client.get(page(draft, "move", "publish")).content.decode()
    refused = client.post(page(draft, "move", "publish"), {"is_seen": "on"})
    assert "rehearsed" in said(refused)[0] and Rule.objects.get(pk=draft.pk).published_at is None


def test_only_who_sees_the_whole_country_publishes(client, draft, staff):
    rehearse(draft, on=timezone.localdate(), by=staff)
    county = factories.official("622927", is_staff=True)
    county.user_permissions.set(Permission.objects.all())
    client.force_login(county)
    assert client.post(page(draft, "move", "publish"), {"is_seen": "on"}).status_code == 403
    assert page(draft, "move", "publish") not in client.get(page(draft, "change")).content.decode()
    assert Rule.objects.get(pk=draft.pk).published_at is None


def test_a_rehearsal_page_counts_what_its_reader_sees(client, staff):
    present = factories.RuleFactory()
    stricter = factories.RuleFactory(badge=present.badge, version=2, published_at=None, followers=200_000)
    for code in ("622927", "622927", "520526"):
        trainee = factories.TraineeFactory(county=factories.region(code, f"县{code}"), name=f"人{code}")
        factories.graduate_row(timezone.localdate(), trainee=trainee)
        factories.reading(factories.CreatorAccountFactory(trainee=trainee), timezone.localdate(), 150_000)
    rehearsal = rehearse(stricter, on=timezone.localdate(), by=staff)
    address = reverse("admin:certification_rehearsal_change", args=[rehearsal.pk])
    for_all = client.get(address).content.decode()
    assert ">-3<" in for_all and "县520526" in for_all and "人520526" in for_all

    county = factories.official("622927", is_staff=True)
    county.user_permissions.set(Permission.objects.all())
    client.force_login(county)
    own = client.get(address).content.decode()
    assert ">-2<" in own and ">-3<" not in own and "520526" not in own and "人622927" in own
    listed = client.get(reverse("admin:certification_rehearsal_changelist")).content.decode()
    assert ">-2<" in listed and ">-3<" not in listed
    assert OF_YOUR_COUNTIES in own and OF_YOUR_COUNTIES not in for_all
    confirmed = client.get(page(present, "change")).content.decode()
    assert "520526" not in confirmed


def test_a_running_rehearsal_is_followed_by_who_asked_for_it(client, staff):
    draft = factories.RuleFactory(published_at=None)
    asked = {"key": f"{draft.pk}", "title": "预演", "arguments": {}}
    job = Job.objects.create(kind="rehearse_rule", asked_by=factories.UserFactory(), **asked)
    follow = reverse("job", args=[job.pk])
    assert follow in client.get(page(draft, "change")).content.decode()

    other = factories.official("622927", is_staff=True)
    other.user_permissions.set(Permission.objects.all())
    client.force_login(other)
    told = client.get(page(draft, "change")).content.decode()
    assert follow not in told and "A rehearsal is running" in told


def test_pages_of_rehearsals_ask_the_database_as_often_for_thirty_counties_as_for_one(client, staff):
    present = factories.RuleFactory()
    looser = factories.RuleFactory(badge=present.badge, version=2, published_at=None, followers=50_000)
    counts = []
    for codes in (["622927"], [f"5205{n:02d}" for n in range(1, 30)]):
        for code in codes:
            trainee = factories.TraineeFactory(county=factories.region(code))
            factories.graduate_row(timezone.localdate(), trainee=trainee)
            factories.reading(factories.CreatorAccountFactory(trainee=trainee), timezone.localdate(), 60_000)
        rehearsal = rehearse(looser, on=timezone.localdate(), by=staff)
        addresses = (
            reverse("admin:certification_rehearsal_change", args=[rehearsal.pk]),
            page(looser, "move", "publish"),
            page(looser, "change"),
            reverse("admin:certification_rehearsalperson_changelist"),
        )
        for address in addresses:
            client.get(address)  # what is read once per process is read now
        counts.append([])
        for address in addresses:
            with CaptureQueriesContext(connection) as captured:
                assert client.get(address).status_code == 200
            counts[-1].append(len(captured))
    assert rehearsal.counties.count() == rehearsal.people.count() == 30
    assert counts[0] == counts[1] and max(counts[0]) <= 25
