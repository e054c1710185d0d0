"""What becomes of each workbook of the corpus: its state, its counts, and every finding by row, column and reason.

``corpus/make.py`` makes the files and shows what is odd about each.
"""

from dataclasses import dataclass, field
from datetime import date

import pytest
from django.utils.translation import override

from incubator.imports.choices import ImportState
from incubator.regions.models import RegionAlias
from incubator.rosters.services import apply_roster, check_roster, upload_roster
from tests.factories import CohortFactory, official, region
from tests.rosters.corpus.make import BAD_IDS, BAD_PHONES, FILES, MAKERS, NEEDS_OFFICE
from tests.rosters.corpus.people import ELSEWHERE, FILLED_ON, KNOWN, PEOPLE
from trainees.models import Trainee
from trainees.services import NewTrainee, enter_trainees

Finding = tuple[int, str, str]  # row, column as the sheet calls it, words of the reason


@dataclass(frozen=True)
class Read:
    """A workbook that was read. ``wrong`` are the findings that must be corrected, one a row unless ``rows`` says else.

    ``noted`` are those worth a look. ``unused`` are the columns that lead nowhere, ``taken`` for how many rows a value
    was taken from above, ``places`` the counties and townships of the rows in turn, ``sheet`` which one was read.
    """

    new: int
    skipped: int = 0
    matched: int = 0
    wrong: tuple[Finding, ...] = ()
    rows: int | None = None
    noted: tuple[Finding, ...] = ()
    unused: tuple[str, ...] = ()
    taken: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] | None = None
    townships: tuple[str, ...] = ()
    is_for_prefecture: bool = False
    sheet: str = ""

    @property
    def counts(self) -> tuple[int, int, int, int]:
        return self.new, self.matched, len(self.wrong) if self.rows is None else self.rows, self.skipped


@dataclass(frozen=True)
class Refused:
    """A workbook that was refused, with words of the sentence that says what to do."""

    why: str


PLAIN = Read(new=3, skipped=1, left_out={"total": 1})
ID, PHONE, COUNTY = "身份证号码", "联系电话", "所在县"
NOT_A_WORKBOOK = Refused("not an Excel workbook")
DAMAGED = Refused("damaged")
PASSWORD = Refused("password")
REASONS_OF_IDS = [
    "last character", "15 digits", "has 17", "has 19", "partly hidden", "stands “O”", "province", "province",
    "day of birth", "year of birth", "stored as a number", "stored as a number", "has 9", "has 1",
]  # fmt: skip
REASONS_OF_PHONES = [
    "landline", "landline", "has 10", "has 12", "partly hidden", "abroad", "stored as a number", "two numbers",
    "not a phone number", "landline",
]  # fmt: skip

REASONS_OF_DATES = [
    "two digits", "two digits", "two different days", "day of the month", "year is missing", "a number, not a day",
    "no such day", "not a day", "says otherwise",
]  # fmt: skip

