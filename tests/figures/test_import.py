"""Follower counts from a workbook: what is wrong is named by row and column, and all of it is written or nothing."""

import csv
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path

import pytest
import xlsxwriter
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from incubator.common.errors import RuleBroken, Stale
from incubator.common.workbooks import find_table, read_workbook
from incubator.figures.models import FiguresImport
from incubator.figures.services import apply_figures, recheck_figures, upload_figures
from incubator.figures.sheet import FIGURES
from incubator.figures.template import blank_figures
from incubator.jobs import services as jobs
from incubator.metrics.choices import Source
from incubator.metrics.models import CreatorAccount, LatestReading, Reading
from tests.factories import CreatorAccountFactory, TraineeFactory, official, reading, region

pytestmark = pytest.mark.django_db

HEADERS = ["序号", "姓名", "快手号", "粉丝数", "日期"]
TODAY = timezone.localdate()
YESTERDAY = TODAY - timedelta(days=1)


def workbook(rows, headers=HEADERS, *, above=("填报单位：积石山县农业农村局",)):
    """A county-like workbook: title, a row above the header, header, rows, total."""
    buffer = BytesIO()
    book = xlsxwriter.Workbook(buffer, {"strings_to_formulas": False})
    sheet = book.add_worksheet()
    for r, cells in enumerate([["粉丝数统计表"], list(above), headers, *rows, ["合计", f"{len(rows)}人"]]):
        for c, value in enumerate(cells):
            if value not in (None, ""):
                (sheet.write_number if isinstance(value, int | float) else sheet.write_string)(r, c, value)
    book.close()
    buffer.seek(0)
    return buffer


def line(handle, followers, day=YESTERDAY, name="", n=1):
    return [n, name, handle, followers, day.isoformat() if day else ""]


@pytest.fixture
def county():
    return region("622927", "积石山保安族东乡族撒拉族自治县")


@pytest.fixture
def clerk(county):
    return official("622927")


@pytest.fixture
def accounts(county):
    """Three people of the county with an account each: ks1, ks2, ks3."""
    return [
        CreatorAccountFactory(trainee=TraineeFactory(county=county, name=f"马{n}"), handle=f"ks{n}", state="unlinked")
        for n in (1, 2, 3)
    ]


def bring_in(file, county, by, *, day=None, name="粉丝数.xlsx"):
    """Upload and check, as the worker would."""
    figures = upload_figures(file, region=county, by=by, day=day, name=name)
    jobs.run(figures.job_id)
    figures.refresh_from_db()
    return figures


def statuses(figures):
    return list(figures.rows.values_list("status", flat=True))


def history():
    """``{(handle, day): followers}`` of all readings."""
    return {(r.account.handle, r.day): r.followers for r in Reading.objects.select_related("account")}


def confirm(figures, by):
    return apply_figures(figures, by=by, at=timezone.now())


def test_a_workbook_is_previewed_and_then_written(county, clerk, accounts):
    figures = bring_in(workbook([line("ks1", 12_000), line("ks2", "13,500", name="马2")]), county, clerk)

    assert (figures.state, figures.new_count, figures.wrong_count, figures.skipped_count) == ("checked", 2, 0, 1)
    assert (figures.title, figures.filled_by) == ("粉丝数统计表", "积石山县农业农村局")
    assert not Reading.objects.exists()

    done = confirm(figures, clerk)

    assert history() == {("ks1", YESTERDAY): 12_000, ("ks2", YESTERDAY): 13_500}
    assert set(Reading.objects.values_list("source", flat=True)) == {Source.FILE}
    assert LatestReading.objects.get(account=accounts[1]).followers == 13_500
    assert (done.state, done.written_count, done.quarantined_count) == ("applied", 2, 0)


