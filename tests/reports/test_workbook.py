"""Workbook, CSV and command, byte by byte: sheets that agree, texts that stay texts, nobody else's people."""

import csv
import io
import zipfile
from datetime import date, datetime
from decimal import Decimal

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from django.utils.translation import override

from incubator.common.errors import RuleBroken
from incubator.regions.models import Region
from incubator.reports import workbook
from incubator.reports.columns import COLUMNS
from incubator.reports.indicators import INDICATORS
from incubator.reports.queries import county_figures
from incubator.reports.workbook import write_csv, write_workbook
from tests import factories
from tests.reports.world import IN_A, IN_B, PERIOD, TODAY, A, B, make_country

pytestmark = pytest.mark.django_db

HOSTILE = ["=1+1", "+1", "-1", "@x", "\tx", '=HYPERLINK("http://x")', "http://x.example", "＝1", " =1", "007", "𬮿𰻝"]


@pytest.fixture
def country():
    return make_country()


def written(tmp_path, code, language="en"):
    path = tmp_path / "report.xlsx"
    region = Region.objects.select_related("province", "prefecture").get(code=code) if code else None
    write_workbook(path, region, PERIOD, as_of=TODAY, language=language)
    return path


def opened(path):
    return openpyxl.load_workbook(path)


def table(sheet):
    """The rows below the headings, by heading."""
    names = [cell.value for cell in sheet[5]]
    return [dict(zip(names, [cell.value for cell in row], strict=True)) for row in sheet.iter_rows(min_row=6)]


def everything(path):
    with zipfile.ZipFile(path) as archive:
        return "".join(archive.read(name).decode() for name in archive.namelist())


def test_first_sheet_is_the_figures(tmp_path, country):
    sheet = opened(written(tmp_path, A)).worksheets[0]

    shown = {row["Indicator"]: row["Value"] for row in table(sheet)}
    with override("en"):
        for indicator in INDICATORS:
            assert shown[str(indicator.name)] == float(indicator.value(IN_A)), indicator.name
    assert [cell.value for cell in sheet[5]] == ["Indicator", "Unit", "Value", "What is counted"]


def test_first_sheet_tells_coverage_below_the_figures(tmp_path, country):
    shown = {row["Indicator"]: row for row in table(opened(written(tmp_path, A)).worksheets[0])}

    assert (shown["Kuaishou"]["Unit"], shown["Kuaishou"]["Value"]) == ("%", IN_A.coverage)
    assert shown["Kuaishou"]["What is counted"].startswith("2 of 4 connected accounts read in the last 7 days, 1 never")


def test_sheets_say_what_they_are(tmp_path, country):
    book = opened(written(tmp_path, A))
    for sheet in book.worksheets:
        head = " ".join(str(sheet.cell(row, 1).value) for row in range(1, 5))
        assert "积石山县" in head and "2026, quarter 3" in head
    assert "county report" in book.worksheets[0]["A1"].value
    line = book.worksheets[0]["A4"].value
    assert "Sept. 30, 2026" in line and "2 of 4" in line and "50%" in line


def test_second_sheet_adds_up_to_the_first(tmp_path, country):
    *people, total = table(opened(written(tmp_path, A)).worksheets[1])

    assert total["No."] == "Total" and [row["No."] for row in people] == [1, 2, 3, 4]
    assert total["Name"] == len(people) == IN_A.trainees
    assert total["Class hours"] == sum(row["Class hours"] for row in people) == IN_A.class_hours
    assert total["Graduated on"] == sum(row["Graduated on"] != "" and row["Graduated on"] is not None for row in people)
    assert total["Graduated on"] == IN_A.graduates_total
    for column, figure in (("Followers", IN_A.followers), ("Growth", IN_A.growth), ("Impressions", IN_A.impressions)):
        assert total[column] == figure == sum(row[column] for row in people if row[column] != "—")
    assert total["Certificate"] == IN_A.leaders_total


