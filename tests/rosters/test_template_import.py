"""A template that was filled in: taken for what it was made for, its example passed over, and for nothing else."""

from io import BytesIO

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from django.utils.translation import override

from incubator.demo.rosters.make import FILLED_ON
from incubator.rosters.choices import Column
from incubator.rosters.guide import EXAMPLE
from incubator.rosters.services import apply_roster
from incubator.rosters.template import COLUMNS, blank_roster, roster_template
from tests.factories import CohortFactory, official, region, superuser
from tests.rosters.test_import import (  # noqa: F401
    PEOPLE,
    bring_in,
    clerk,
    cohort,
    counts,
    county,
    nothing_was_written,
)
from trainees.models import Trainee

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")]


def values_of(n, **changes):
    """What stands in the n-th person's row, by column."""
    person = PEOPLE[n]
    values = {
        Column.NAME: person.name,
        Column.SEX: person.sex,
        Column.ID_NUMBER: person.id_number,
        Column.PHONE: person.phone,
        Column.TOWNSHIP: person.township,
        Column.EDUCATION: "大专",
        Column.BACKGROUND: "返乡大学生",
        Column.HANDLE: person.handle,
    }
    return {**values, **changes}


def fill(content, *people, example=None, also=lambda book: None):
    """The template with people written into it as a spreadsheet program does, its example changed or left."""
    book = openpyxl.load_workbook(BytesIO(content))
    sheet = book["报名表"]
    for column, value in (example or {}).items():
        sheet.cell(5, 2 + COLUMNS.index(column)).value = value
    for row, person in enumerate(people, 6):
        sheet.cell(row, 1).value = row - 5
        for place, column in enumerate(COLUMNS, 2):
            cell = sheet.cell(row, place)
            cell.value, cell.number_format, cell.data_type = person.get(column), "@", "s"
    also(book)
    buffer = BytesIO()
    book.save(buffer)
    buffer.seek(0)
    return buffer


def made_for(cohort, place):  # noqa: F811
    return roster_template(cohort, place, by=superuser())


def test_a_template_filled_in_is_written_and_its_example_is_nobody(cohort, county, clerk):  # noqa: F811
    file = fill(made_for(cohort, county), values_of(0), values_of(1), values_of(2))

    roster = bring_in(file, cohort, county, clerk)

    assert (roster.state, counts(roster), roster.error) == ("checked", (3, 0, 0, 1), "")
    assert not roster.findings.exists() and county.name in roster.title
    apply_roster(roster, by=clerk, on=FILLED_ON)
    assert set(Trainee.objects.values_list("name", flat=True)) == {PEOPLE[n].name for n in range(3)}
    assert set(Trainee.objects.values_list("background", "education")) == {("graduate", "大专")}


def test_the_blank_workbook_filled_in_is_taken_for_any_county(cohort, county, clerk):  # noqa: F811
    roster = bring_in(fill(blank_roster(), values_of(0)), cohort, county, clerk)

    assert (roster.state, counts(roster)) == ("checked", (1, 0, 0, 1))


@pytest.mark.parametrize(
    "example",
    [
        {Column.NAME: PEOPLE[5].name},
        {Column.ID_NUMBER: PEOPLE[5].id_number},
        {Column.NAME: PEOPLE[5].name, Column.PHONE: PEOPLE[5].phone},
    ],
)
def test_an_example_overwritten_in_part_is_told_and_not_passed_over(cohort, county, clerk, example):  # noqa: F811
    """Somebody began to write a person there: neither the person nor the example may be taken without a word."""
    roster = bring_in(fill(made_for(cohort, county), values_of(0), example=example), cohort, county, clerk)

    assert counts(roster) == (1, 0, 1, 0)
    assert set(roster.findings.filter(is_error=True).values_list("row", flat=True)) == {5}


def test_an_example_overwritten_as_a_whole_is_a_person(cohort, county, clerk):  # noqa: F811
    file = fill(made_for(cohort, county), example={**values_of(3), Column.COUNTY: ""})

    roster = bring_in(file, cohort, county, clerk)

    assert counts(roster) == (1, 0, 0, 0)