@pytest.mark.parametrize(
    ("cells", "column", "said"),
    [
        ({"粉丝数": "1.2万"}, "粉丝数", "rounded|约数"),
        ({"粉丝数": "3w"}, "粉丝数", "rounded|约数"),
        ({"粉丝数": "1万+"}, "粉丝数", "rounded|约数"),
        ({"粉丝数": ""}, "粉丝数", "not counted as 0|不会按 0"),
        ({"粉丝数": "—"}, "粉丝数", "not counted as 0|不会按 0"),
        ({"粉丝数": -1}, "粉丝数", "whole number|整数"),
        ({"粉丝数": 12.5}, "粉丝数", "whole number|整数"),
        ({"粉丝数": "1,2345"}, "粉丝数", "whole number|整数"),
        ({"粉丝数": "很多"}, "粉丝数", "whole number|整数"),
        ({"粉丝数": 2_000_000_001}, "粉丝数", "that many|这么多"),
        ({"快手号": ""}, "快手号", "empty|空"),
        ({"快手号": "nobody"}, "快手号", "not one of your accounts|不是您"),
        ({"快手号": 1.23456789012345e18}, "快手号", "as text|文本"),
        ({"姓名": "张三"}, "姓名", "马2"),
        ({"日期": (TODAY + timedelta(days=1)).isoformat()}, "日期", "still to come|还没到"),
        ({"日期": (TODAY - timedelta(days=401)).isoformat()}, "日期", "400"),
        ({"日期": "11月20日"}, "日期", "2026-11-20"),
        ({"日期": 46000}, "日期", "2026-11-20"),
        ({"日期": ""}, "日期", "empty|空"),
    ],
)
def test_a_wrong_cell_is_named_by_row_column_and_reason_and_nothing_is_written(
    county, clerk, accounts, cells, column, said
):
    bad = [
        ({"姓名": "", "快手号": "ks2", "粉丝数": 500, "日期": YESTERDAY.isoformat()} | cells)[h] for h in HEADERS[1:]
    ]
    figures = bring_in(workbook([line("ks1", 12_000), [2, *bad], line("ks3", 7)]), county, clerk)

    (finding,) = figures.findings.all()
    assert (finding.row, finding.column, finding.is_error) == (5, column, True)
    assert any(word in finding.sentence for word in said.split("|")), finding.sentence
    assert statuses(figures) == ["new", "wrong", "new"]
    with pytest.raises(RuleBroken):
        confirm(figures, clerk)
    assert not Reading.objects.exists() and not LatestReading.objects.exists()


@pytest.mark.parametrize(
    ("written", "followers"),
    [
        (0, 0),
        ("0", 0),
        (" 12 345 ", 12_345),
        ("１２，３４５", 12_345),
        ("1,234,567", 1_234_567),
        (2_000_000_000, 2 * 10**9),
    ],
)
def test_whole_numbers_are_understood_as_people_write_them(county, clerk, accounts, written, followers):
    figures = bring_in(workbook([line("ks1", written)]), county, clerk)

    assert figures.rows.get().plain["followers"] == followers


@pytest.mark.parametrize("written", ["{0:%Y-%m-%d}", "{0:%Y/%m/%d}", "{0:%Y.%m.%d}", "{0:%Y年%m月%d日}", "{0:%Y%m%d}"])
def test_days_are_understood_as_people_write_them(county, clerk, accounts, written):
    row = [1, "", "ks1", 5, written.format(YESTERDAY)]

    assert bring_in(workbook([row]), county, clerk).rows.get().plain["day"] == YESTERDAY.isoformat()


@pytest.mark.parametrize(
    "above",
    [
        ["填报单位：某局", "填报日期：{0:%Y年%m月%d日}"],
        ["填报单位：某局", "日期：", "{0:%Y-%m-%d}"],
        ["截至{0:%Y年%m月%d日}，填报日期：2020年1月1日"],
        ["统计日期: {0:%Y.%m.%d}"],
    ],
)
def test_rows_without_a_day_take_the_sheets_own(county, clerk, accounts, above):
    file = workbook([line("ks1", 5, day=None)], above=[text.format(YESTERDAY) for text in above])

    assert bring_in(file, county, clerk).rows.get().plain["day"] == YESTERDAY.isoformat()


def test_the_day_chosen_in_the_form_stands_where_the_sheet_says_none(county, clerk, accounts):
    figures = bring_in(workbook([["ks1", 5]], ["账号", "粉丝数"]), county, clerk, day=YESTERDAY)

    assert figures.rows.get().plain["day"] == YESTERDAY.isoformat() and not figures.findings.exists()


def test_a_form_that_says_another_day_than_the_sheet_is_worth_a_look(county, clerk, accounts):
    file = workbook([["ks1", 5]], ["账号", "粉丝数"], above=[f"统计日期：{YESTERDAY}"])

    figures = bring_in(file, county, clerk, day=TODAY)

    assert figures.rows.get().plain["day"] == YESTERDAY.isoformat()
    assert not figures.findings.get().is_error


def test_figures_of_no_day_are_refused(county, clerk, accounts):
    figures = bring_in(workbook([["ks1", 5]], ["账号", "粉丝数"]), county, clerk)

    assert figures.state == "refused" and ("day" in figures.error or "日期" in figures.error)