def test_unknown_is_a_dash_and_days_are_days(tmp_path, country):
    people = {row["Name"]: row for row in table(opened(written(tmp_path, A)).worksheets[1])}

    assert people["甲二"]["Followers"] == people["甲二"]["Growth"] == "—"
    assert people["甲四"]["Growth"] == "—"
    assert people["甲一"]["Graduated on"] == datetime(2026, 8, 1)


def test_county_nobody_read_shows_dashes_not_zeros(tmp_path):
    part = factories.ParticipationFactory()
    factories.CreatorAccountFactory(trainee=part.trainee)

    first, second = opened(written(tmp_path, part.trainee.county_id)).worksheets

    shown = {row["Indicator"]: row["Value"] for row in table(first)}
    assert shown["Followers"] == shown["Growth"] == "—" and shown["Creator accounts"] == 1
    assert table(second)[-1]["Followers"] == "—" and table(second)[-1]["Impressions"] == 0


def test_county_is_a_column_where_there_may_be_several(tmp_path, country):
    people = {row["Name"]: row for row in table(opened(written(tmp_path, "622900")).worksheets[1])[:-1]}

    assert people["甲一"]["County"] == "积石山县" and people["外人b"]["County"] == Region.objects.get(code=B).name
    assert "County" not in table(opened(written(tmp_path, A)).worksheets[1])[0]


def test_personal_numbers_are_masked(tmp_path, country):
    path = written(tmp_path, A)
    row = table(opened(path).worksheets[1])[0]

    assert row["ID number"] == "622927********1234" and row["Phone"] == "138****1234"
    assert "199001011234" not in everything(path) and "13800001234" not in everything(path)


def test_nobody_of_another_county_is_in_the_file(tmp_path, country):
    stranger = country["b"]
    needles = [stranger.name, stranger.number, stranger.township, "ks-b"]

    assert all(needle in everything(written(tmp_path, B)) for needle in needles)
    assert not any(needle in everything(written(tmp_path, A)) for needle in [*needles, "甲三", "甲五", "ksthree"])


@pytest.mark.parametrize("name", HOSTILE)
def test_names_stay_texts(tmp_path, name):
    factories.ParticipationFactory(
        trainee__name=name, trainee__township=name, trainee__county=factories.region(A, name)
    )

    sheet = opened(written(tmp_path, A)).worksheets[1]

    for column in (3, 6):
        cell = sheet.cell(6, column)
        assert (cell.value, cell.data_type, cell.hyperlink) == (name, "s", None)
        assert cell.number_format == "@"


@pytest.mark.parametrize(
    ("language", "word", "last"), [("zh-hans", "县域报告", "合计"), ("en", "County report", "Total")]
)
def test_workbook_speaks_the_language_asked_for(tmp_path, country, language, word, last):
    with override("en" if language != "en" else "zh-hans"):
        book = opened(written(tmp_path, A, language))

    assert book.sheetnames[0] == word
    assert book.worksheets[1].cell(book.worksheets[1].max_row, 1).value == last


def test_region_without_people_gives_a_workbook_with_a_total_of_nobody(tmp_path):
    factories.region(A)

    *people, total = table(opened(written(tmp_path, A)).worksheets[1])

    assert people == [] and total["Name"] == 0 and total["Followers"] == "—"


def test_more_people_than_a_sheet_holds_are_refused(tmp_path, country, monkeypatch):
    monkeypatch.setattr(workbook, "MOST_PEOPLE", 3)

    with pytest.raises(RuleBroken):
        written(tmp_path, A)


def test_progress_ends_with_everybody(tmp_path, country, monkeypatch):
    monkeypatch.setattr(workbook, "SAY_EVERY", 3)
    said = []

    write_workbook(
        tmp_path / "x.xlsx", None, PERIOD, as_of=TODAY, language="en", progress=lambda *now: said.append(now)
    )

    assert said == [(0, 8), (3, 8), (6, 8), (8, 8)]


# --- CSV and command -------------------------------------------------------------------------------------------------


def rows_of(path):
    return list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"))))


