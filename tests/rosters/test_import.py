"""A county's workbook: what is wrong in it is named by row and column, and all of it is written or nothing."""

import hashlib
from io import BytesIO
from pathlib import Path

import pytest
import xlsxwriter
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from incubator.common.errors import RuleBroken, Stale
from incubator.demo.people import invent_people
from incubator.demo.rosters.make import FILLED_ON, HERE, SAMPLES, SEED, make
from incubator.jobs import services as jobs
from incubator.jobs.choices import JobState
from incubator.metrics.models import CreatorAccount
from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Participation
from incubator.regions.models import RegionAlias
from incubator.rosters import writing
from incubator.rosters.models import RosterImport
from incubator.rosters.services import apply_roster, upload_roster
from tests.factories import CohortFactory, CreatorAccountFactory, TraineeFactory, official, region
from trainees.identity import id_number_index
from trainees.models import Trainee

pytestmark = pytest.mark.django_db

HEADERS = ["序号", "姓名", "性别", "身份证号码", "联系电话", "所在县", "乡镇", "快手号"]
PEOPLE = invent_people("622927", ["吹麻滩镇"], 40, seed=1, on=FILLED_ON)


def line(n, **changes):
    """A good row of the n-th invented person, with changes by header."""
    person = PEOPLE[n]
    values = dict(
        zip(
            HEADERS,
            [
                n + 1,
                person.name,
                person.sex,
                person.id_number,
                person.phone,
                "积石山县",
                person.township,
                person.handle,
            ],
            strict=True,
        )
    )
    return [(values | changes)[header] for header in HEADERS]


def workbook(rows, headers=HEADERS, *, title=True):
    """A county-like workbook: title, date row, header, people, total."""
    buffer = BytesIO()
    book = xlsxwriter.Workbook(buffer, {"strings_to_formulas": False})
    sheet = book.add_worksheet()
    above = [["学员报名表"], ["填报单位：积石山县农业农村局", "", "填报日期：2026年3月2日"]] if title else []
    for r, cells in enumerate([*above, headers, *rows, ["合计", f"{len(rows)}人"]]):
        for c, value in enumerate(cells):
            if value not in (None, ""):
                (sheet.write_number if isinstance(value, int | float) else sheet.write_string)(r, c, value)
    book.close()
    buffer.seek(0)
    return buffer


@pytest.fixture
def cohort():
    return CohortFactory()


@pytest.fixture
def county():
    found = region("622927", "积石山保安族东乡族撒拉族自治县")
    RegionAlias.objects.create(region=found, name="积石山县")
    return found


@pytest.fixture
def clerk(county):
    return official("622927")


def bring_in(file, cohort, county, by, name="名单.xlsx"):
    """Upload and check, as the worker would."""
    roster = upload_roster(file, cohort=cohort, region=county, by=by, name=name)
    jobs.run(roster.job_id)
    roster.refresh_from_db()
    return roster


def counts(roster):
    return roster.new_count, roster.matched_count, roster.wrong_count, roster.skipped_count


def nothing_was_written():
    return not (Trainee.objects.exists() or Participation.objects.exists() or CreatorAccount.objects.exists())


def test_a_county_workbook_is_previewed_and_then_written(cohort, county, clerk):
    roster = bring_in(workbook([line(0), line(1), line(2)]), cohort, county, clerk)

    assert (roster.state, counts(roster)) == ("checked", (3, 0, 0, 1))
    assert (roster.title, roster.filled_by) == ("学员报名表", "积石山县农业农村局")
    assert nothing_was_written()

    apply_roster(roster, by=clerk, on=FILLED_ON)

    assert set(Trainee.objects.values_list("name", flat=True)) == {PEOPLE[n].name for n in range(3)}
    assert set(Participation.objects.values_list("state", flat=True)) == {ParticipationState.ADMITTED}
    assert set(CreatorAccount.objects.values_list("handle", flat=True)) == {PEOPLE[n].handle for n in range(3)}
    trainee = Trainee.objects.get(id_number_index=id_number_index(PEOPLE[0].id_number))
    assert (trainee.id_number, trainee.county) == (PEOPLE[0].id_number, county)
    assert trainee.phone == "+86" + PEOPLE[0].phone


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        (
            "身份证号码",
            PEOPLE[1].id_number[:-1] + ("0" if PEOPLE[1].id_number[-1] != "0" else "1"),
            "对不上|last character",
        ),
        ("身份证号码", 6.20000199802031e17, "文本|number"),
        ("身份证号码", "620000980203121", "15"),
        ("身份证号码", "", "空|empty"),
        ("姓名", "", "空|empty"),
        ("联系电话", "0930-7721234", "手机|mobile"),
        ("联系电话", "", "空|empty"),
        ("所在县", "不存在县", "不存在县"),
        ("性别", "未知", "男"),
    ],
)
def test_a_wrong_cell_is_named_by_row_column_and_reason_and_nothing_is_written(
    cohort, county, clerk, column, value, said
):
    roster = bring_in(workbook([line(0), line(1, **{column: value}), line(2)]), cohort, county, clerk)

    (finding,) = roster.findings.filter(is_error=True)
    assert (finding.row, finding.column) == (5, column)
    assert any(word in finding.sentence for word in said.split("|")), finding.sentence
    assert counts(roster) == (2, 0, 1, 1)
    with pytest.raises(RuleBroken):
        apply_roster(roster, by=clerk, on=FILLED_ON)
    assert nothing_was_written()


