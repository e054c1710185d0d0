"""The workbook again with what was found beside the rows: corrected where it is, and uploaded in place of the first."""

import tempfile
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote

import openpyxl
import pytest
import time_machine
import xlsxwriter
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from incubator.accounts.models import AccessRecord
from incubator.common.errors import RuleBroken
from incubator.common.workbooks import read_workbook
from incubator.demo.rosters.make import FILLED_ON
from incubator.jobs import services as jobs
from incubator.jobs.models import Job
from incubator.jobs.services import clear_results
from incubator.rosters import copies, marked
from incubator.rosters.choices import PROBLEM, REMEDY
from incubator.rosters.copies import request_copy, take_copy
from incubator.rosters.identity import check_identity
from incubator.rosters.marked import SUMMARY, split, write_marked
from incubator.rosters.models import RosterFinding, RosterImport
from incubator.rosters.services import apply_roster, discard_roster, recheck_roster, upload_correction
from tests.factories import official
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
from tests.rosters.test_template_import import fill, made_for, values_of
from trainees.models import Trainee

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")]

SHEET = "Sheet1"
BAD_ID = PEOPLE[1].id_number[:-1] + ("0" if PEOPLE[1].id_number[-1] != "0" else "1")


@pytest.fixture
def opened(tmp_path):
    def copy(roster):
        path = tmp_path / "marked.xlsx"
        write_marked(path, roster)
        return openpyxl.load_workbook(path)

    return copy


@pytest.fixture
def wrong(cohort, county, clerk):  # noqa: F811
    """Three people in rows 4 to 6: the second with a wrong ID number and a landline, the third without a name."""
    rows = [line(0), line(1, 身份证号码=BAD_ID, 联系电话="0930-7721234"), line(2, 姓名="")]
    return bring_in(workbook(rows), cohort, county, clerk, name="王小花的名单.xlsx")


def texts(sheet, row):
    return [cell.value for cell in sheet[row]]


# --- What is in it ----------------------------------------------------------------------------------------------------


def test_rows_keep_their_places_and_findings_stand_beside_them(wrong, opened):
    book = opened(wrong)
    sheet = book[SHEET]

    assert book.sheetnames == [SUMMARY, SHEET, "incubator"]
    assert sheet["A1"].value == "学员报名表" and "积石山县农业农村局" in sheet["A2"].value
    assert texts(sheet, 3) == [*HEADERS, PROBLEM, REMEDY]
    assert texts(sheet, 4) == [*line(0), None, None]
    assert texts(sheet, 5)[:8] == line(1, 身份证号码=BAD_ID, 联系电话="0930-7721234")
    assert [row[0].value for row in sheet.iter_rows(min_row=4, max_row=7)] == [1, 2, 3, "合计"]
    said = sheet["I5"].value.split("\n"), sheet["J5"].value.split("\n")
    assert [len(lines) for lines in said] == [2, 2]
    assert said[0][0].startswith("1. 身份证号码") and said[0][1].startswith("2. 联系电话")
    sentences = " ".join(wrong.findings.filter(row=5).values_list("sentence", flat=True))
    assert all(some.split(". ", 1)[1] in sentences for some in said[1])
    assert sheet["I6"].value.startswith("姓名")


def test_wrong_cells_are_coloured_and_say_why(wrong, opened):
    sheet = opened(wrong)[SHEET]

    marked_cells = {cell.coordinate for row in sheet.iter_rows() for cell in row if cell.comment}
    assert marked_cells == {"D5", "E5", "B6"}
    assert sheet["D5"].comment.text.strip() == wrong.findings.get(row=5, column="身份证号码").sentence
    assert {sheet[c].fill.fgColor.rgb for c in marked_cells} == {"FFFECACA"}
    assert sheet["D4"].fill.fgColor.rgb != "FFFECACA"


def test_a_doubt_is_coloured_otherwise_and_said_to_be_one(wrong, opened):
    RosterFinding.objects.create(
        roster=wrong, row=4, column="身份证号码", sentence="这个人 40 岁。请核对。", is_error=False
    )

    sheet = opened(wrong)[SHEET]

    assert sheet["D4"].fill.fgColor.rgb == "FFFEF3C7"
    assert sheet["I4"].value == "（提醒）身份证号码：这个人 40 岁" and sheet["J4"].value == "请核对。"


