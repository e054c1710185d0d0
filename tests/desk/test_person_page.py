"""A person's page: the whole story, in as many queries whatever its length, for those who may see each part."""

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from courses.models import Attendance, Enrolment
from incubator.certification.models import Award, Candidate
from incubator.common.desk import PART_SHOWN
from incubator.grants.models import Grant, GrantMove
from incubator.metrics.choices import ConsentAct
from incubator.metrics.models import ConsentEvent, CreatorAccount
from incubator.programmes.models import Participation, ParticipationMove
from incubator.rosters.models import RosterImport, RosterRow
from tests import factories
from tests.desk.world import county_staff, make_world
from trainees.choices import ChangeKind
from trainees.history import Change, record_changes
from trainees.models import Trainee, TraineeChange

pytestmark = pytest.mark.django_db


def page_of(person):
    return reverse("admin:trainees_trainee_change", args=[person.pk])


def change_of(row):
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


@pytest.fixture
def world(client):
    """Everything that can hang on a person, once; a superuser looks."""
    client.force_login(factories.superuser())
    world = make_world("622927", "甲")
    _move_on(world)
    return world


def _move_on(world):
    person, account, grant = world[Trainee], world[CreatorAccount], world[Grant]
    ConsentEvent.objects.create(account=account, what=ConsentAct.GRANTED, at=timezone.now())
    for participation in person.participations.all():
        ParticipationMove.objects.create(participation=participation, before="nominated", after="admitted", reason="好")
    GrantMove.objects.create(grant=grant, before="proposed", after="approved", by=grant.proposed_by)


def add_one_more_of_everything(world, n):
    """Another row of every part of the page."""
    person, today = world[Trainee], timezone.localdate()
    participation = factories.graduate_row(today - timedelta(days=30 + n), trainee=person)
    session = factories.SessionFactory()
    Enrolment.objects.create(training_class=session.training_class, participation=participation)
    Attendance.objects.create(
        session=session, participation=participation, state="present", minutes=45, marked_by=world_staff(world)
    )
    account = factories.CreatorAccountFactory(trainee=person)
    factories.reading(account, today - timedelta(days=n), 500)
    facts = {"participation": participation, "pool": world[Grant].pool, "proposed_by": world_staff(world)}
    world[Grant] = Grant.objects.create(impressions=10, proposed_on=today, **facts)
    world[CreatorAccount] = account
    rule = factories.RuleFactory(valid_until=date(2026, 1, 2))  # rules that decide are few
    reached = {"participation": participation, "account": account, "followers": 123_456}
    candidate = Candidate.objects.create(
        rule=rule, crossed_on=today, found_on=today, state="approved", was_decided_alone=True,
        decided_by=world_staff(world), decided_at=timezone.now(), **reached,
    )  # fmt: skip
    Award.objects.create(
        number=f"XC-{n:05d}", badge=rule.badge, trainee=person, candidate=candidate, awarded_on=today,
        awarded_by=world_staff(world), evidence={},
    )  # fmt: skip
    roster = RosterImport.objects.create(
        cohort=participation.cohort, region=person.county, file="x", file_name=f"名册{n}.xlsx",
        uploaded_by=world_staff(world),
    )  # fmt: skip
    RosterRow.objects.create(roster=roster, number=3, status="matched", trainee=person)
    fields = {"township": ("甲", "乙"), "county": (None, person.county)}
    record_changes([Change(person.pk, fields)], kind=ChangeKind.EDITED, by=world_staff(world))
    _move_on(world)


def world_staff(world):
    return world[Grant].proposed_by


# --- What it tells ----------------------------------------------------------------------------------------------------


def test_page_tells_the_whole_story_in_the_order_of_life(world, client):
    response = client.get(page_of(world[Trainee]), headers={"accept-language": "en"})
    html = response.content.decode()
    titles = [str(section.title) for section in response.context["sections"]]
    assert len(titles) == len(set(titles)) == 13
    rows = [
        world[Participation],
        world[CreatorAccount],
        world[Grant],
        world[Candidate],
        world[Award],
        world[RosterImport],
    ]
    places = [html.index(f'href="{change_of(row)}"', html.index('id="part-1"')) for row in rows]
    assert places == sorted(places)
    for word in ("班甲", "123,456", "XC-甲", "名册甲.xlsx", "镇甲", "县甲"):
        assert word in html


def test_contents_lead_to_the_parts(world, client):
    html = client.get(page_of(world[Trainee])).content.decode()
    for n in range(1, 10):
        assert html.count(f'href="#part-{n}"') == html.count(f'id="part-{n}"') == 1


def test_history_says_what_who_and_why(world, client):
    person, clerk = world[Trainee], factories.UserFactory(display_name="陈干事")
    fields = {"name": ("王小明", "单小明"), "phone": ("", "+8613800001234"), "sex": ("", "female")}
    record_changes([Change(person.pk, fields)], kind=ChangeKind.IMPORTED, by=clerk, origin=world[RosterImport])
    history = client.get(page_of(person)).context["sections"][-1].html
    for word in ("王小明 → 单小明", "- → 138****1234", "陈干事", change_of(world[RosterImport])):
        assert word in history
    assert "13800001234" not in history
    assert "female" not in history  # in words


def test_history_puts_everything_in_order_of_time(world, client):
    """A change of the person between two of what hangs on the person."""
    person = world[Trainee]
    Trainee.objects.filter(pk=person.pk).update(created_at=timezone.now() - timedelta(days=30))
    ParticipationMove.objects.filter(participation__trainee=person).update(at=timezone.now() - timedelta(days=20))
    later = timezone.now() + timedelta(minutes=1)
    event = ConsentEvent.objects.create(account=world[CreatorAccount], what=ConsentAct.RENEWED, at=later)
    history = client.get(page_of(person)).context["sections"][-1].html
    places = [history.index(words) for words in (str(event), "镇甲", "好")]
    assert places == sorted(places)


