"""Checking the rows of a roster by themselves: each becomes a person to write, or findings that say what to correct.

Who is known already and who stands there twice is asked of all rows together: see ``matching``.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from django.utils.translation import gettext as _

from incubator.common.bulk import clean
from incubator.common.dates import read_date
from incubator.common.errors import RuleBroken
from incubator.common.masking import mask_id_number, mask_numbers, mask_phone
from incubator.common.plain_text import squeeze
from incubator.common.workbooks import Row, Table
from incubator.imports import checking
from incubator.programmes.choices import Weight
from incubator.programmes.models import Cohort
from incubator.regions.choices import Level
from incubator.regions.models import Region
from incubator.regions.queries import RegionFinder
from incubator.rosters.choices import BACKGROUNDS, SEXES, Column
from incubator.rosters.guide import is_left_from_example
from trainees.choices import Background
from trainees.id_mistakes import rounded
from trainees.identity import may_be_rounded, parse_id_number, parse_mobile

MASKS: dict[str, Callable[[str], str]] = {
    Column.ID_NUMBER: mask_id_number,
    Column.PHONE: mask_phone,
    Column.BORN_ON: lambda text: f"{text[:4]}****",
}
OLDEST = 120  # years that anybody lives
# Plain texts: members of a list of choices take their time, and these are asked for in every row.
COLUMNS = tuple(column.value for column in Column)
NAME = Column.NAME.value
SEX = Column.SEX.value
ID_NUMBER = Column.ID_NUMBER.value
PHONE = Column.PHONE.value
COUNTY = Column.COUNTY.value
TOWNSHIP = Column.TOWNSHIP.value
EDUCATION = Column.EDUCATION.value
BACKGROUND = Column.BACKGROUND.value
HANDLE = Column.HANDLE.value
NUMBER = Column.NUMBER.value
BORN_ON = Column.BORN_ON.value
OTHER = Background.OTHER.value
OTHERS = ("其他", "其它", "无")
DIGITS_KEPT = 15  # of a number, by spreadsheets


@dataclass(slots=True)
class Person:
    """What a good row says, as plain values: region code, E.164 phone; an empty text where it says nothing."""

    name: str = ""
    sex: str = ""
    born_on: date | None = None
    county: str = ""
    township: str = ""
    education: str = ""
    background: str = ""
    id_number: str = ""
    phone: str = ""
    handle: str = ""
    number: str = ""


@dataclass(slots=True)
class CheckedRow(checking.CheckedRow):
    """A row with the person it describes, its findings, and what its cells say, by column."""

    person: Person = field(default_factory=Person)
    texts: Mapping[str, str] = field(default_factory=dict)


class RowCheck:
    """Checks rows one by one, for one region, cohort and day. Asks the database nothing after it is made.

    ``headers`` are what the sheet calls its columns.
    """

    def __init__(self, region: Region, cohort: Cohort, *, headers: Mapping[str, str], on: date) -> None:
        self._region = region
        self._cohort = cohort
        self._headers = headers
        self._on = on
        self._finder = RegionFinder()
        self._counties: dict[str, str | RuleBroken] = {}
        self._of_age: set[date] = set()  # days of birth of which there is nothing to say

    def check(self, number: int, texts: Mapping[str, str], numbers: Collection[str] = ()) -> CheckedRow:
        """The row of that number; ``texts`` by column. ``numbers`` are the columns that hold a number, not a text."""
        row = CheckedRow(number, texts=texts)
        person, say = row.person, texts.get
        self._read_plain(person, row)
        if text := say(ID_NUMBER):
            self._take(row, ID_NUMBER, text, _take_rounded if ID_NUMBER in numbers else _take_id_number)
            if may_be_rounded(person.id_number):
                sentence = _("This ID number ends like one that a spreadsheet has rounded. Compare it with the card.")
                self._note(row, ID_NUMBER, text, sentence, is_error=False)
        else:
            self._weigh_empty(self._cohort.without_id_number, row, ID_NUMBER)
        if text := say(PHONE):
            self._take(row, PHONE, text, _take_phone)
        else:
            self._weigh_empty(self._cohort.without_phone, row, PHONE)
        if text := say(SEX):
            self._take(row, SEX, text, _take_sex)
        if text := say(BORN_ON):
            self._take(row, BORN_ON, text, _take_born_on)
        self._take_county(row, say(COUNTY, ""))
        if person.born_on is not None and person.born_on not in self._of_age:
            self._weigh_age(row, person.born_on)
        return row

    def _read_plain(self, person: Person, row: CheckedRow) -> None:
        say = row.texts.get
        person.name = clean("".join(say(NAME, "").split())).replace("•", "·")[:60]
        if not person.name:
            self._note(row, NAME, "", empty())
        elif is_left_from_example(person.name):
            self._note(row, NAME, person.name, _("This is still the example. Write the person's name."))
        person.township = clean(say(TOWNSHIP, ""))[:60]
        person.education = clean(say(EDUCATION, ""))[:30]
        if number := say(NUMBER):
            person.number = clean(squeeze(number)).upper()[:20]
        person.handle = clean(squeeze(say(HANDLE, "")))[:60]
        if not person.handle:
            self._weigh_empty(self._cohort.without_account, row, HANDLE)
        if background := say(BACKGROUND):
            person.background = BACKGROUNDS.get(background, OTHER)
            if person.background == OTHER and background not in OTHERS:
                names = "、".join(BACKGROUNDS)
                sentence = _("This kind of person is not known, and “other” is taken. Known are: %(names)s.")
                self._note(row, BACKGROUND, background, sentence % {"names": names}, is_error=False)

    def _take(self, row: CheckedRow, column: str, text: str, take: Callable[[Person, str], None]) -> None:
        try:
            take(row.person, text)
        except RuleBroken as refusal:
            self._note(row, column, text, str(refusal))

    # --- The county ---

    def _take_county(self, row: CheckedRow, text: str) -> None:
        """The county the row names, which must lie in the import's region; the region itself where none is named."""
        found = self._counties.get(text)
        if found is None:
            found = self._counties[text] = self._find_county(text)
        if isinstance(found, str):
            row.person.county = found
        else:
            self._note(row, COUNTY, text, str(found))

    def _find_county(self, text: str) -> str | RuleBroken:
        region = self._region
        try:
            if text:
                county = self._finder.find(text, within=region)
            elif region.level == Level.COUNTY:
                county = region
            else:
                raise RuleBroken(_("Write the county; the roster is for several."))
            if region.code not in (county.code, county.prefecture_id, county.province_id):
                raise RuleBroken(_("This county is not in %(region)s, which this roster is for.") % {"region": region})
        except RuleBroken as refusal:
            return refusal
        return county.code

    # --- What the cohort asks for ---

    def _weigh_empty(self, weight: str, row: CheckedRow, column: str) -> None:
        if weight != Weight.IGNORE:
            self._note(row, column, "", empty(), is_error=weight == Weight.REFUSE)

    def _weigh_age(self, row: CheckedRow, born_on: date) -> None:
        age = age_on(born_on, self._on)
        if self._cohort.min_age <= age <= self._cohort.max_age:
            self._of_age.add(born_on)
            return
        value, weight = row.texts.get(ID_NUMBER, ""), self._cohort.out_of_age
        if not 0 <= age <= OLDEST:
            self._note(row, ID_NUMBER, value, _("Nobody of this date of birth can take part. Correct it."))
        elif weight != Weight.IGNORE:
            sentence = _("This person is %(age)s; the cohort is for people of %(least)s to %(most)s.")
            ages = {"age": age, "least": self._cohort.min_age, "most": self._cohort.max_age}
            self._note(row, ID_NUMBER, value, sentence % ages, is_error=weight == Weight.REFUSE)

    def _note(self, row: CheckedRow, column: str, value: str, sentence: str, *, is_error: bool = True) -> None:
        row.note(self._headers[column], masked(column, clean(value)), sentence, is_error=is_error)


