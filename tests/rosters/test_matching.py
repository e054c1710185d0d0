"""Who of a roster is known already: by which key, how far that is told, and what would be changed."""

import pytest

from incubator.rosters.corrections import decide_row
from incubator.rosters.services import apply_roster
from tests.factories import CohortFactory, CreatorAccountFactory, TraineeFactory, official, region, superuser
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
from trainees.identity import id_number_index, parse_id_number, phone_index
from trainees.models import Trainee
from trainees.signals import people_look_alike

pytestmark = pytest.mark.django_db

ELSEWHERE = "520526"


def known(n, **changes):
    """The n-th invented person, entered; pass ``id_number=None`` and so on for what is not known of them."""
    person = PEOPLE[n]
    found = parse_id_number(person.id_number)
    values = {
        "name": person.name,
        "id_number": person.id_number,
        "phone": f"+86{person.phone}",
        "born_on": found.born_on,
        "sex": found.sex,
        "township": person.township,
        "county": region("622927"),
    } | changes
    values["id_number_index"] = id_number_index(values["id_number"]) if values["id_number"] else None
    values["phone_index"] = phone_index(values["phone"]) if values["phone"] else None
    return TraineeFactory(**values)


def without_id(cohort):  # noqa: F811
    cohort.without_id_number = "ignore"
    cohort.save()
    return cohort


def row_of(roster, number):
    return roster.rows.get(number=number)


# --- The keys, one after the other ------------------------------------------------------------------------------------


def test_an_id_number_says_who_somebody_is(cohort, county, clerk):  # noqa: F811
    trainee = known(0, phone=None)

    roster = bring_in(workbook([line(0), line(1)]), cohort, county, clerk)

    assert counts(roster) == (1, 1, 0, 1) and row_of(roster, 4).trainee_id == trainee.pk


def test_a_phone_says_it_where_no_id_number_does(cohort, county, clerk):  # noqa: F811
    trainee = known(0)

    roster = bring_in(workbook([line(0, 身份证号码="")]), without_id(cohort), county, clerk)

    assert counts(roster) == (0, 1, 0, 1) and row_of(roster, 4).trainee_id == trainee.pk


def test_an_account_says_it_last(cohort, county, clerk):  # noqa: F811
    trainee = known(0, phone=None, id_number=None)
    CreatorAccountFactory(handle=PEOPLE[0].handle, trainee=trainee)

    roster = bring_in(workbook([line(0)]), cohort, county, clerk)

    assert counts(roster) == (0, 1, 0, 1) and row_of(roster, 4).trainee_id == trainee.pk
    assert set(row_of(roster, 4).changes) == {"id_number", "phone"}


def test_a_trainee_number_says_it(cohort, county, clerk):  # noqa: F811
    trainee = known(0, phone=None, id_number=None, born_on=None)
    headers = ["序号", "姓名", "性别", "身份证号码", "联系电话", "所在县", "乡镇", "快手号", "学员编号"]

    roster = bring_in(workbook([[*line(0), trainee.number]], headers), cohort, county, clerk)

    assert counts(roster) == (0, 1, 0, 1) and row_of(roster, 4).trainee_id == trainee.pk


@pytest.mark.parametrize(("number", "said"), [("T2020-9999999", "No trainee|没有"), ("theirs", "another trainee|另一")])
def test_a_wrong_trainee_number_is_told(cohort, county, clerk, number, said):  # noqa: F811
    headers = ["序号", "姓名", "性别", "身份证号码", "联系电话", "所在县", "乡镇", "快手号", "学员编号"]
    number = known(1).number if number == "theirs" else number

    roster = bring_in(workbook([[*line(0), number]], headers), cohort, county, clerk)

    (finding,) = roster.findings.filter(is_error=True)
    assert finding.column == "学员编号" and any(word in finding.sentence for word in said.split("|"))


def test_the_id_number_goes_before_the_phone(cohort, county, clerk):  # noqa: F811
    """Two people share a mobile: each stays who they are, and somebody should look."""
    known(0)
    trainee = known(1, phone=None)

    roster = bring_in(workbook([line(1, 联系电话=PEOPLE[0].phone)]), cohort, county, clerk)

    assert row_of(roster, 4).trainee_id == trainee.pk
    assert roster.findings.get().column == "联系电话" and not roster.findings.get().is_error


def test_another_name_with_the_same_phone_is_a_question(cohort, county, clerk):  # noqa: F811
    known(0, id_number=None, born_on=None)

    roster = bring_in(workbook([line(1, 联系电话=PEOPLE[0].phone)]), cohort, county, clerk)

    assert (counts(roster), roster.doubtful_count, roster.state) == ((1, 0, 0, 1), 1, "in_review")
    assert row_of(roster, 4).why == "phone"


def test_the_same_name_county_and_birth_day_is_a_question(cohort, county, clerk):  # noqa: F811
    """No key is the same: an ID number of the same day with another serial."""
    trainee = known(0, id_number=None, phone=None)

    roster = bring_in(workbook([line(0)]), cohort, county, clerk)

    assert (counts(roster), roster.doubtful_count) == ((1, 0, 0, 1), 1)
    assert (row_of(roster, 4).looks_like_id, row_of(roster, 4).why) == (trainee.pk, "name")