EXPECTED: dict[str, Read | Refused] = {
    # Formats
    "xlsx-of-excel.xlsx": PLAIN,
    "xlsx-of-openpyxl.xlsx": PLAIN,
    "xlsx-of-libreoffice.xlsx": PLAIN,
    "xlsx-of-wps.xlsx": PLAIN,
    "xlsx-strict.xlsx": PLAIN,
    "xlsx-with-inline-texts.xlsx": PLAIN,
    "xlsx-with-prefixes.xlsx": Read(new=2),
    "xlsx-called-xls.xls": PLAIN,
    "xlsx-called-csv.csv": PLAIN,
    "xlsx-without-a-suffix": PLAIN,
    "xls-of-excel-97.xls": PLAIN,
    "xls-called-xlsx.xlsx": PLAIN,
    "ods-of-libreoffice.ods": PLAIN,
    "ods-by-hand.ods": PLAIN,
    "ods-with-repeated-cells.ods": PLAIN,
    "csv-utf-8.csv": PLAIN,
    "csv-utf-8-with-mark.csv": PLAIN,
    "csv-gbk.csv": PLAIN,
    "csv-gb18030.csv": Read(new=2),
    "csv-utf-16.csv": PLAIN,
    "csv-utf-16-big-endian.csv": PLAIN,
    "csv-utf-16-without-mark.csv": PLAIN,
    "csv-semicolons.csv": PLAIN,
    "csv-tabs.txt": PLAIN,
    "csv-names-its-separator.csv": PLAIN,
    "csv-called-xls.xls": PLAIN,
    "csv-with-breaks-in-cells.csv": Read(new=2),
    "csv-with-numbers-as-formulas.csv": Read(new=1),
    "csv-with-a-quote-left-open.csv": Refused("CSV file cannot be read"),
    "web-page.xls": PLAIN,
    "web-page-gbk.xls": PLAIN,
    "web-page-merged.xls": Read(new=3, taken={"township": 1}, townships=("大河家镇", "大河家镇", "")),
    "web-page-bound.xls": Refused("web page"),
    "xml-of-excel-2003.xls": PLAIN,
    # What cannot be read
    "refused-pdf.xlsx": NOT_A_WORKBOOK,
    "refused-photo.xlsx": NOT_A_WORKBOOK,
    "refused-letter.docx": NOT_A_WORKBOOK,
    "refused-text.csv": NOT_A_WORKBOOK,
    "refused-nothing.csv": Refused("empty"),
    "refused-nothing.xlsx": Refused("empty"),
    "refused-empty-sheet.xlsx": Refused("empty"),
    "refused-cut-off.xlsx": DAMAGED,
    "refused-cut-off.xls": DAMAGED,
    "refused-password.xlsx": PASSWORD,
    "refused-password.xls": PASSWORD,
    "refused-password.ods": PASSWORD,
    "refused-excel-4.xls": Refused("very old Excel"),
    "refused-no-header.xlsx": Refused("No row with headers"),
    "refused-no-id-column.xlsx": Refused("身份证号 is missing in row 1"),
    "refused-only-a-header.xlsx": Refused("header in row 2 but nobody"),
    "refused-only-totals.xlsx": Refused("header in row 1 but nobody"),
    "refused-far-corner.xlsx": Refused("far to the right"),
    "refused-far-columns.xlsx": Refused("far to the right"),
    "refused-columns-beyond-excel.xlsx": Refused("unpacks to too much"),
    "refused-entities.xlsx": NOT_A_WORKBOOK,
    "refused-entities-in-the-workbook.xlsx": NOT_A_WORKBOOK,
    "refused-entities.ods": NOT_A_WORKBOOK,
    "refused-entities.xls": NOT_A_WORKBOOK,
    # Sheets made by hand
    "three-rows-above.xlsx": Read(new=2),
    "header-in-two-rows.xlsx": Read(new=2, unused=("F 联系方式 微信",)),
    "header-in-two-rows.csv": Read(new=2, unused=("F 联系方式 微信",)),
    "header-in-two-rows.xls": Read(new=2, unused=("F 联系方式 微信",)),
    "header-again.xlsx": Read(new=5, skipped=3, left_out={"header": 2, "heading": 1}),
    "letters-below-the-header.xlsx": Read(new=2, skipped=1, left_out={"letters": 1}),
    "stems-below-the-header.xlsx": Read(new=2, skipped=1, left_out={"letters": 1}),
    "column-numbers-below-the-header.xls": Read(new=2, skipped=1, left_out={"letters": 1}),
    "totals-between.xlsx": Read(new=4, skipped=3, left_out={"total": 3}),
    "totals-by-township.xlsx": Read(new=2, skipped=3, left_out={"total": 3}),
    "headings-between.xlsx": Read(new=3, skipped=2, left_out={"heading": 2}),
    "signatures-below.xlsx": Read(new=3, skipped=5, left_out={"total": 1, "note": 4}),
    "blank-rows-between.xlsx": Read(new=3, skipped=1, left_out={"nobody": 1}),
    "blank-first-columns.xlsx": Read(new=2),
    "rows-numbered-beforehand.xlsx": Read(new=2, skipped=7, left_out={"nobody": 5, "serial": 2}),
    "only-formatted-to-the-end.xlsx": Read(new=2),
    "several-sheets.xlsx": Read(new=3, skipped=1, sheet="名单"),
    "several-sheets.ods": Read(new=3, skipped=1, sheet="名单"),
    "a-hidden-sheet.xlsx": Read(new=3, skipped=1, sheet="名单"),
    "synonyms.xlsx": Read(new=2),
    "synonyms-again.xlsx": Read(new=2),
    "two-telephones.xlsx": Read(new=1, unused=("C 联系电话",)),
    "columns-not-used.xlsx": Read(new=2, unused=("K 民族", "L 抖音号", "M 抖音粉丝数", "N")),
    "two-platforms-under-one-header.xlsx": Read(new=1, unused=("D 抖音 账号", "E 抖音 粉丝数", "G 快手 粉丝数")),
    "full-width.xlsx": Read(new=1),
    "line-breaks-in-cells.xlsx": Read(new=1),
    "ditto.xlsx": Read(
        new=2, wrong=((4, PHONE, "not a phone number"),), taken={"county": 1, "township": 1, "education": 1}
    ),
    "formulas.xlsx": Read(new=2, skipped=1, wrong=((4, COUNTY, "No county is called “#N/A”"),)),
    "several-fonts-in-a-cell.xlsx": PLAIN,
    "places-merged.xlsx": Read(
        new=5,
        is_for_prefecture=True,
        taken={"county": 3, "township": 2},
        townships=("吹麻滩镇", "吹麻滩镇", "居集镇", "锁南镇", "锁南镇"),
    ),
    "places-merged.xls": Read(
        new=5,
        is_for_prefecture=True,
        taken={"county": 3, "township": 2},
        townships=("吹麻滩镇", "吹麻滩镇", "居集镇", "锁南镇", "锁南镇"),
    ),
    "places-written-once.csv": Read(
        new=5,
        is_for_prefecture=True,
        taken={"county": 3, "township": 2},
        townships=("吹麻滩镇", "吹麻滩镇", "居集镇", "锁南镇", "锁南镇"),
    ),
    "places-written-once.xlsx": Read(
        new=2,
        is_for_prefecture=True,
        wrong=tuple((row, COUNTY, "Write the county") for row in (3, 4, 6)),
    ),
    # What is wrong in cells
    "id-numbers-of-every-style.xlsx": Read(new=9),
    "id-numbers-with-every-mistake.xlsx": Read(
        new=0, wrong=tuple((n, ID, why) for n, why in enumerate(REASONS_OF_IDS, 2))
    ),
    "id-numbers-as-numbers.xlsx": Read(new=1, wrong=((2, ID, "stored as a number"), (3, ID, "15 digits"))),
    "id-numbers-as-numbers.ods": Read(new=1, wrong=((2, ID, "stored as a number"),)),
    "id-numbers-as-numbers.csv": Read(new=1, wrong=((2, ID, "stored as a number"), (3, ID, "stored as a number"))),
    "phones-of-every-style.xlsx": Read(new=6),
    "phones-with-every-mistake.xlsx": Read(
        new=0, wrong=tuple((n, PHONE, why) for n, why in enumerate(REASONS_OF_PHONES, 2))
    ),
    "phones-as-numbers.xlsx": Read(new=2),
    "serials-as-texts.csv": Read(new=2),
    "empty-cells.xlsx": Read(new=1, wrong=((2, "姓名", "empty"), (3, ID, "empty"), (4, PHONE, "empty"))),
    "sex.xlsx": Read(new=1, wrong=((2, "性别", "says otherwise"), (3, "性别", "Write 男 or 女"))),
    "counties-of-every-style.xlsx": Read(new=10, is_for_prefecture=True),
    "counties-that-are-wrong.xlsx": Read(
        new=1,
        wrong=(
            (2, COUNTY, "No county is called"),
            (3, COUNTY, "not in"),
            (4, COUNTY, "no county with the code"),
            (5, COUNTY, "different places"),
        ),
    ),
    "dates-of-every-style.xlsx": Read(new=9),
    "dates-with-every-mistake.xlsx": Read(
        new=0, wrong=tuple((n, "出生日期", why) for n, why in enumerate(REASONS_OF_DATES, 2))
    ),
    "dates-counted-from-1904.xlsx": Read(new=2),
    "dates.xls": Read(new=2),
    "dates.ods": Read(new=2),
    "id-number-that-may-be-rounded.csv": Read(new=1, noted=((2, ID, "ends like one"),)),
    "too-old.xlsx": Read(new=2, noted=((2, ID, "16 to 35"),)),
    "twice-in-the-file.xlsx": Read(new=2, wrong=((4, ID, "same as in row 2"), (5, "快手号", "same as in row 3"))),
    "known-already.xlsx": Read(new=1, matched=3),
    "somebody-of-another-county.xlsx": Read(new=1, wrong=((2, ID, "takes part elsewhere already"),)),
    "everything-at-once.xlsx": Read(
        new=2,
        matched=1,
        skipped=6,
        wrong=((13, ID, "last character"), (15, "联系方式 手机", "landline")),
        taken={"county": 1, "township": 1},
        left_out={"letters": 1, "total": 2, "header": 2, "note": 1},
        unused=("F 联系方式 微信", "L 备注"),
    ),
}