def test_numbers_of_people_are_text_in_cells_formatted_as_text(cohort, county, clerk, opened):  # noqa: F811
    rows = [line(0, 联系电话=13800001234, 身份证号码=6.20000199802031e17), line(1)]
    roster = bring_in(workbook(rows), cohort, county, clerk)

    sheet = opened(roster)[SHEET]

    for place in ("D4", "E4", "D5", "E5"):
        assert (sheet[place].data_type, sheet[place].number_format) == ("s", "@"), place
    assert sheet["E4"].value == "13800001234" and sheet["D5"].value == PEOPLE[1].id_number
    assert sheet["A4"].value == 1  # a serial number stays a number
    assert {sheet.column_dimensions[letter].number_format for letter in "DEH"} == {"@"}


@pytest.mark.parametrize("text", ["=1+1", "+861", "-x", "@x", "\tx", "=HYPERLINK(1)", "http://example.org", "＝1"])
def test_nothing_of_the_county_becomes_a_formula_or_a_link(cohort, county, clerk, opened, text):  # noqa: F811
    roster = bring_in(workbook([line(0, 乡镇=text), line(1, 姓名="")]), cohort, county, clerk)

    cell = opened(roster)[SHEET]["G4"]

    assert (cell.value, cell.data_type, cell.hyperlink) == (text, "s", None)


def test_the_findings_can_be_filtered_the_header_stays_and_it_prints(wrong, opened):
    sheet = opened(wrong)[SHEET]

    assert sheet.auto_filter.ref == "A3:J7" and sheet.freeze_panes == "A4"
    assert sheet.print_title_rows == "$3:$3" and sheet.page_setup.orientation == "landscape"
    assert sheet.row_dimensions[5].height > 30


def test_the_first_sheet_counts_and_says_what_to_do(wrong, opened, cohort, county):  # noqa: F811
    first = opened(wrong)[SUMMARY]
    said = "\n".join(str(cell.value) for row in first.iter_rows() for cell in row if cell.value)

    assert str(cohort) in said and county.path_name in said
    assert "2 行要改" in said and "新学员 1 人" in said and "跳过 1 行" in said
    assert f"“{SHEET}”" in said and "上传改好的表格" in said
    assert all(finding.sentence in said for finding in wrong.findings.all())


def test_it_says_what_it_is_for(wrong, opened, cohort, county):  # noqa: F811
    text = opened(wrong)["incubator"]["A1"].value

    assert check_identity(text, cohort=cohort, region=county).sheet == SHEET


def test_days_stay_days_and_a_csv_becomes_a_workbook(cohort, county, clerk, opened):  # noqa: F811
    buffer = BytesIO()
    book = xlsxwriter.Workbook(buffer)
    sheet = book.add_worksheet("三月")
    sheet.write_row(0, 0, [*HEADERS, "入学"])
    sheet.write_row(1, 0, line(0, 姓名=""))
    sheet.write_datetime(1, 8, FILLED_ON, book.add_format({"num_format": "yyyy-mm-dd"}))
    book.close()
    buffer.seek(0)
    copied = opened(bring_in(buffer, cohort, county, clerk))["三月"]
    assert copied["I2"].value.date() == FILLED_ON and copied["J1"].value == PROBLEM

    csv = ",".join(HEADERS) + "\n" + ",".join(str(cell) for cell in line(1, 姓名="")) + ",多,余\n"
    copied = opened(bring_in(BytesIO(csv.encode("gb18030")), cohort, county, clerk, name="名单.csv"))["CSV"]
    assert copied["D2"].value == PEOPLE[1].id_number
    assert (copied["I2"].value, copied["J2"].value) == ("多", "余") and copied["K2"].value.startswith("姓名")


def test_a_file_of_a_hundred_columns_gets_its_two_more_and_is_read_again(cohort, county, clerk, tmp_path):  # noqa: F811
    more = [f"备注{n}" for n in range(100 - len(HEADERS))]
    said = [f"值{n}" for n in range(len(more))]
    rows = [[*line(0), *said], [*line(1, 姓名=""), *said]]
    roster = bring_in(workbook(rows, [*HEADERS, *more]), cohort, county, clerk)
    path = tmp_path / "marked.xlsx"

    write_marked(path, roster)

    sheet = openpyxl.load_workbook(path)[SHEET]
    assert texts(sheet, 3)[100:] == [PROBLEM, REMEDY] and sheet["CV5"].value == said[-1]
    again = bring_in(BytesIO(path.read_bytes()), cohort, county, clerk)
    assert counts(again) == counts(roster) == (1, 0, 1, 1)