# --- What becomes of a question ---------------------------------------------------------------------------------------


@pytest.fixture
def announced():
    heard = []

    def listen(sender, pairs, **kwargs):
        heard.extend(pairs)

    people_look_alike.connect(listen)
    yield heard
    people_look_alike.disconnect(listen)


def test_who_is_not_decided_about_is_entered_and_announced(cohort, county, clerk, announced):  # noqa: F811
    trainee = known(0, id_number=None, phone=None)
    roster = bring_in(workbook([line(0), line(1)]), cohort, county, clerk)

    apply_roster(roster, by=clerk, on=FILLED_ON)

    new = Trainee.objects.get(id_number_index=id_number_index(PEOPLE[0].id_number))
    assert announced == [(new.pk, trainee.pk, "name")]


def test_the_same_person_is_matched_and_completed(cohort, county, clerk, announced):  # noqa: F811
    trainee = known(0, id_number=None, phone=None)
    roster = bring_in(workbook([line(0)]), cohort, county, clerk)

    roster = decide_row(roster, 4, "same", by=clerk)
    assert (counts(roster), roster.doubtful_count, roster.state) == ((0, 1, 0, 1), 0, "checked")
    apply_roster(roster, by=clerk, on=FILLED_ON)

    trainee.refresh_from_db()
    assert (trainee.id_number, trainee.phone) == (PEOPLE[0].id_number, f"+86{PEOPLE[0].phone}")
    assert Trainee.objects.count() == 1 and announced == []


def test_another_person_is_entered_and_not_asked_about_again(cohort, county, clerk, announced):  # noqa: F811
    known(0, id_number=None, phone=None)
    roster = bring_in(workbook([line(0)]), cohort, county, clerk)

    roster = decide_row(roster, 4, "other", by=clerk)
    assert (counts(roster), roster.doubtful_count, roster.state) == ((1, 0, 0, 1), 0, "checked")
    apply_roster(roster, by=clerk, on=FILLED_ON)

    assert Trainee.objects.count() == 2 and announced == []


def test_two_rows_that_look_alike_are_told_and_announced(cohort, county, clerk, announced):  # noqa: F811
    """The same name and birth day under two ID numbers that both fit."""
    from trainees.identity import check_digit

    number = PEOPLE[0].id_number
    other = f"{number[:14]}{(int(number[14:17]) + 2) % 1000:03d}"
    other += check_digit(other)
    rows = [line(0), line(1, 姓名=PEOPLE[0].name, 身份证号码=other, 性别=PEOPLE[0].sex)]

    roster = bring_in(workbook(rows), cohort, county, clerk)
    finding = roster.findings.get()
    assert (finding.row, finding.is_error) == (5, False) and "4" in finding.sentence
    apply_roster(roster, by=clerk, on=FILLED_ON)

    first, second = Trainee.objects.order_by("number")
    assert announced == [(second.pk, first.pk, "name")]


# --- Another county's people ------------------------------------------------------------------------------------------


def by_id(theirs):
    return line(0), {}


def by_phone(theirs):
    return line(1, 联系电话=PEOPLE[0].phone), {}


def by_account(theirs):
    return line(1, 快手号=PEOPLE[0].handle), {}


def by_number(theirs):
    return [*line(1), theirs.number], {"headers": True}


@pytest.mark.parametrize(
    ("named", "column"),
    [(by_id, "身份证号码"), (by_phone, "联系电话"), (by_account, "快手号"), (by_number, "学员编号")],
)
def test_somebody_of_another_county_is_refused_and_not_told(cohort, county, clerk, named, column):  # noqa: F811
    theirs = known(0, county=region(ELSEWHERE, "威宁县"), name="外县人", township="草海街道")
    CreatorAccountFactory(handle=PEOPLE[0].handle, trainee=theirs)
    before = Trainee.objects.filter(pk=theirs.pk).values().get()
    cells, more = named(theirs)
    headers = ["序号", "姓名", "性别", "身份证号码", "联系电话", "所在县", "乡镇", "快手号"]
    headers += ["学员编号"] if more else []

    roster = bring_in(workbook([cells], headers), cohort, county, clerk)

    (finding,) = roster.findings.filter(is_error=True)
    assert counts(roster) == (0, 0, 1, 1) and finding.column == column
    assert "省级" in finding.sentence or "head office" in finding.sentence or "总部" in finding.sentence
    told = " ".join(f"{f.sentence} {f.value}" for f in roster.findings.all())
    assert not any(word in told for word in ("外县人", "威宁", "草海"))
    assert named is by_number or theirs.number not in told
    row = row_of(roster, 4)
    assert (row.trainee_id, row.looks_like_id, row.was, row.before) == (None, None, None, None)
    assert {k: v for k, v in Trainee.objects.filter(pk=theirs.pk).values().get().items() if k not in SEALED} == {
        k: v for k, v in before.items() if k not in SEALED
    }
    theirs.refresh_from_db()
    assert (theirs.id_number, theirs.phone) == (PEOPLE[0].id_number, f"+86{PEOPLE[0].phone}")
    assert not theirs.participations.exists()