def test_personal_values_are_masked_in_findings_and_encrypted_in_staging(cohort, county, clerk):
    bad = PEOPLE[1].id_number[:-1] + "0"
    bad = bad if bad != PEOPLE[1].id_number else bad[:-1] + "1"
    roster = bring_in(workbook([line(0), line(1, 身份证号码=bad)]), cohort, county, clerk)

    assert roster.findings.get().value == f"{bad[:6]}********{bad[-4:]}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(r::text, '') FROM rosters_rosterrow r")
        stored = cursor.fetchone()[0]
    assert PEOPLE[0].phone.encode().hex() not in stored and PEOPLE[0].id_number.encode().hex() not in stored


def test_the_uploaded_workbook_lies_encrypted(cohort, county, clerk):
    content = workbook([line(0)])

    roster = bring_in(content, cohort, county, clerk)

    kept = Path(roster.file.path).read_bytes()
    assert not kept.startswith(b"PK") and b"sheet1.xml" not in kept
    assert roster.sha256 == hashlib.sha256(content.getvalue()).hexdigest()
    assert counts(roster) == (1, 0, 0, 1)


def test_a_person_named_twice_in_the_file_is_found(cohort, county, clerk):
    roster = bring_in(workbook([line(0), line(1), line(0, 快手号="", 联系电话=PEOPLE[3].phone)]), cohort, county, clerk)

    finding = roster.findings.get()
    assert finding.row == 6 and "4" in finding.sentence
    assert roster.wrong_count == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"%PDF-1.7 not a workbook", "xlsx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old", "xls"),
        (b"PK\x03\x04 broken", "xlsx"),
    ],
)
def test_a_wrong_file_is_refused_with_a_sentence(cohort, county, clerk, content, said):
    roster = bring_in(BytesIO(content), cohort, county, clerk)

    assert roster.state == "refused" and said in roster.error
    assert nothing_was_written()


def test_a_sheet_of_one_row_is_not_called_empty(cohort, county, clerk):
    buffer = BytesIO()
    book = xlsxwriter.Workbook(buffer)
    book.add_worksheet().write_row(0, 0, HEADERS)
    book.close()
    buffer.seek(0)

    roster = bring_in(buffer, cohort, county, clerk)

    assert roster.state == "refused" and " 1 " in roster.error  # the header is in row 1, and nobody below it


def test_an_empty_sheet_is_refused(cohort, county, clerk):
    buffer = BytesIO()
    book = xlsxwriter.Workbook(buffer)
    book.add_worksheet()
    book.close()
    buffer.seek(0)

    roster = bring_in(buffer, cohort, county, clerk)

    assert roster.state == "refused" and roster.error


def test_a_missing_column_is_named(cohort, county, clerk):
    headers = [header for header in HEADERS if header != "身份证号码"]
    rows = [[cell for header, cell in zip(HEADERS, line(0), strict=True) if header != "身份证号码"]]

    roster = bring_in(workbook(rows, headers), cohort, county, clerk)

    assert roster.state == "refused" and "身份证号" in roster.error


def test_a_bomb_is_refused_and_the_worker_lives(cohort, county, clerk):
    buffer = BytesIO()
    book = xlsxwriter.Workbook(buffer)
    sheet = book.add_worksheet()
    sheet.write("A1", "x")
    sheet.write(1048575, 16383, "y")
    book.close()
    buffer.seek(0)

    roster = bring_in(buffer, cohort, county, clerk)

    assert roster.state == "refused" and roster.job.state in (JobState.DONE, JobState.QUEUED)


def test_headers_are_understood_as_counties_write_them(cohort, county, clerk):
    headers = ["序 号", "姓 名", "性别", "身份证号\n（18位）", "手机号码", "县(区)", "乡/镇", "快手ID"]

    roster = bring_in(workbook([line(0)], headers, title=False), cohort, county, clerk)

    assert counts(roster) == (1, 0, 0, 1)


def test_the_same_file_twice_changes_nothing(cohort, county, clerk):
    apply_roster(bring_in(workbook([line(0), line(1)]), cohort, county, clerk), by=clerk, on=FILLED_ON)
    before = list(Trainee.objects.order_by("pk").values_list("pk", "name", "created_at"))

    again = bring_in(workbook([line(0), line(1)]), cohort, county, clerk)
    assert counts(again) == (0, 2, 0, 1)
    apply_roster(again, by=clerk, on=FILLED_ON)

    assert list(Trainee.objects.order_by("pk").values_list("pk", "name", "created_at")) == before
    assert Participation.objects.count() == CreatorAccount.objects.count() == 2


