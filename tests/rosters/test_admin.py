"""The desk's pages of an import: what is shown in each state, who may do what, and that lists stay flat."""

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from incubator.accounts.choices import StaffGroup
from incubator.jobs import services as jobs
from incubator.rosters import services
from incubator.rosters.models import RosterImport
from incubator.rosters.services import apply_roster
from tests.factories import CreatorAccountFactory, official, reading, region
from tests.rosters.test_import import FILLED_ON, PEOPLE, bring_in, cohort, county, line, workbook  # noqa: F401
from tests.rosters.test_matching import known
from trainees.models import Trainee

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk(county):  # noqa: F811
    user = official("622927", is_staff=True)
    user.groups.add(Group.objects.get(name=StaffGroup.CLERK))
    return user


@pytest.fixture
def desk(client, clerk):
    client.force_login(clerk)
    return client


def page(roster, client, query=""):
    answer = client.get(reverse("admin:rosters_rosterimport_change", args=[roster.pk]) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def row_url(roster, number):
    return reverse("admin:rosters_rosterimport_row", args=[roster.pk, number])


def move(roster, client, name, **answers):
    return client.post(reverse("admin:rosters_rosterimport_move", args=[roster.pk, name]), answers)


BAD = {"联系电话": "123"}


def test_a_roster_is_put_right_written_and_undone_in_the_desk(cohort, county, clerk, desk):  # noqa: F811
    roster = bring_in(workbook([line(0), line(1, **BAD)]), cohort, county, clerk)
    assert "/move/apply/" not in page(roster, desk) and "/move/apply_good/" in page(roster, desk)
    shown = desk.get(row_url(roster, 5)).content.decode()
    assert PEOPLE[1].name in shown and PEOPLE[1].id_number not in shown

    desk.post(
        row_url(roster, 5), {"do": "correct", "name": PEOPLE[1].name, "phone": PEOPLE[1].phone, "county": "积石山县"}
    )
    roster.refresh_from_db()
    assert (roster.state, roster.new_count) == ("checked", 2)
    move(roster, desk, "apply")
    roster.refresh_from_db()
    assert roster.state == "applied" and Trainee.objects.count() == 2

    assert move(roster, desk, "undo").status_code == 200  # asks first
    assert Trainee.objects.count() == 2
    move(roster, desk, "undo", is_sure="on")
    roster.refresh_from_db()
    assert roster.state == "undone" and not Trainee.objects.exists()
    assert roster.undone_by.username in page(roster, desk)


def test_the_good_rows_are_written_after_a_question(cohort, county, clerk, desk):  # noqa: F811
    roster = bring_in(workbook([line(0), line(1, **BAD)]), cohort, county, clerk)

    assert move(roster, desk, "apply_good").status_code == 200 and not Trainee.objects.exists()
    move(roster, desk, "apply_good", is_sure="on")

    assert Trainee.objects.get().name == PEOPLE[0].name
    roster.refresh_from_db()
    assert roster.is_partial and PEOPLE[1].name in page(roster, desk, "?kind=wrong")


def test_what_holds_a_written_import_is_listed(cohort, county, clerk, desk):  # noqa: F811
    roster = apply_roster(bring_in(workbook([line(0)]), cohort, county, clerk), by=clerk, on=FILLED_ON)
    reading(Trainee.objects.get().accounts.get(), FILLED_ON, 10)

    assert PEOPLE[0].name in page(roster, desk)
    answer = desk.post(
        reverse("admin:rosters_rosterimport_move", args=[roster.pk, "undo"]), {"is_sure": "on"}, follow=True
    )
    assert PEOPLE[0].name in " ".join(map(str, answer.context["messages"])) and Trainee.objects.exists()


def test_the_same_file_is_named(cohort, county, clerk, desk):  # noqa: F811
    content = workbook([line(0)])
    first = apply_roster(bring_in(content, cohort, county, clerk), by=clerk, on=FILLED_ON)
    content.seek(0)

    again = bring_in(content, cohort, county, clerk)

    assert reverse("admin:rosters_rosterimport_change", args=[first.pk]) in page(again, desk)
    assert first.sha256 in page(again, desk)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("", {0, 1, 2, 3}),
        ("new", {1, 2}),
        ("matched", {0}),
        ("changed", {0}),
        ("doubtful", {2}),
        ("wrong", {3}),
        ("skipped", set()),
        ("nonsense", {0, 1, 2, 3}),
    ],
)
def test_rows_are_shown_by_kind(cohort, county, clerk, desk, kind, names):  # noqa: F811
    known(0, township="老镇")
    known(2, id_number=None, phone=None)
    rows = [line(0, 乡镇="新镇"), line(1), line(2), line(3, **BAD)]
    roster = bring_in(workbook(rows), cohort, county, clerk)

    shown = page(roster, desk, f"?kind={kind}").split("import-kinds")[1]

    assert {n for n in range(4) if f"<td>{PEOPLE[n].name}</td>" in shown} == names


def test_a_doubtful_row_shows_both_and_is_decided(cohort, county, clerk, desk):  # noqa: F811
    known(0, id_number=None, phone=None, township="吹麻滩老镇")
    roster = bring_in(workbook([line(0)]), cohort, county, clerk)

    shown = desk.get(row_url(roster, 4)).content.decode()
    assert "吹麻滩老镇" in shown and PEOPLE[0].id_number not in shown and PEOPLE[0].phone not in shown
    desk.post(row_url(roster, 4), {"do": "same"})

    roster.refresh_from_db()
    assert (roster.matched_count, roster.doubtful_count) == (1, 0)


