"""Rows put right in the desk: checked again as the same row, the counts follow, a new check of the file keeps it."""

import pytest

from incubator.common.errors import RuleBroken, Stale
from incubator.jobs import services as jobs
from incubator.rosters.corrections import correct_row, decide_row, leave_out_row, take_in_row, texts_of_row
from incubator.rosters.services import apply_roster, recheck_roster
from tests.rosters.test_import import (  # noqa: F401
    FILLED_ON,
    PEOPLE,
    bring_in,
    clerk,
    cohort,
    counts,
    county,
    line,
    workbook,
)
from trainees.models import Trainee

pytestmark = pytest.mark.django_db

BAD = PEOPLE[1].id_number[:-1] + ("0" if PEOPLE[1].id_number[-1] != "0" else "1")


@pytest.fixture
def roster(cohort, county, clerk):  # noqa: F811
    """Three rows of which the second (row 5) has a mistyped ID number."""
    return bring_in(workbook([line(0), line(1, 身份证号码=BAD), line(2)]), cohort, county, clerk)


def cells(roster, number, **changes):
    """What the form sends: all cells but the ID number and the phone, and those that were typed."""
    texts = texts_of_row(roster.rows.get(number=number))
    return {column: text for column, text in texts.items() if column not in ("id_number", "phone")} | changes


def checked_again(roster, by):
    recheck_roster(roster, by=by)
    jobs.run(roster.job_id)
    roster.refresh_from_db()
    return roster


def test_a_wrong_row_is_corrected_and_the_counts_follow(roster, clerk):  # noqa: F811
    assert (counts(roster), roster.state) == ((2, 0, 1, 1), "in_review")

    roster = correct_row(roster, 5, cells(roster, 5, id_number=PEOPLE[1].id_number), by=clerk)

    assert (counts(roster), roster.state, roster.findings.count()) == ((3, 0, 0, 1), "checked", 0)
    apply_roster(roster, by=clerk, on=FILLED_ON)
    written = Trainee.objects.get(name=PEOPLE[1].name)
    assert (written.id_number, written.phone) == (PEOPLE[1].id_number, f"+86{PEOPLE[1].phone}")


def test_a_correction_outlasts_checking_the_file_again(roster, clerk):  # noqa: F811
    correct_row(roster, 5, cells(roster, 5, id_number=PEOPLE[1].id_number), by=clerk)
    roster.refresh_from_db()

    assert counts(checked_again(roster, clerk)) == (3, 0, 0, 1)


def test_a_correction_that_is_wrong_is_told_as_the_same_row(roster, clerk):  # noqa: F811
    roster = correct_row(roster, 5, cells(roster, 5, name="", id_number="123"), by=clerk)

    assert counts(roster) == (2, 0, 1, 1)
    assert {(f.row, f.column) for f in roster.findings.all()} == {(5, "姓名"), (5, "身份证号码")}


def test_a_good_row_can_be_corrected_too_and_keeps_what_is_not_typed(roster, clerk):  # noqa: F811
    roster = correct_row(roster, 4, cells(roster, 4, township="另一镇"), by=clerk)

    row = roster.rows.get(number=4)
    assert (row.township, row.plain_id_number, row.status) == ("另一镇", PEOPLE[0].id_number, "new")


def test_a_row_that_was_wrong_for_another_is_right_when_that_one_is(cohort, county, clerk):  # noqa: F811
    roster = bring_in(workbook([line(0), line(1, 快手号=PEOPLE[0].handle)]), cohort, county, clerk)
    assert counts(roster) == (1, 0, 1, 1)

    roster = correct_row(roster, 4, cells(roster, 4, handle="another"), by=clerk)

    assert (counts(roster), roster.findings.count()) == ((2, 0, 0, 1), 0)


def test_a_row_is_left_out_with_a_reason_and_taken_in_again(roster, clerk):  # noqa: F811
    with pytest.raises(RuleBroken):
        leave_out_row(roster, 5, by=clerk, reason=" ")

    roster = leave_out_row(roster, 5, by=clerk, reason="本人不参加")
    assert (counts(roster), roster.state, roster.findings.count()) == ((2, 0, 0, 2), "checked", 0)
    assert roster.rows.get(number=5).reason == "本人不参加"
    assert counts(checked_again(roster, clerk)) == (2, 0, 0, 2)

    roster = take_in_row(roster, 5, by=clerk)
    assert counts(roster) == (2, 0, 1, 1) and roster.findings.get().row == 5


def test_a_row_left_out_is_not_written(roster, clerk):  # noqa: F811
    roster = leave_out_row(roster, 4, by=clerk, reason="已退出")
    apply_roster(roster, by=clerk, on=FILLED_ON, is_partial=True)

    assert set(Trainee.objects.values_list("name", flat=True)) == {PEOPLE[2].name}


@pytest.mark.parametrize(
    "do",
    [
        lambda roster, by: correct_row(roster, 7, {}, by=by),  # the total
        lambda roster, by: leave_out_row(roster, 7, by=by, reason="x"),
        lambda roster, by: take_in_row(roster, 4, by=by),
        lambda roster, by: decide_row(roster, 4, "same", by=by),
        lambda roster, by: correct_row(roster, 99, {}, by=by),
    ],
)
def test_what_makes_no_sense_is_refused(roster, clerk, do):  # noqa: F811
    with pytest.raises(RuleBroken):
        do(roster, clerk)
    assert counts(roster) == (2, 0, 1, 1)


def test_a_written_roster_is_not_corrected(roster, clerk):  # noqa: F811
    apply_roster(roster, by=clerk, on=FILLED_ON, is_partial=True)

    with pytest.raises(Stale):
        correct_row(roster, 5, {"name": "x"}, by=clerk)


def test_a_decision_is_about_one_person_and_not_about_the_next(cohort, county, clerk):  # noqa: F811
    from tests.rosters.test_matching import known

    first = known(0, id_number=None, phone=None)
    roster = bring_in(workbook([line(0)]), cohort, county, clerk)
    roster = decide_row(roster, 4, "other", by=clerk)
    first.delete()
    known(0, id_number=None, phone=None)

    roster = checked_again(roster, clerk)
    assert (roster.state, roster.doubtful_count) == ("in_review", 1)