# --- What a cell says of a person ---


def _take_id_number(person: Person, text: str) -> None:
    person.id_number, person.born_on, person.sex = parse_id_number(text)


def _take_rounded(person: Person, text: str) -> None:
    """From a cell that holds a number."""
    if len(text) > DIGITS_KEPT:
        raise RuleBroken(rounded())
    _take_id_number(person, text)


def _take_phone(person: Person, text: str) -> None:
    person.phone = parse_mobile(text)


def _take_sex(person: Person, text: str) -> None:
    sex = SEXES.get(text)
    if sex is None:
        raise RuleBroken(_("Write 男 or 女."))
    if person.id_number and sex != person.sex:
        raise RuleBroken(_("The ID number says otherwise. Correct one of the two."))
    person.sex = sex


def _take_born_on(person: Person, text: str) -> None:
    born_on = read_date(text)
    if person.born_on is not None and born_on != person.born_on:
        raise RuleBroken(_("The ID number says otherwise. Correct one of the two."))
    person.born_on = born_on


def texts_of(row: Row, columns: Mapping[str, int]) -> tuple[dict[str, str], list[str]]:
    """What the row's cells say, by column, and the columns that hold a number. ``columns`` says where each stands."""
    values, wide = row.values, len(row.values)
    texts, numbers = {}, []
    for column, place in columns.items():
        if place >= wide:
            continue
        value = values[place]
        if value.__class__ is str:
            texts[column] = value.strip()
        elif value is not None:
            cell = row.cell(place)
            texts[column] = cell.text
            if cell.is_number:
                numbers.append(column)
    return texts, numbers


def empty() -> str:
    return _("This cell is empty. Fill it in.")


def headers_of(table: Table) -> dict[str, str]:
    """What the sheet calls each column; where it has none, what the template would."""
    return {column: mask_numbers(str(table.header(column))) for column in COLUMNS}


def masked(column: str, value: str) -> str:
    """What a finding repeats of a cell: of ID numbers and phones too little to use."""
    return MASKS[column](value) if column in MASKS else value


def age_on(born_on: date, on: date) -> int:
    """Whole years."""
    return on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))