def refused(roster):
    assert roster.state == "refused" and nothing_was_written()
    return roster.error


def test_the_wrong_countys_cohorts_old_and_changed_templates_are_refused(cohort, county, clerk):  # noqa: F811
    theirs = region("622924", "和政县")
    with override("en"):
        other = refused(bring_in(fill(made_for(cohort, theirs), values_of(0)), cohort, county, clerk))
    assert "和政县" in other and county.name in other

    earlier = CohortFactory(name="去年秋季")
    assert "去年秋季" in refused(bring_in(fill(made_for(earlier, county), values_of(0)), cohort, county, clerk))

    def spoil(book):
        book["incubator"]["A1"].value = book["incubator"]["A1"].value[:-2] + "xx"

    assert refused(bring_in(fill(made_for(cohort, county), values_of(0), also=spoil), cohort, county, clerk))


def test_showing_or_emptying_the_hidden_sheet_is_no_way_round(cohort, county, clerk):  # noqa: F811
    theirs = made_for(cohort, region("622924", "和政县"))

    def show(book):
        book["incubator"].sheet_state = "visible"

    assert "和政县" in refused(bring_in(fill(theirs, values_of(0), also=show), cohort, county, clerk))


def test_a_template_without_its_hidden_sheet_is_a_workbook_of_ones_own(cohort, county, clerk):  # noqa: F811
    def drop(book):
        del book["incubator"]

    roster = bring_in(fill(made_for(cohort, county), values_of(0), also=drop), cohort, county, clerk)

    assert counts(roster) == (1, 0, 0, 1)


def test_sheets_put_in_front_do_not_hide_the_one_with_people(cohort, county, clerk):  # noqa: F811
    def put_in_front(book):
        front = book.create_sheet("封面", 0)
        front["A1"].value = "报名材料"

    roster = bring_in(fill(made_for(cohort, county), values_of(0), also=put_in_front), cohort, county, clerk)

    assert counts(roster) == (1, 0, 0, 1)


def test_a_prefectures_template_in_a_county_takes_that_countys_people_only(cohort, county, clerk):  # noqa: F811
    region("622924", "和政县")
    whole = made_for(cohort, region("622900", level="prefecture"))
    file = fill(whole, values_of(0, county=county.name), values_of(1, county="和政县"), values_of(2))

    roster = bring_in(file, cohort, county, clerk)

    assert counts(roster) == (2, 0, 1, 1)  # a row without a county is the county's own
    assert roster.findings.get().row == 7


def test_a_countys_template_is_not_taken_for_its_prefecture(cohort, county):  # noqa: F811
    prefecture = region("622900", level="prefecture")
    office = official("622900")

    roster = bring_in(fill(made_for(cohort, county), values_of(0)), cohort, prefecture, office)

    assert county.name in refused(roster)


@pytest.mark.parametrize("text", ["=1+1", "+86", "-王", "@王", "＝王"])
def test_what_looks_like_a_formula_is_text_and_stays_it(cohort, county, clerk, text):  # noqa: F811
    roster = bring_in(fill(made_for(cohort, county), values_of(0, township=text)), cohort, county, clerk)

    apply_roster(roster, by=clerk, on=FILLED_ON)
    assert Trainee.objects.get().township == text


def test_the_command_asks_for_the_identity_too(cohort, county, clerk, tmp_path, settings):  # noqa: F811
    from django.contrib.auth.models import Group

    from incubator.accounts.services import ensure_groups

    ensure_groups()
    clerk.groups.add(Group.objects.get(name="county clerk"))
    file = tmp_path / "名单.xlsx"
    file.write_bytes(fill(made_for(cohort, region("622924", "和政县")), values_of(0)).read())

    with pytest.raises(CommandError, match="和政县"):
        call_command("import_roster", file, cohort=cohort.name, by=clerk.username, dry_run=True)


def test_the_example_of_the_layout_is_the_templates():
    from incubator.rosters.sheet import ROSTER

    assert ROSTER.example == (EXAMPLE[Column.NAME], EXAMPLE[Column.ID_NUMBER])