def test_comments_end_where_a_program_could_not_draw_them_and_columns_do_not(wrong, opened, monkeypatch):
    monkeypatch.setattr(marked, "MOST_COMMENTS", 1)

    sheet = opened(wrong)[SHEET]

    assert len([cell for row in sheet.iter_rows() for cell in row if cell.comment]) == 1
    assert sheet["I6"].value and sheet["B6"].fill.fgColor.rgb == "FFFECACA"


@pytest.mark.parametrize(
    ("sentence", "parts"),
    [
        ("这一格是空的。请填写。", ("这一格是空的", "请填写。")),
        ("请写男或女。", ("", "请写男或女。")),
        ("This cell is empty. Fill it in.", ("This cell is empty", "Fill it in.")),
        ("一。二。三。", ("一", "二。三。")),
    ],
)
def test_a_sentence_is_told_as_what_is_wrong_and_what_to_do(sentence, parts):
    assert split(sentence) == parts


# --- Corrected and uploaded again -------------------------------------------------------------------------------------


def corrected(roster, tmp_path, changes, *, name="改好.xlsx"):
    """The marked copy with cells changed as a clerk does, as an open file."""
    path = tmp_path / name
    write_marked(path, roster)
    book = openpyxl.load_workbook(path)
    sheet = book[book.sheetnames[1]]
    for place, value in changes.items():
        sheet[place].value = value
    book.save(path)
    return path.open("rb")


def test_corrected_it_is_applied_and_the_first_import_is_put_aside(wrong, clerk, tmp_path):  # noqa: F811
    changes = {"D5": PEOPLE[1].id_number, "E5": PEOPLE[1].phone, "B6": PEOPLE[2].name}
    with corrected(wrong, tmp_path, changes) as file:
        roster = upload_correction(wrong, file, by=clerk, name="改好.xlsx")
    wrong.refresh_from_db()
    assert wrong.state == "in_review"  # until the new one is read

    jobs.run(roster.job_id)

    roster.refresh_from_db()
    wrong.refresh_from_db()
    assert (roster.state, counts(roster), wrong.state) == ("checked", (3, 0, 0, 1), "discarded")
    assert (roster.corrects, roster.cohort, roster.region) == (wrong, wrong.cohort, wrong.region)
    apply_roster(roster, by=clerk, on=FILLED_ON)
    assert set(Trainee.objects.values_list("name", flat=True)) == {PEOPLE[n].name for n in range(3)}


def test_what_is_still_wrong_is_marked_anew_in_the_same_columns(wrong, clerk, opened, tmp_path):  # noqa: F811
    with corrected(wrong, tmp_path, {"B6": PEOPLE[2].name, "E5": PEOPLE[1].phone, "L5": "我的备注"}) as file:
        roster = upload_correction(wrong, file, by=clerk)
    jobs.run(roster.job_id)
    roster.refresh_from_db()

    sheet = opened(roster)[SHEET]

    assert [finding.row for finding in roster.findings.all()] == [5]
    assert texts(sheet, 3)[:10] == [*HEADERS, PROBLEM, REMEDY]
    assert sheet["I6"].value is None and sheet["I5"].value.startswith("身份证号码") and sheet["L5"].value == "我的备注"


def test_a_template_is_corrected_on_the_same_road(cohort, county, clerk, tmp_path):  # noqa: F811
    """Its example stays, its title, its mark."""
    first = bring_in(
        fill(made_for(cohort, county), values_of(0), values_of(1, name="")), cohort, county, clerk, name="报名表.xlsx"
    )
    assert counts(first) == (1, 0, 1, 1)
    with corrected(first, tmp_path, {"B7": PEOPLE[1].name}) as file:
        roster = upload_correction(first, file, by=clerk)
    jobs.run(roster.job_id)
    roster.refresh_from_db()

    assert (counts(roster), roster.title) == ((2, 0, 0, 1), first.title)