def test_csv_says_the_same(tmp_path, country):
    path = tmp_path / "report.csv"
    write_csv(path, Region.objects.get(code=A), PERIOD, as_of=TODAY, language="en")

    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = rows_of(path)
    figures = {row[0]: row[2] for row in rows[4:20]}
    assert figures["Followers"] == "131150" and figures["Class hours"] == "16.0"
    assert rows[20][:3] == ["Kuaishou", "%", "50"]
    head = next(n for n, row in enumerate(rows) if row and row[0] == "No.")
    assert len(rows[head]) == len(COLUMNS)
    assert [row[2] for row in rows[head + 1 : head + 5]] == ["甲一", "甲二", "甲四", "甲六"]
    assert rows[head + 5][0] == "Total" and rows[head + 5][12] == "131150"
    assert rows[head + 2][12] == ""


@pytest.mark.parametrize("name", HOSTILE)
def test_csv_has_no_live_formula(tmp_path, name):
    factories.ParticipationFactory(trainee__name=name)
    path = tmp_path / "report.csv"
    write_csv(path, None, PERIOD, as_of=TODAY, language="en")

    [cell] = [row[2] for row in rows_of(path) if row and row[0] == "1"]
    assert cell.removeprefix("'") == name
    assert not cell.strip(" ").startswith(("=", "+", "-", "@", "\t", "＝"))


def test_csv_leaves_negative_numbers_numbers(tmp_path, country):
    path = tmp_path / "report.csv"
    write_csv(path, Region.objects.get(code=B), PERIOD, as_of=TODAY, language="en")

    assert rows_of(path)[-1][13] == str(IN_B.growth) == "-3"


def command(code, output, **options):
    said = io.StringIO()
    call_command("county_report", code, output=output, **{"period": "2026Q3", "format": "xlsx", **options}, stdout=said)
    return said.getvalue()


@pytest.mark.parametrize(("code", "people"), [(A, 4), ("all", 8), ("622900", 5)])
def test_command_writes_the_file(tmp_path, country, code, people):
    with override("en"):
        said = command(code, tmp_path / "r.xlsx", language="en")

    assert f"r.xlsx: {people} trainees" in said
    assert table(opened(tmp_path / "r.xlsx").worksheets[1])[-1]["Name"] == people
    assert [path.name for path in tmp_path.iterdir()] == ["r.xlsx"]


def test_command_writes_csv(tmp_path, country):
    command(A, tmp_path / "r.csv", format="csv")

    assert "甲一" in (tmp_path / "r.csv").read_text(encoding="utf-8-sig")


@pytest.mark.parametrize(
    ("code", "options", "status", "says"),
    [
        ("999999", {}, 2, "999999"),
        ("62'--", {}, 2, "62'--"),
        (A, {"period": "2026Q9"}, 2, "2026Q9"),
        (A, {"output": "."}, 2, "."),
        (A, {"output": "missing/r.xlsx"}, 1, "missing"),
    ],
)
def test_command_refuses_with_a_sentence_and_leaves_nothing(
    tmp_path, monkeypatch, country, code, options, status, says
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CommandError) as refusal:
        options = {"period": "2026Q3", "output": "r.xlsx", **options}
        call_command("county_report", code, *(f"--{name}={value}" for name, value in options.items()))

    assert refusal.value.returncode == status and says in str(refusal.value)
    assert len(str(refusal.value).splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_command_that_fails_half_way_keeps_the_older_file(tmp_path, country, monkeypatch):
    (tmp_path / "r.xlsx").write_text("older")

    def full_disk(path, *args, **kwargs):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(
        __import__("incubator.reports.management.commands.county_report", fromlist=["WRITERS"]).WRITERS,
        "xlsx",
        full_disk,
    )
    with pytest.raises(CommandError, match="No space left on device"):
        command(A, tmp_path / "r.xlsx")

    assert (tmp_path / "r.xlsx").read_text() == "older" and len(list(tmp_path.iterdir())) == 1


def test_figures_returned_are_those_of_the_page(tmp_path, country):
    region = Region.objects.get(code=A)

    returned = write_workbook(tmp_path / "x.xlsx", region, PERIOD, as_of=TODAY, language="en")

    assert returned == county_figures(region, PERIOD, as_of=TODAY)
    assert returned.class_hours == Decimal(16) and returned.as_of == date(2026, 9, 30)