def test_an_account_and_day_twice_names_both_rows(county, clerk, accounts):
    rows = [line("ks1", 5), line("ks1", 6, day=TODAY), line("ｋs1", 7)]

    figures = bring_in(workbook(rows), county, clerk)

    finding = figures.findings.get()
    assert finding.row == 6 and "4" in finding.sentence and "6" in finding.sentence
    assert statuses(figures) == ["new", "new", "wrong"]


def test_a_handle_alone_in_its_row_is_not_taken_for_a_serial_number(county, clerk):
    CreatorAccountFactory(trainee=TraineeFactory(county=county), handle="123456")

    figures = bring_in(workbook([["123456", "", ""]], ["快手号", "粉丝数", "日期"]), county, clerk, day=TODAY)

    assert statuses(figures) == ["wrong"]


def test_what_the_platform_told_is_kept(county, clerk, accounts):
    reading(accounts[0], YESTERDAY, 10_000)
    reading(accounts[1], YESTERDAY, 10_000)

    figures = bring_in(workbook([line("ks1", 10_500), line("ks2", 10_000), line("ks3", 3)]), county, clerk)

    assert statuses(figures) == ["kept", "same", "new"]
    confirm(figures, clerk)
    assert history() == {("ks1", YESTERDAY): 10_000, ("ks2", YESTERDAY): 10_000, ("ks3", YESTERDAY): 3}
    assert Reading.objects.get(account=accounts[0]).source == Source.API


def test_a_later_file_corrects_an_earlier_one(county, clerk, accounts):
    confirm(bring_in(workbook([line("ks1", 10_000)]), county, clerk), clerk)

    figures = bring_in(workbook([line("ks1", 10_500)]), county, clerk)

    assert statuses(figures) == ["corrected"]
    assert confirm(figures, clerk).written_count == 1
    assert history() == {("ks1", YESTERDAY): 10_500}


def test_the_same_file_twice_has_nothing_to_write(county, clerk, accounts):
    confirm(bring_in(workbook([line("ks1", 10_000)]), county, clerk), clerk)

    again = bring_in(workbook([line("ks1", 10_000)]), county, clerk)

    assert statuses(again) == ["same"]
    with pytest.raises(RuleBroken):
        confirm(again, clerk)


@pytest.mark.parametrize(
    ("last", "now"),
    [
        (10_000, 5_001), (10_000, 5_000), (10_001, 5_001), (10_001, 5_000), (10_000, 99_999), (10_000, 100_000),
        (10_000, 0), (99, 0), (100, 0), (100, 49), (100, 50), (9, 99), (10, 100), (11, 109),
        (0, 99), (0, 100), (1, 100),
    ],
)  # fmt: skip
def test_the_preview_foresees_what_is_held_back(county, clerk, accounts, last, now):
    reading(accounts[0], YESTERDAY, last)

    figures = bring_in(workbook([line("ks1", now, day=TODAY)]), county, clerk)
    foreseen = statuses(figures)
    done = confirm(figures, clerk)

    assert foreseen == (["doubtful"] if done.quarantined_count else ["new"])
    assert done.written_count + done.quarantined_count == 1
    assert figures.findings.filter(is_error=False).exists() == (foreseen == ["doubtful"])
    assert Reading.objects.filter(day=TODAY).exists() == (foreseen == ["new"])


def days_ago(days):
    return TODAY - timedelta(days=days)


@pytest.mark.parametrize(
    ("before", "figures", "foreseen", "written"),
    [
        # a file does not confirm its own leap, but may contradict it
        ({}, [(2, 1_000), (1, 20_000), (0, 21_000)], ["new", "doubtful", "doubtful"], {2: 1_000}),
        ({}, [(2, 1_000), (1, 20_000), (0, 1_010)], ["new", "doubtful", "new"], {2: 1_000, 0: 1_010}),
        ({}, [(2, 1_000), (1, 20_000), (0, 900_000)], ["new", "doubtful", "doubtful"], {2: 1_000}),
        # a gap behind the newest reading
        ({0: 10_000}, [(3, 9_000), (2, 9_500)], ["new", "new"], {0: 10_000, 3: 9_000, 2: 9_500}),
        ({3: 50, 0: 10_000}, [(3, 60), (1, 9_000)], ["kept", "new"], {3: 50, 1: 9_000, 0: 10_000}),
    ],
)
def test_figures_of_several_days_end_as_foreseen(county, clerk, accounts, before, figures, foreseen, written):
    for ago, followers in before.items():
        reading(accounts[0], days_ago(ago), followers)

    staged = bring_in(workbook([line("ks1", n, day=days_ago(ago)) for ago, n in figures]), county, clerk)
    assert statuses(staged) == foreseen
    confirm(staged, clerk)

    assert history() == {("ks1", days_ago(ago)): followers for ago, followers in written.items()}