def test_a_wrong_file_leaves_the_first_import_as_it_is(wrong, clerk):  # noqa: F811
    roster = upload_correction(wrong, BytesIO(b"%PDF-1.7"), by=clerk, name="扫描.pdf")
    jobs.run(roster.job_id)

    roster.refresh_from_db()
    wrong.refresh_from_db()
    assert (roster.state, wrong.state) == ("refused", "in_review")


def test_a_refused_import_can_be_corrected_and_one_put_aside_cannot(cohort, county, clerk):  # noqa: F811
    refused = bring_in(BytesIO(b"%PDF-1.7"), cohort, county, clerk)
    roster = upload_correction(refused, workbook([line(0)]), by=clerk, name="a.xlsx")
    jobs.run(roster.job_id)
    refused.refresh_from_db()
    assert refused.state == "discarded"

    with pytest.raises(RuleBroken):
        upload_correction(refused, workbook([line(0)]), by=clerk, name="a.xlsx")
    roster.refresh_from_db()
    apply_roster(roster, by=clerk, on=FILLED_ON)
    roster.refresh_from_db()
    with pytest.raises(RuleBroken):
        upload_correction(roster, workbook([line(0)]), by=clerk, name="a.xlsx")


def test_checking_a_correction_twice_and_after_the_first_was_put_aside_is_the_same(wrong, clerk):  # noqa: F811
    roster = upload_correction(wrong, workbook([line(0)]), by=clerk, name="a.xlsx")
    discard_roster(wrong, by=clerk)

    jobs.run(roster.job_id)

    roster.refresh_from_db()
    assert roster.state == "checked"


# --- Who may take it --------------------------------------------------------------------------------------------------


def staff(code, *names):
    user = official(code, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=[f"{name}_rosterimport" for name in names]))
    return user


def url(roster, name="marked", *args):
    return reverse(f"admin:rosters_rosterimport_{name}", args=[roster.pk, *args])


@pytest.fixture
def at_desk(client, wrong):
    user = staff("622927", "view", "add", "change")
    client.force_login(user)
    return user


def test_the_copy_is_taken_at_once_recorded_and_kept_by_no_cache(client, at_desk, wrong):
    answer = client.post(url(wrong))

    assert answer.status_code == 200 and "no-store" in answer["Cache-Control"]
    assert openpyxl.load_workbook(BytesIO(answer.content)).sheetnames[0] == SUMMARY
    name = unquote(answer["Content-Disposition"])
    assert "王小花" not in name and str(wrong.pk) in name
    record = AccessRecord.objects.get()
    assert (record.by, record.kind, record.row, record.count) == (at_desk, "export", str(wrong.pk), 4)
    assert record.fields == ["name", "id_number", "phone"]


def test_it_is_not_for_those_who_only_look_nor_for_strangers(client, wrong):
    for user, status in ((staff("622927", "view"), 403), (staff("520526", "view", "add", "change"), 404)):
        client.force_login(user)
        assert client.post(url(wrong)).status_code == status
    assert not AccessRecord.objects.exists()
    client.force_login(staff("622927", "view"))
    assert url(wrong) not in client.get(url(wrong, "change")).content.decode()
    with pytest.raises(RuleBroken):
        take_copy(wrong, by=staff("520526", "change"))


def test_it_is_asked_for_and_not_come_by(client, at_desk, wrong):
    assert client.get(url(wrong)).status_code == 405
    assert not AccessRecord.objects.exists()


def test_of_a_written_or_discarded_import_there_is_none(client, at_desk, wrong):
    discard_roster(wrong, by=at_desk)

    answer = client.post(url(wrong), follow=True)

    assert [str(message) for message in answer.context["messages"]]
    assert not AccessRecord.objects.exists()
    assert url(wrong) not in client.get(url(wrong, "change")).content.decode()


def test_on_the_desk_it_is_downloaded_corrected_and_followed(client, at_desk, wrong):
    page = client.get(url(wrong, "change")).content.decode()
    assert f'action="{url(wrong)}"' in page and url(wrong, "move", "correct") in page
    assert 'enctype="multipart/form-data"' in page

    file = SimpleUploadedFile("改好.xlsx", workbook([line(0), line(1)]).read())
    answer = client.post(url(wrong, "move", "correct"), {"file": file})

    roster = RosterImport.objects.get(corrects=wrong)
    assert answer["Location"] == url(roster, "change")
    jobs.run(roster.job_id)
    assert url(wrong, "change") in client.get(url(roster, "change")).content.decode()
    assert url(roster, "change") in client.get(url(wrong, "change")).content.decode()