def test_editing_the_name_is_noted_with_who_did_it(world, client):
    person = world[Trainee]
    data = {"name": "单晓明", "background": "founder", "township": person.township, "education": ""}
    assert client.post(page_of(person), data).status_code == 302
    change = TraineeChange.objects.filter(trainee=person).first()
    assert change.fields == {"name": ["学员甲", "单晓明"], "background": ["other", "founder"]}
    assert change.by.is_superuser
    assert Trainee.objects.get(pk=person.pk).initials == "sxm"


def test_chart_is_of_the_largest_account_or_the_one_asked_for(world, client):
    person, largest = world[Trainee], world[CreatorAccount]
    small = factories.CreatorAccountFactory(trainee=person, handle="small")
    for days in (0, 1):
        factories.reading(small, timezone.localdate() - timedelta(days=days), 10 + days)
    strange = factories.CreatorAccountFactory(trainee=factories.TraineeFactory(), handle="strange")
    for asked, handle in (
        ("", largest.handle),
        (small.pk, "small"),
        (strange.pk, largest.handle),
        ("x", largest.handle),
    ):
        html = client.get(page_of(person), {"account": asked}).content.decode()
        assert f"<h3>{CreatorAccount.objects.get(handle=handle)}</h3>" in html
        assert "strange" not in html
    html = client.get(page_of(person), {"account": small.pk}).content.decode()
    assert f'href="?account={small.pk}&amp;span=30#followers"' in html
    assert html.count("<polyline") == 1 + 3  # of the account, and of its forecast


def test_a_person_with_nothing_has_a_page_that_says_so(client):
    client.force_login(factories.superuser())
    response = client.get(page_of(factories.TraineeFactory(name="空")))
    assert response.status_code == 200
    assert response.content.decode().count("desk-empty") >= 8


# --- How long it may get ----------------------------------------------------------------------------------------------


def count(client, url):
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        response = client.get(url)
    return len(captured), response


def test_queries_are_as_many_for_one_row_of_everything_as_for_a_hundred(world, client):
    url = page_of(world[Trainee])
    one, _response = count(client, url)
    for n in range(100):
        add_one_more_of_everything(world, n)
    hundred, response = count(client, url)
    assert hundred == one
    assert one <= 70
    for section in response.context["sections"]:
        assert section.html.count("<tr>") < 100 or "history-figures" in section.html, section.title


def test_long_parts_lead_to_the_list_of_all_of_them(world, client):
    person = world[Trainee]
    for n in range(PART_SHOWN + 11):
        add_one_more_of_everything(world, n)
    html = client.get(page_of(person)).content.decode()
    for model, filters in (
        (Participation, ""),
        (CreatorAccount, ""),
        (Grant, ""),
        (Candidate, "&amp;decision=all"),
        (Award, ""),
        (Attendance, ""),
        (TraineeChange, ""),
    ):
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        assert f'href="{url}?q={person.number}{filters}"' in html, model
        found = client.get(f"{url}?q={person.number}{filters.replace('&amp;', '&')}").context["cl"]
        assert found.result_count > PART_SHOWN, model


def test_list_of_changes_asks_as_often_for_one_as_for_thirty(world, client):
    url = reverse("admin:trainees_traineechange_changelist")
    one, _response = count(client, url)
    for n in range(30):
        record_changes(
            [Change(world[Trainee].pk, {"county": ("622927", f"5205{n:02d}")})], kind=ChangeKind.EDITED, by=None
        )
    thirty, response = count(client, url)
    assert (thirty, response.context["cl"].result_count) == (one, 31)


# --- Who sees what ----------------------------------------------------------------------------------------------------


def test_a_strangers_page_is_not_there(world, client):
    client.force_login(county_staff("520526"))
    response = client.get(page_of(world[Trainee]), follow=True)
    assert response.redirect_chain
    assert "学员甲" not in response.content.decode()


def test_parts_are_for_those_who_may_see_their_lists(world, client):
    viewer = factories.official("622927", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_trainee"))
    client.force_login(viewer)
    response = client.get(page_of(world[Trainee]))
    html = response.content.decode()
    titles = [str(section.title) for section in response.context["sections"]]
    assert len(titles) == 2, titles  # who looked at the numbers, and the history of the person
    for word in ("XC-甲", "123,456", "名册甲.xlsx", "班甲", "好"):
        assert word not in html


def test_a_class_that_may_not_be_opened_is_named_without_a_link(world, client):
    """A class of the prefecture, with somebody of the county in it."""
    elsewhere = factories.TrainingClassFactory(name="外地班")
    Enrolment.objects.create(training_class=elsewhere, participation=world[Participation])
    client.force_login(county_staff("622927"))
    html = client.get(page_of(world[Trainee])).content.decode()
    assert "外地班" in html
    assert change_of(elsewhere) not in html


def test_an_import_of_another_region_is_not_shown(world, client):
    roster = RosterImport.objects.create(
        cohort=world[Participation].cohort, region=factories.region("520526"), file="x", file_name="外县名册.xlsx",
        uploaded_by=world_staff(world),
    )  # fmt: skip
    RosterRow.objects.create(roster=roster, number=3, status="matched", trainee=world[Trainee])
    client.force_login(county_staff("622927"))
    html = client.get(page_of(world[Trainee])).content.decode()
    assert "外县名册" not in html
    assert "名册甲.xlsx" in html