SEALED = ("id_number", "phone")


def test_the_head_office_matches_them_but_a_roster_of_one_county_does_not_change_them(cohort, county):  # noqa: F811
    theirs = known(0, county=region(ELSEWHERE, "威宁县"), township="草海街道")

    roster = bring_in(workbook([line(0, 乡镇="吹麻滩镇")]), cohort, county, superuser())

    assert (counts(roster), roster.changed_count) == ((0, 1, 0, 1), 0)
    assert "威宁县" in roster.findings.get().sentence
    apply_roster(roster, by=superuser(), on=FILLED_ON)
    theirs.refresh_from_db()
    assert (theirs.county_id, theirs.township) == (ELSEWHERE, "草海街道")


def test_a_provinces_clerk_knows_the_provinces_people(cohort, county):  # noqa: F811
    known(0)
    known(1, county=region("622926", "东乡县"))
    known(2, county=region(ELSEWHERE, "威宁县"))

    roster = bring_in(workbook([line(0), line(1), line(2)]), cohort, county, official("620000"))

    assert counts(roster) == (0, 2, 1, 1)


# --- Changes ----------------------------------------------------------------------------------------------------------


def test_what_differs_is_changed_and_empty_cells_erase_nothing(cohort, county, clerk):  # noqa: F811
    trainee = known(0, township="老镇", education="大专", phone="+8613900000000")

    roster = bring_in(workbook([line(0, 乡镇="新镇")]), cohort, county, clerk)
    assert roster.changed_count == 1 and set(row_of(roster, 4).changes) == {"township", "phone"}
    assert row_of(roster, 4).plain_before["township"] == "老镇"
    apply_roster(roster, by=clerk, on=FILLED_ON)

    trainee.refresh_from_db()
    assert (trainee.township, trainee.education, trainee.phone) == ("新镇", "大专", f"+86{PEOPLE[0].phone}")
    assert trainee.phone_index == phone_index(f"+86{PEOPLE[0].phone}")


def test_another_name_under_the_same_id_number_is_shown_before_it_is_changed(cohort, county, clerk):  # noqa: F811
    trainee = known(0, name="旧名")

    roster = bring_in(workbook([line(0)]), cohort, county, clerk)
    finding = roster.findings.get()
    assert (finding.column, finding.is_error) == ("姓名", False) and "旧名" in finding.sentence
    apply_roster(roster, by=clerk, on=FILLED_ON)

    trainee.refresh_from_db()
    assert trainee.name == PEOPLE[0].name and trainee.initials


# --- Twice in the file ------------------------------------------------------------------------------------------------


def test_two_rows_of_one_known_person_are_told(cohort, county, clerk):  # noqa: F811
    """One by ID number, one by mobile: no cell is the same, and it is one person."""
    known(0)

    roster = bring_in(workbook([line(0, 联系电话="15400009999"), line(0, 身份证号码="", 快手号="")]),
                      without_id(cohort), county, clerk)  # fmt: skip

    finding = roster.findings.get(is_error=True)
    assert counts(roster) == (0, 1, 1, 1) and finding.row == 5 and "4" in finding.sentence


def test_a_shared_mobile_is_a_remark_and_the_same_person_without_id_numbers_an_error(cohort, county, clerk):  # noqa: F811
    shared = bring_in(workbook([line(0), line(1, 联系电话=PEOPLE[0].phone)]), cohort, county, clerk)
    assert counts(shared) == (2, 0, 0, 1)
    assert [(f.row, f.column, f.is_error) for f in shared.findings.all()] == [(5, "联系电话", False)]

    rows = [line(2, 身份证号码="", 快手号=""), line(2, 身份证号码="", 快手号="")]
    same = bring_in(workbook(rows), without_id(cohort), county, clerk)
    assert counts(same) == (1, 0, 1, 1)


def test_a_handle_twice_names_the_other_row(cohort, county, clerk):  # noqa: F811
    roster = bring_in(workbook([line(0), line(1, 快手号=PEOPLE[0].handle)]), cohort, county, clerk)

    finding = roster.findings.get()
    assert (finding.row, finding.column, finding.is_error) == (5, "快手号", True) and "4" in finding.sentence


# --- What the cohort asks for -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weight", "expected"), [("ignore", ("checked", 0)), ("warn", ("checked", 1)), ("refuse", ("in_review", 1))]
)
@pytest.mark.parametrize(
    ("condition", "changes"),
    [
        ("out_of_age", {}),
        ("without_id_number", {"身份证号码": ""}),
        ("without_phone", {"联系电话": ""}),
        ("without_account", {"快手号": ""}),
    ],
)
def test_a_condition_weighs_what_the_cohort_says(county, clerk, condition, changes, weight, expected):  # noqa: F811
    ages = {"min_age": 80, "max_age": 90} if condition == "out_of_age" else {}
    cohort = CohortFactory(**{condition: weight}, **ages)  # noqa: F811

    roster = bring_in(workbook([line(0, **changes)]), cohort, county, clerk)

    assert (roster.state, roster.findings.count()) == expected