def test_a_figure_held_back_is_not_held_back_again(county, clerk, accounts):
    reading(accounts[0], days_ago(3), 1_000)
    confirm(bring_in(workbook([line("ks1", 20_000)]), county, clerk), clerk)

    again = bring_in(workbook([line("ks1", 20_000), line("ks2", 5)]), county, clerk)

    assert statuses(again) == ["held", "new"]
    assert confirm(again, clerk).quarantined_count == 0


def test_a_later_file_confirms_what_an_earlier_one_leapt_to(county, clerk, accounts):
    reading(accounts[0], days_ago(3), 1_000)
    confirm(bring_in(workbook([line("ks1", 20_000, day=YESTERDAY)]), county, clerk), clerk)

    later = bring_in(workbook([line("ks1", 20_500, day=TODAY)]), county, clerk)

    assert statuses(later) == ["new"]
    confirm(later, clerk)
    assert history() == {("ks1", days_ago(3)): 1_000, ("ks1", YESTERDAY): 20_000, ("ks1", TODAY): 20_500}


def test_another_countys_account_says_no_more_than_one_that_is_not_there(county, clerk, accounts):
    theirs = CreatorAccountFactory(
        trainee=TraineeFactory(county=region("520526", "威宁县"), name="外县人"), handle="far"
    )
    reading(theirs, YESTERDAY, 777)

    figures = bring_in(workbook([line("far", 5, name="别人"), line("none", 5, name="别人")]), county, clerk)

    far, none = figures.findings.order_by("row")
    assert (far.sentence, far.column) == (none.sentence, none.column)
    rows = [row.plain | {"handle": "", "number": 0} for row in figures.rows.all()]
    assert rows[0] == rows[1] and not figures.rows.exclude(account=None).exists()
    with pytest.raises(RuleBroken):
        confirm(figures, clerk)


def test_an_account_outside_the_imports_region_is_wrong(county, accounts):
    province = official("620000")
    other = region("622926", "东乡族自治县")
    CreatorAccountFactory(trainee=TraineeFactory(county=other), handle="near")

    figures = bring_in(workbook([line("near", 5), line("ks1", 5)]), county, province)

    assert statuses(figures) == ["wrong", "new"]


def test_nobody_imports_for_a_region_of_others(county, clerk):
    with pytest.raises(RuleBroken):
        upload_figures(workbook([line("ks1", 5)]), region=region("520526"), by=clerk)
    assert not FiguresImport.objects.exists()


def test_who_confirms_must_see_the_accounts_too(county, clerk, accounts):
    figures = bring_in(workbook([line("ks1", 5)]), county, clerk)

    with pytest.raises(Stale):
        confirm(figures, official("520526"))
    assert not Reading.objects.exists()


def test_strangers_do_not_see_an_import(county, clerk, accounts):
    figures = bring_in(workbook([line("ks1", 5)]), county, clerk)

    assert figures in FiguresImport.objects.visible_to(clerk)
    assert figures not in FiguresImport.objects.visible_to(official("520526"))


def test_a_stale_preview_is_refused_and_checked_again(county, clerk, accounts):
    figures = bring_in(workbook([line("ks1", 5), line("ks2", 6)]), county, clerk)
    reading(accounts[0], YESTERDAY, 8)

    with pytest.raises(Stale):
        confirm(figures, clerk)
    assert history() == {("ks1", YESTERDAY): 8}

    jobs.run(recheck_figures(figures, by=clerk).job_id)
    figures.refresh_from_db()
    assert statuses(figures) == ["kept", "new"]
    confirm(figures, clerk)
    assert history() == {("ks1", YESTERDAY): 8, ("ks2", YESTERDAY): 6}


def test_an_account_number_that_went_to_another_account_is_stale(county, clerk, accounts):
    figures = bring_in(workbook([line("ks1", 5)]), county, clerk)
    CreatorAccount.objects.filter(pk=accounts[0].pk).update(handle="renamed")
    CreatorAccount.objects.filter(pk=accounts[1].pk).update(handle="ks1")

    with pytest.raises(Stale):
        confirm(figures, clerk)
    assert not Reading.objects.exists()


def test_figures_are_written_once(county, clerk, accounts):
    figures = bring_in(workbook([line("ks1", 5)]), county, clerk)
    confirm(figures, clerk)

    with pytest.raises(Stale):
        confirm(figures, clerk)