def test_a_roster_is_written_once(cohort, county, clerk):
    roster = bring_in(workbook([line(0)]), cohort, county, clerk)
    apply_roster(roster, by=clerk, on=FILLED_ON)

    with pytest.raises(Stale):
        apply_roster(roster, by=clerk, on=FILLED_ON)
    assert Trainee.objects.count() == 1


def test_a_stale_preview_is_refused(cohort, county, clerk):
    roster = bring_in(workbook([line(0), line(1)]), cohort, county, clerk)
    TraineeFactory(county=county, id_number_index=id_number_index(PEOPLE[0].id_number))

    with pytest.raises(Stale):
        apply_roster(roster, by=clerk, on=FILLED_ON)
    assert Trainee.objects.count() == 1


def test_a_failure_at_the_last_row_leaves_nothing(cohort, county, clerk, monkeypatch):
    roster = bring_in(workbook([line(0), line(1)]), cohort, county, clerk)

    def fail(*args, **kwargs):
        raise IntegrityError

    monkeypatch.setattr(writing, "register_accounts_of", fail)
    with pytest.raises(Stale):
        apply_roster(roster, by=clerk, on=FILLED_ON)
    assert nothing_was_written()
    assert RosterImport.objects.get(pk=roster.pk).state == "checked"


def test_another_countys_person_is_neither_taken_nor_told(cohort, county, clerk):
    theirs = TraineeFactory(
        county=region("520526", "威宁县"),
        name="外县人",
        id_number=PEOPLE[1].id_number,
        id_number_index=id_number_index(PEOPLE[1].id_number),
        phone="+8615400000009",
    )

    roster = bring_in(workbook([line(0), line(1)]), cohort, county, clerk)

    finding = roster.findings.get()
    assert counts(roster) == (1, 0, 1, 1) and finding.row == 5
    told = f"{finding.sentence} {finding.value}"
    assert "外县人" not in told and "威宁" not in told and theirs.number not in told
    with pytest.raises(RuleBroken):
        apply_roster(roster, by=clerk, on=FILLED_ON)
    theirs.refresh_from_db()
    assert (theirs.name, theirs.county_id) == ("外县人", "520526") and not theirs.participations.exists()


def test_a_county_outside_the_rosters_region_is_wrong(cohort, county, clerk):
    region("520526", "威宁县")

    roster = bring_in(workbook([line(0, 所在县="520526")]), cohort, county, clerk)

    assert roster.findings.get().column == "所在县"


def test_nobody_imports_for_a_region_of_others(cohort, county, clerk):
    with pytest.raises(RuleBroken):
        upload_roster(workbook([line(0)]), cohort=cohort, region=region("520526"), by=clerk)
    assert not RosterImport.objects.exists()


def test_one_mistake_is_told_once(cohort, county, clerk):
    """Known people of whom one is named twice and another has a mistyped ID number: no word about their accounts."""
    apply_roster(bring_in(workbook([line(0), line(1)]), cohort, county, clerk), by=clerk, on=FILLED_ON)

    bad = PEOPLE[1].id_number[:-1] + ("0" if PEOPLE[1].id_number[-1] != "0" else "1")
    again = bring_in(workbook([line(0), line(0, 快手号=""), line(1, 身份证号码=bad)]), cohort, county, clerk)

    assert set(again.findings.values_list("row", "column")) == {(5, "身份证号码"), (6, "身份证号码")}


def test_an_account_of_somebody_else_is_found(cohort, county, clerk):
    CreatorAccountFactory(handle=PEOPLE[1].handle, trainee=TraineeFactory(county=county))

    roster = bring_in(workbook([line(0), line(1)]), cohort, county, clerk)

    assert roster.findings.get().column == "快手号"


def test_strangers_do_not_see_a_roster(cohort, county, clerk):
    roster = bring_in(workbook([line(0)]), cohort, county, clerk)

    assert roster in RosterImport.objects.visible_to(clerk)
    assert roster not in RosterImport.objects.visible_to(official("520526"))


def test_queries_do_not_grow_with_the_rows(cohort, county, clerk):
    used = []
    for rows in ([line(0)], [line(1)], [line(n) for n in range(2, 32)]):
        with CaptureQueriesContext(connection) as captured:
            apply_roster(bring_in(workbook(rows), cohort, county, clerk), by=clerk, on=FILLED_ON)
        used.append(len(captured))
    assert used[1] == used[2]  # the first also reads the clerk's postings


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.code)
def test_the_sample_rosters_are_as_their_maker_makes_them(sample):
    assert (HERE / sample.file_name).read_bytes() == make(sample)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.code)
def test_the_people_of_the_samples_cannot_exist(sample):
    for person in invent_people(sample.code, sample.townships, sample.count, seed=SEED, on=FILLED_ON):
        assert person.id_number[2:6] == "0000", "a whole province's code is on nobody's card"
        assert person.phone.startswith("154") and len(person.phone) == 11