def test_without_a_file_the_desk_asks_for_it(client, at_desk, wrong):
    answer = client.post(url(wrong, "move", "correct"))

    assert answer.status_code == 200 and 'enctype="multipart/form-data"' in answer.content.decode()
    assert not RosterImport.objects.filter(corrects=wrong).exists()


def test_a_stranger_corrects_nothing(client, wrong):
    client.force_login(staff("520526", "view", "add", "change"))

    client.post(url(wrong, "move", "correct"), {"file": SimpleUploadedFile("x.xlsx", b"x")})

    assert not RosterImport.objects.filter(corrects=wrong).exists()


def test_a_copy_of_thirty_wrong_rows_asks_as_often_as_of_one(cohort, county, clerk, tmp_path):  # noqa: F811
    asked = []
    for number in (1, 30):
        rows = [line(n, 姓名="") for n in range(number)]
        roster = RosterImport.objects.select_related("cohort__programme", "region__province", "region__prefecture").get(
            pk=bring_in(workbook(rows), cohort, county, clerk).pk
        )
        with CaptureQueriesContext(connection) as queries:
            write_marked(tmp_path / "marked.xlsx", roster)
        asked.append(len(queries))

    assert asked[0] == asked[1]


# --- Long ones --------------------------------------------------------------------------------------------------------


@pytest.fixture
def long(wrong, monkeypatch):
    """The same, taken for a long one."""
    monkeypatch.setattr(copies, "AT_ONCE", 3)
    return wrong


def kept_files(settings):
    return [path for path in Path(settings.MEDIA_ROOT).rglob("results/**/*") if path.is_file()]


def test_a_long_one_is_made_in_the_background_and_fetched_from_the_same_page(client, at_desk, long, settings):
    answer = client.post(url(long))
    assert answer["Location"] == url(long, "change") and not AccessRecord.objects.exists()
    page = client.get(url(long, "change"))
    assert page["Refresh"] == "2" and "<progress" in page.content.decode()

    job = Job.objects.get(kind=copies.KIND)
    jobs.run(job.pk)

    job.refresh_from_db()
    assert (job.state, job.result["rows"], "王小花" in job.title) == ("done", 7, False)
    [kept] = kept_files(settings)
    assert not kept.read_bytes().startswith(b"PK") and b"sheet1.xml" not in kept.read_bytes()
    page = client.get(url(long, "change"))
    assert "Refresh" not in page and 'name="fetch"' in page.content.decode()
    answer = client.post(url(long), {"fetch": "1"})
    assert openpyxl.load_workbook(BytesIO(answer.content))[SHEET]["I5"].value
    assert AccessRecord.objects.get().by == at_desk and "no-store" in answer["Cache-Control"]


def test_a_copy_is_for_who_asked_for_it(client, at_desk, long):
    jobs.run(request_copy(long, by=at_desk).pk)
    client.force_login(staff("622927", "view", "add", "change"))

    answer = client.post(url(long), {"fetch": "1"}, follow=True)

    assert [str(message) for message in answer.context["messages"]] and not AccessRecord.objects.exists()


def test_a_copy_is_no_more_after_the_import_was_checked_again_or_was_written(client, at_desk, long):
    jobs.run(request_copy(long, by=at_desk).pk)
    assert copies.copy_job(RosterImport.objects.get(pk=long.pk), by=at_desk)

    recheck_roster(long, by=at_desk)
    jobs.run(long.job_id)

    assert copies.copy_job(RosterImport.objects.get(pk=long.pk), by=at_desk) is None
    jobs.run(request_copy(long, by=at_desk).pk)
    discard_roster(RosterImport.objects.get(pk=long.pk), by=at_desk)
    client.post(url(long), {"fetch": "1"})
    assert not AccessRecord.objects.exists()


def test_who_lost_the_right_meanwhile_gets_no_copy_made(at_desk, long):
    job = request_copy(long, by=at_desk)
    at_desk.user_permissions.clear()

    jobs.run(job.pk)

    job.refresh_from_db()
    assert job.state == "failed" and job.error