@pytest.fixture
def places(db):
    region("620000", "甘肃省", level="province")
    region("622900", "临夏回族自治州", level="prefecture")
    here = region("622927", "积石山保安族东乡族撒拉族自治县")
    region("622926", "东乡族自治县")
    elsewhere = region("520526", "威宁彝族回族苗族自治县")
    RegionAlias.objects.bulk_create(
        RegionAlias(region=place, name=name) for place, name in ((here, "积石山县"), (elsewhere, "威宁县"))
    )
    return {"here": here, "elsewhere": elsewhere, "prefecture": here.prefecture}


@pytest.fixture
def people(places):
    """Whom the corpus may meet: three people of the county and one of another."""
    there = [(n, places["here"]) for n in KNOWN] + [(ELSEWHERE, places["elsewhere"])]
    return enter_trainees([_as_entered(n, county) for n, county in there], year=2025)


def _as_entered(n, county):
    person = PEOPLE[n]
    return NewTrainee(
        name=person.name,
        county=county,
        sex="male" if person.sex == "男" else "female",
        born_on=date.fromisoformat(f"{person.id_number[6:10]}-{person.id_number[10:12]}-{person.id_number[12:14]}"),
        id_number=person.id_number,
        phone=f"+86{person.phone}",
    )


def check(name, places, *, is_for_prefecture=False):
    """The import of a file of the corpus, checked, in English."""
    place = places["prefecture" if is_for_prefecture else "here"]
    by = official(place.code)
    with override("en"), (FILES / name).open("rb") as file:
        roster = upload_roster(file, cohort=CohortFactory(), region=place, by=by, name=name)
        return check_roster(roster, on=FILLED_ON)