def test_what_will_be_changed_is_shown_masked(cohort, county, clerk, desk):  # noqa: F811
    known(0, township="老镇", phone="+8613912345678")
    roster = bring_in(workbook([line(0, 乡镇="新镇")]), cohort, county, clerk)

    shown = desk.get(row_url(roster, 4)).content.decode()

    assert "老镇" in shown and "新镇" in shown and "139****5678" in shown
    assert "13912345678" not in shown and PEOPLE[0].phone not in shown


def test_somebody_who_moved_away_since_is_not_shown(cohort, county, clerk, desk):  # noqa: F811
    trainee = known(0, id_number=None, phone=None, township="秘密镇")
    roster = bring_in(workbook([line(0)]), cohort, county, clerk)
    Trainee.objects.filter(pk=trainee.pk).update(county=region("520526"))

    assert "秘密镇" not in desk.get(row_url(roster, 4)).content.decode()


def test_a_row_is_left_out_and_taken_in_again(cohort, county, clerk, desk):  # noqa: F811
    roster = bring_in(workbook([line(0), line(1, **BAD)]), cohort, county, clerk)

    desk.post(row_url(roster, 5), {"do": "leave_out", "reason": "不参加"})
    roster.refresh_from_db()
    assert (roster.wrong_count, roster.skipped_count) == (0, 2) and "不参加" in page(roster, desk)
    desk.post(row_url(roster, 5), {"do": "take_in"})
    roster.refresh_from_db()
    assert (roster.wrong_count, roster.skipped_count) == (1, 1)


def test_a_refusal_comes_back_as_its_sentence(cohort, county, clerk, desk):  # noqa: F811
    roster = bring_in(workbook([line(0)]), cohort, county, clerk)

    answer = desk.post(row_url(roster, 4), {"do": "leave_out", "reason": ""}, follow=True)

    assert answer.status_code == 200 and len(answer.context["messages"]) == 1
    assert desk.post(row_url(roster, 4), {"do": "explode"}).status_code == 405


def test_another_countys_rows_are_not_there(client, cohort, county, clerk):  # noqa: F811
    roster = bring_in(workbook([line(0)]), cohort, county, clerk)
    stranger = official("520526", is_staff=True)
    stranger.groups.add(Group.objects.get(name=StaffGroup.CLERK))
    client.force_login(stranger)

    assert client.get(row_url(roster, 4)).status_code == 404
    assert client.post(row_url(roster, 4), {"do": "leave_out", "reason": "x"}).status_code == 404
    roster.refresh_from_db()
    assert roster.new_count == 1


def test_who_may_only_look_changes_nothing(client, cohort, county, clerk):  # noqa: F811
    roster = bring_in(workbook([line(0)]), cohort, county, clerk)
    viewer = official("622927", is_staff=True)
    viewer.groups.add(Group.objects.get(name=StaffGroup.VIEWER))
    client.force_login(viewer)

    assert 'name="do"' not in client.get(row_url(roster, 4)).content.decode()
    assert client.post(row_url(roster, 4), {"do": "leave_out", "reason": "x"}).status_code == 403
    assert move(roster, client, "apply").status_code == 403
    assert "/move/" not in page(roster, client)


def test_a_row_that_is_not_there_is_a_404(cohort, county, clerk, desk):  # noqa: F811
    roster = bring_in(workbook([line(0)]), cohort, county, clerk)

    assert desk.get(row_url(roster, 99)).status_code == 404


def test_while_it_is_written_the_page_says_how_far_it_is(cohort, county, clerk, desk, monkeypatch):  # noqa: F811
    monkeypatch.setattr(services, "AT_ONCE", 0)
    roster = bring_in(workbook([line(0), line(1)]), cohort, county, clerk)
    move(roster, desk, "apply")

    answer = desk.get(reverse("admin:rosters_rosterimport_change", args=[roster.pk]))
    assert "<progress" in answer.content.decode() and answer["Refresh"] == "2"
    assert "/move/" not in answer.content.decode()
    jobs.run(RosterImport.objects.get().job_id)
    answer = desk.get(reverse("admin:rosters_rosterimport_change", args=[roster.pk]))
    assert "<progress" not in answer.content.decode() and "Refresh" not in answer


def test_a_long_import_is_looked_at_for_undoing_when_asked(cohort, county, clerk, desk, monkeypatch):  # noqa: F811
    from incubator.rosters import admin

    monkeypatch.setattr(admin, "FEW", 0)
    roster = apply_roster(bring_in(workbook([line(0)]), cohort, county, clerk), by=clerk, on=FILLED_ON)
    CreatorAccountFactory(trainee=Trainee.objects.get())

    assert "?holds=1" in page(roster, desk)
    assert PEOPLE[0].name in page(roster, desk, "?holds=1").split("import-kinds")[0]


@pytest.mark.parametrize("path", ["change", "row"])
def test_pages_take_the_same_queries_for_one_row_and_for_thirty(cohort, county, clerk, desk, path):  # noqa: F811
    used = []
    for rows in ([line(0)], [line(1, **BAD)] + [line(n) for n in range(2, 32)], [line(33, **BAD)]):
        roster = bring_in(workbook(rows), cohort, county, clerk)
        url = row_url(roster, 4) if path == "row" else reverse("admin:rosters_rosterimport_change", args=[roster.pk])
        desk.get(url)
        with CaptureQueriesContext(connection) as captured:
            desk.get(url)
        used.append(len(captured))
    assert used[1] == used[2]


def test_the_list_takes_the_same_queries_for_one_import_and_for_many(cohort, county, clerk, desk):  # noqa: F811
    url, used = reverse("admin:rosters_rosterimport_changelist"), []
    for _time in range(3):
        for _import in range(1 if not used else 4):
            bring_in(workbook([line(0)]), cohort, county, clerk)
        desk.get(url)
        with CaptureQueriesContext(connection) as captured:
            desk.get(url)
        used.append(len(captured))
    assert used[1] == used[2]