def test_copies_that_waited_long_enough_are_cleared_away(at_desk, long, settings):
    jobs.run(request_copy(long, by=at_desk).pk)
    assert clear_results(at=timezone.now() + copies.KEPT / 2) == 0 and len(kept_files(settings)) == 1

    with time_machine.travel(timezone.now() + copies.KEPT * 2):
        assert copies.copy_job(RosterImport.objects.get(pk=long.pk), by=at_desk) is None
        jobs.run(request_copy(long, by=at_desk).pk)

    assert clear_results(at=timezone.now() + copies.KEPT * 1.5) == 1
    assert len(kept_files(settings)) == 1  # the new one
    assert clear_results(at=timezone.now() + copies.KEPT * 4) == 1 and not kept_files(settings)


def test_making_a_copy_twice_is_the_same(at_desk, long):
    job = request_copy(long, by=at_desk)
    assert request_copy(long, by=at_desk) == job
    jobs.run(job.pk)
    jobs.run(job.pk)

    assert Job.objects.filter(kind=copies.KIND).count() == 1


# --- Sheets made by hand ----------------------------------------------------------------------------------------------


def by_hand():
    """Two-row headers, a county merged over two people, a heading merged over the width, a subtotal, a blank row."""
    buffer = BytesIO()
    book = xlsxwriter.Workbook(buffer)
    sheet = book.add_worksheet("名单")
    sheet.merge_range(0, 0, 0, 6, "报名表")
    for place, text in enumerate(["序号", "姓名", "身份证号码"]):
        sheet.merge_range(1, place, 2, place, text)
    sheet.merge_range(1, 3, 1, 4, "联系方式")
    sheet.write_row(2, 3, ["手机", "微信"])
    sheet.merge_range(1, 5, 2, 5, "县区")
    sheet.merge_range(1, 6, 2, 6, "乡镇")
    sheet.merge_range(3, 0, 3, 6, "吹麻滩镇")
    for row, n in ((4, 0), (5, 1), (8, 2)):
        person = PEOPLE[n]
        name = "" if n == 1 else person.name
        sheet.write_row(row, 0, [n + 1, name, person.id_number, person.phone, f"wx{n}", "", "吹麻滩镇"])
    sheet.merge_range(4, 5, 5, 5, "积石山县")
    sheet.write_row(6, 0, ["小计", "2人"])
    sheet.write(8, 5, "积石山县")
    book.close()
    buffer.seek(0)
    return buffer


def test_a_sheet_made_by_hand_is_understood_again_as_it_was(cohort, county, clerk, opened, tmp_path):  # noqa: F811
    """What the county merged is no more, so it is filled in; headings and header are told from people as before."""
    roster = bring_in(by_hand(), cohort, county, clerk)
    assert counts(roster) == (2, 0, 1, 2)

    sheet = opened(roster)["名单"]

    assert texts(sheet, 2)[7:] == [PROBLEM, REMEDY] and [sheet["F5"].value, sheet["F6"].value] == ["积石山县"] * 2
    assert "A4:G4" in {str(merged) for merged in sheet.merged_cells.ranges}
    assert sheet["B6"].comment and sheet["H6"].value.startswith("姓名") and sheet.auto_filter.ref == "A3:I9"
    with corrected(roster, tmp_path, {"B6": PEOPLE[1].name}) as file:
        again = upload_correction(roster, file, by=clerk, name="改好.xlsx")
    jobs.run(again.job_id)
    again.refresh_from_db()
    assert counts(again) == (3, 0, 0, 2) and not again.findings.exists()
    with corrected(again, tmp_path, {}) as file:
        third = bring_in(file, cohort, county, clerk)
    assert counts(third) == (3, 0, 0, 2)


def test_every_row_of_a_sheet_is_in_its_copy(cohort, county, clerk, opened):  # noqa: F811
    before = read_workbook_rows(by_hand())

    after = opened(bring_in(by_hand(), cohort, county, clerk))["名单"]

    for number, values in before.items():
        assert values and set(values) <= {str(after.cell(number, place).value) for place in range(1, 8)}, number


def read_workbook_rows(file):
    with read_workbook(spooled(file)) as book:
        return {row.number: [cell.text for cell in row.cells if cell.text] for row in book}


def spooled(file):
    opened = tempfile.TemporaryFile()  # noqa: SIM115 - the workbook closes it
    opened.write(file.read())
    opened.flush()
    return opened