def told(roster, *, is_error):
    found = roster.findings.filter(is_error=is_error).order_by("row", "pk")
    return [(finding.row, finding.column, finding.sentence) for finding in found]


def fits(found, expected):
    return [(row, column) for row, column, _why in found] == [(row, column) for row, column, _why in expected] and all(
        any(words in sentence for words in why.split("|"))
        for (_r, _c, sentence), (_row, _column, why) in zip(found, expected, strict=True)
    )


def test_every_file_of_the_corpus_is_expected_to_become_something():
    assert len(EXPECTED) >= 60
    assert set(EXPECTED) == set(MAKERS) == {path.name for path in FILES.iterdir()}
    assert len(REASONS_OF_IDS) == len(BAD_IDS) and len(REASONS_OF_PHONES) == len(BAD_PHONES)


@pytest.mark.parametrize("name", [name for name in MAKERS if name not in NEEDS_OFFICE])
def test_the_corpus_is_as_its_maker_makes_it(name):
    assert (FILES / name).read_bytes() == MAKERS[name]()


@pytest.mark.parametrize("name", [name for name, expected in EXPECTED.items() if isinstance(expected, Refused)])
def test_a_workbook_that_cannot_be_used_is_refused_with_what_to_do(name, places):
    roster = check(name, places)
    assert (roster.state, EXPECTED[name].why in roster.error) == (ImportState.REFUSED, True), roster.error
    assert not roster.rows.exists() and not Trainee.objects.exists()


@pytest.mark.parametrize("name", [name for name, expected in EXPECTED.items() if isinstance(expected, Read)])
def test_a_workbook_becomes_what_is_in_it(name, places, people):
    expected = EXPECTED[name]
    roster = check(name, places, is_for_prefecture=expected.is_for_prefecture)

    assert roster.error == ""
    found = told(roster, is_error=True)
    assert fits(found, expected.wrong), found
    assert (roster.new_count, roster.matched_count, roster.wrong_count, roster.skipped_count) == expected.counts
    noted = told(roster, is_error=False)
    assert fits(noted, expected.noted) or not expected.noted, noted
    outline = roster.outline
    if expected.left_out is not None:
        assert outline["left_out"] == expected.left_out
    assert sum(outline["left_out"].values()) == roster.skipped_count
    assert outline["taken"] == expected.taken
    unused = [f"{h['letter']} {h['text']}".strip() for h in outline["headers"] if not (h["column"] or h["is_serial"])]
    assert tuple(unused) == expected.unused
    if expected.sheet:
        assert outline["sheet"] == expected.sheet
    if expected.townships:
        assert tuple(townships(roster)) == expected.townships


def townships(roster):
    rows = roster.rows.exclude(status="skipped").order_by("number")
    return [row.township if hasattr(row, "township") else row.plain["township"] for row in rows]


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, expected in EXPECTED.items()
        if isinstance(expected, Read) and not expected.wrong and not expected.is_for_prefecture
    ],
)
def test_what_was_read_without_a_mistake_can_be_written(name, places, people):
    expected = EXPECTED[name]
    roster = check(name, places)
    before = Trainee.objects.count()
    apply_roster(roster, by=roster.uploaded_by, on=FILLED_ON)
    assert Trainee.objects.count() == before + expected.new
