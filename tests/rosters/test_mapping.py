"""A header that nobody knows is told once, on a page of the desk, and remembered for the county's next workbooks."""

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils.translation import override

from incubator.accounts.choices import StaffGroup
from incubator.common.errors import RuleBroken
from incubator.jobs import services as jobs
from incubator.rosters.mapping import choose_columns, mapping_of
from incubator.rosters.models import ColumnMapping, RosterImport
from incubator.rosters.reading import mask_sample
from incubator.rosters.services import recheck_roster
from tests.factories import official, region
from tests.rosters.test_import import (  # noqa: F401
    HEADERS,
    PEOPLE,
    bring_in,
    clerk,
    cohort,
    counts,
    county,
    line,
    workbook,
)

pytestmark = pytest.mark.django_db

STRANGE = [{"身份证号码": "证件资料", "联系电话": "呼叫"}.get(header, header) for header in HEADERS]
CHOICE = {"证件资料": "id_number", "呼叫": "phone"}


@pytest.fixture
def roster(cohort, county, clerk):  # noqa: F811
    """Refused: two needed columns were not found."""
    return bring_in(workbook([line(0), line(1)], STRANGE), cohort, county, clerk)


def member(code, group):
    user = official(code, is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    return user


@pytest.fixture
def desk(client):
    client.force_login(member("622927", StaffGroup.CLERK))
    return client


def read_again(roster, by):
    recheck_roster(roster, by=by)
    jobs.run(roster.job_id)
    roster.refresh_from_db()


def url_of(roster):
    return reverse("admin:rosters_rosterimport_columns", args=[roster.pk])


def answers(roster, **columns):
    """What the page posts when only these headers are chosen, by key."""
    places = {header["key"]: header["place"] for header in roster.outline["headers"]}
    told = {f"column_{place}": "by itself" for place in places.values()}
    told |= {f"column_{places[key]}": column for key, column in columns.items()}
    return {"sheet": roster.outline["sheet"], **told}


def test_a_roster_that_was_not_understood_says_what_it_saw(roster):
    assert roster.state == "refused" and "身份证号" in roster.error
    headers = {header["text"]: header for header in roster.outline["headers"]}
    assert headers["证件资料"]["column"] == "" and headers["姓名"]["column"] == "name"
    assert headers["呼叫"]["samples"][0] == f"{PEOPLE[0].phone[:3]}********"


def test_nothing_personal_stands_in_what_is_kept_of_it(roster):
    kept = str(RosterImport.objects.values_list("outline", flat=True).get(pk=roster.pk))
    for person in PEOPLE[:2]:
        assert person.id_number not in kept and person.phone not in kept and person.name not in kept


def test_told_once_the_same_workbook_is_read_and_the_next_one_too(roster, cohort, county, clerk):  # noqa: F811
    choose_columns(roster, sheet=roster.outline["sheet"], columns=CHOICE, by=clerk)
    read_again(roster, clerk)
    assert (roster.state, roster.error, counts(roster)) == ("checked", "", (2, 0, 0, 1))

    following = bring_in(workbook([line(2)], STRANGE), cohort, county, clerk)

    assert counts(following) == (1, 0, 0, 1)


def test_what_one_county_said_is_not_said_for_another(roster, cohort, clerk):  # noqa: F811
    choose_columns(roster, sheet=roster.outline["sheet"], columns=CHOICE, by=clerk)
    other = region("520526", "威宁县")
    assert mapping_of(other) == {}
    assert bring_in(workbook([line(3)], STRANGE), cohort, other, official("520526")).state == "refused"


def test_a_choice_can_be_changed_and_taken_back(roster, clerk):  # noqa: F811
    sheet = roster.outline["sheet"]
    choose_columns(roster, sheet=sheet, columns=CHOICE | {"快手号": ""}, by=clerk)
    choose_columns(roster, sheet=sheet, columns={"快手号": None, "呼叫": ""}, by=clerk)
    assert mapping_of(roster.region) == {"证件资料": "id_number", "呼叫": ""}


def test_two_columns_cannot_be_the_same_and_strange_ones_are_refused(roster, clerk):  # noqa: F811
    sheet = roster.outline["sheet"]
    with override("en"):
        with pytest.raises(RuleBroken, match="Two columns"):
            choose_columns(roster, sheet=sheet, columns={"证件资料": "phone", "呼叫": "phone"}, by=clerk)
        with pytest.raises(RuleBroken, match="no column “不在”"):
            choose_columns(roster, sheet=sheet, columns={"不在": "phone"}, by=clerk)
        with pytest.raises(RuleBroken, match="one of the sheets"):
            choose_columns(roster, sheet="另一张", columns={}, by=clerk)
    assert not ColumnMapping.objects.exists()


def test_the_page_shows_headers_with_masked_samples_and_reads_the_workbook_again(roster, desk):
    page = desk.get(url_of(roster))
    text = page.content.decode()
    assert page.status_code == 200 and "证件资料" in text and f"{PEOPLE[0].id_number[:3]}****" in text
    assert PEOPLE[0].id_number not in text and PEOPLE[0].phone not in text and PEOPLE[0].name not in text

    done = desk.post(url_of(roster), answers(roster, **CHOICE))

    assert done.status_code == 302
    roster.refresh_from_db()
    jobs.run(roster.job_id)
    roster.refresh_from_db()
    assert counts(roster) == (2, 0, 0, 1)
    assert mapping_of(roster.region) == CHOICE


def test_the_page_says_a_refusal_and_keeps_nothing(roster, desk):
    page = desk.post(url_of(roster), answers(roster, 证件资料="phone", 呼叫="phone"))
    assert page.status_code == 200 and ("两列" in page.content.decode() or "Two columns" in page.content.decode())
    assert not ColumnMapping.objects.exists()


def test_another_sheet_can_be_chosen_and_nothing_is_said_of_its_columns(roster, desk):
    RosterImport.objects.filter(pk=roster.pk).update(outline=roster.outline | {"sheets": ["Sheet1", "另一张"]})
    desk.post(url_of(roster), answers(roster, **CHOICE) | {"sheet": "另一张"})
    roster.refresh_from_db()
    assert roster.sheet == "另一张" and not ColumnMapping.objects.exists()


def test_the_page_of_the_import_tells_how_it_was_read(cohort, county, clerk, desk):  # noqa: F811
    headers = [*HEADERS, "抖音号"]
    roster = bring_in(workbook([[*line(0), "dy1"], [*line(1), "dy2"]], headers), cohort, county, clerk)
    text = desk.get(reverse("admin:rosters_rosterimport_change", args=[roster.pk])).content.decode()
    assert "I 抖音号" in text and url_of(roster) in text
    assert roster.outline["left_out"] == {"total": 1}


def test_a_stranger_finds_no_page(roster, client):
    region("520526", "威宁县")
    client.force_login(member("520526", StaffGroup.CLERK))
    assert client.get(url_of(roster)).status_code == 404
    assert client.post(url_of(roster), answers(roster, **CHOICE)).status_code == 404
    assert not ColumnMapping.objects.exists()


def test_whoever_may_not_upload_may_not_choose(roster, client):
    client.force_login(member("622927", StaffGroup.VIEWER))
    assert client.get(url_of(roster)).status_code == 403
    assert client.post(url_of(roster), answers(roster, **CHOICE)).status_code == 403
    assert not ColumnMapping.objects.exists()


@pytest.mark.parametrize(
    ("text", "shown"), [("马兰", "马*"), ("15400001234", "154********"), ("a", "a"), ("", ""), ("x\ny", "x**")]
)
def test_a_sample_shows_what_kind_of_thing_it_is_and_no_more(text, shown):
    assert mask_sample(text) == shown