def test_a_failure_while_writing_leaves_nothing(county, clerk, accounts, monkeypatch):
    figures = bring_in(workbook([line("ks1", 5)]), county, clerk)

    def fail(*args, **kwargs):
        raise Stale("somebody else")

    monkeypatch.setattr("incubator.figures.services.move", fail)
    with pytest.raises(Stale):
        confirm(figures, clerk)
    assert not Reading.objects.exists() and not LatestReading.objects.exists()
    assert FiguresImport.objects.get().state == "checked"


def test_the_uploaded_workbook_and_its_rows_lie_encrypted(county, clerk, accounts):
    figures = bring_in(workbook([line("ks1", 12_000, name="马1")]), county, clerk)

    kept = Path(figures.file.path).read_bytes()
    assert not kept.startswith(b"PK") and b"sheet1.xml" not in kept
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(r::text, '') FROM figures_figuresrow r")
        assert "马1".encode().hex() not in cursor.fetchone()[0]


def test_the_platform_is_read_from_its_column(county, clerk, accounts):
    rows = [["快手", "ks1", 5], ["kuaishou", "ks2", 6], ["", "ks3", 7], ["微博", "ks3", 8]]

    figures = bring_in(workbook(rows, ["平台", "账号", "粉丝数"]), county, clerk, day=TODAY)

    assert statuses(figures) == ["new", "new", "new", "wrong"]
    assert figures.findings.get().column == "平台"


def test_a_column_called_after_a_platform_says_which_it_is(county, clerk, accounts):
    theirs = CreatorAccountFactory(trainee=accounts[0].trainee, platform="douyin", handle="ks1")

    figures = bring_in(workbook([["ks1", 5]], ["抖音号", "粉丝数"]), county, clerk, day=TODAY)

    assert figures.rows.get().account == theirs


def as_csv(rows, encoding):
    text = StringIO()
    csv.writer(text).writerows(rows)
    return BytesIO(text.getvalue().encode(encoding))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "gb18030", "utf-16"])
def test_a_csv_is_read_as_spreadsheets_save_it(county, clerk, accounts, encoding):
    rows = [["粉丝数统计表"], [], HEADERS, line("ks1", "12,345"), ["合计", "1人"]]

    figures = bring_in(as_csv(rows, encoding), county, clerk, name="粉丝数.CSV")

    assert (figures.state, figures.new_count, figures.skipped_count) == ("checked", 1, 1)
    assert (figures.rows.get().number, figures.rows.get().plain["followers"]) == (4, 12_345)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"\xff\xff\xfe\x80\x00"),
        ("a.csv", b""),
        ("a.csv", b"," * 2_000_000),
        ("a.csv", b"a,b\n" * 20_001),
        ("a.csv", "账号,粉丝数,日期\nks1\0,5,2026-11-20".encode()),
        ("a.csv", b"PK\x03\x04\x00 a workbook under a wrong name"),
        ("a.xlsx", b"a,b\n1,2\n"),
        ("a.xlsx", b"%PDF-1.7"),
    ],
)
def test_a_wrong_file_is_refused_with_a_sentence(county, clerk, name, content):
    figures = bring_in(BytesIO(content), county, clerk, name=name)

    assert figures.state == "refused" and figures.error.endswith((".", "。"))


def test_a_header_may_explain_itself_at_length(county, clerk, accounts):
    headers = ["账号", f"粉丝数（{'请填写完整数字，' * 20}）", "日期"]

    figures = bring_in(workbook([["ks1", "1.2万", YESTERDAY.isoformat()]], headers), county, clerk)

    assert figures.findings.get().column.startswith("粉丝数")


def test_queries_do_not_grow_with_the_rows(county, clerk):
    for n in range(33):
        CreatorAccountFactory(trainee=TraineeFactory(county=county), handle=f"many{n}")
    used = []
    for some in ([0], [1], range(2, 32)):
        with CaptureQueriesContext(connection) as captured:
            figures = bring_in(workbook([line(f"many{n}", 10_000 + n) for n in some]), county, clerk)
        used.append(len(captured))
        assert figures.new_count == len(some)
    assert used[1] == used[2]  # the first also reads the clerk's postings


def test_the_blank_workbook_is_understood(tmp_path):
    path = tmp_path / "blank.xlsx"
    path.write_bytes(blank_figures())

    with pytest.raises(RuleBroken, match=r"no account below|没有账号"):
        find_table(read_workbook(path), FIGURES)


def test_nobody_becomes_anybody_by_a_file(county, clerk, accounts):
    """A file writes readings and nothing else: no account is made, none changes its state."""
    before = list(CreatorAccount.objects.order_by("pk").values())
    confirm(bring_in(workbook([line("ks1", 5)]), county, clerk), clerk)

    assert list(CreatorAccount.objects.order_by("pk").values()) == before
