"""Checking the rows of a roster by themselves: each becomes a person to write, or findings that say what to correct.

Who is known already and who stands there twice is asked of all rows together: see ``matching``.
"""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from incubator.common.bulk import clean
from incubator.common.errors import RuleBroken
from incubator.common.masking import mask_id_number, mask_phone
from incubator.common.workbooks import Cell, Row, Table
from incubator.imports import checking
from incubator.programmes.choices import Weight
from incubator.programmes.models import Cohort
from incubator.regions.choices import Level
from incubator.regions.models import Region
from incubator.regions.queries import RegionFinder
from incubator.rosters.choices import BACKGROUNDS, SEXES, Column
from trainees.choices import Background
from trainees.identity import parse_id_number, parse_mobile

MASKS: dict[str, Callable[[str], str]] = {
    Column.ID_NUMBER: mask_id_number,
    Column.PHONE: mask_phone,
}
OLDEST = 120  # years that anybody lives
COLUMNS = tuple(column.value for column in Column)
EMPTY = Cell()


@dataclass(slots=True)
class Person:
    """What a good row says, as plain values: region code, E.164 phone. ``background`` is empty where it says nothing."""

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
    """A row with the person it describes, its findings, and its cells as they are written, by column."""

    person: Person = field(default_factory=Person)
    cells: Mapping[str, Cell] = field(default_factory=dict)

    @property
    def texts(self) -> dict[str, str]:
        return {column: cell.text for column, cell in self.cells.items() if cell.text}


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
        self._ages: dict[date, int] = {}

    def check(self, number: int, cells: Mapping[str, Cell]) -> CheckedRow:
        """The row of that number; ``cells`` by column."""
        row = CheckedRow(number, cells=cells)
        self._read_plain(row)
        self._read(row, Column.ID_NUMBER, self._take_id_number)
        self._read(row, Column.PHONE, self._take_phone)
        self._read(row, Column.SEX, self._take_sex)
        self._take_county(row)
        self._weigh(row)
        return row

    def _read_plain(self, row: CheckedRow) -> None:
        person, cells = row.person, row.cells
        person.name = clean("".join(_text(cells, Column.NAME).split())).replace("•", "·")[:60]
        if not person.name:
            self._note(row, Column.NAME, "", _("This cell is empty. Fill it in."))
        person.township = clean(_text(cells, Column.TOWNSHIP))[:60]
        person.education = clean(_text(cells, Column.EDUCATION))[:30]
        person.handle = clean(_squeezed(_text(cells, Column.HANDLE)))[:60]
        person.number = clean(_squeezed(_text(cells, Column.NUMBER))).upper()[:20]
        if background := _text(cells, Column.BACKGROUND):
            person.background = BACKGROUNDS.get(background, Background.OTHER.value)

    def _read(self, row: CheckedRow, column: str, take: Callable[[CheckedRow, Cell], None]) -> None:
        cell = row.cells.get(column, EMPTY)
        if not cell.text:
            return
        try:
            take(row, cell)
        except RuleBroken as refusal:
            self._note(row, column, cell.text, str(refusal))

    def _take_id_number(self, row: CheckedRow, cell: Cell) -> None:
        if cell.is_number:
            raise RuleBroken(
                _(
                    "The ID number is stored as a number, so its last digits are lost. "
                    "Format the column as text and type it again from the card."
                )
            )
        found = parse_id_number(cell.text)
        row.person.id_number = found.number
        row.person.born_on = found.born_on
        row.person.sex = found.sex

    @staticmethod
    def _take_phone(row: CheckedRow, cell: Cell) -> None:
        row.person.phone = parse_mobile(cell.text)

    @staticmethod
    def _take_sex(row: CheckedRow, cell: Cell) -> None:
        sex = SEXES.get(cell.text)
        if sex is None:
            raise RuleBroken(_("Write 男 or 女."))
        if row.person.id_number and sex != row.person.sex:
            raise RuleBroken(_("The ID number says otherwise. Correct one of the two."))
        row.person.sex = sex

    # --- The county ---

    def _take_county(self, row: CheckedRow) -> None:
        """The county the row names, which must lie in the import's region; the region itself where none is named."""
        text = _text(row.cells, Column.COUNTY)
        found = self._counties.get(text)
        if found is None:
            found = self._counties[text] = self._find_county(text)
        if isinstance(found, str):
            row.person.county = found
        else:
            self._note(row, Column.COUNTY, text, str(found))

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

    def _weigh(self, row: CheckedRow) -> None:
        cohort, person, empty = self._cohort, row.person, _("This cell is empty. Fill it in.")
        if not _text(row.cells, Column.ID_NUMBER):
            self._note_by(cohort.without_id_number, row, Column.ID_NUMBER, "", empty)
        if not _text(row.cells, Column.PHONE):
            self._note_by(cohort.without_phone, row, Column.PHONE, "", empty)
        if not person.handle:
            self._note_by(cohort.without_account, row, Column.HANDLE, "", empty)
        if person.born_on is not None:
            self._weigh_age(row, person.born_on)

    def _weigh_age(self, row: CheckedRow, born_on: date) -> None:
        age = self._ages.get(born_on)
        if age is None:
            age = self._ages[born_on] = age_on(born_on, self._on)
        if self._cohort.min_age <= age <= self._cohort.max_age:
            return
        value = _text(row.cells, Column.ID_NUMBER)
        if not 0 <= age <= OLDEST:
            self._note(row, Column.ID_NUMBER, value, _("Nobody of this date of birth can take part. Correct it."))
            return
        sentence = _("This person is %(age)s; the cohort is for people of %(least)s to %(most)s.")
        ages = {"age": age, "least": self._cohort.min_age, "most": self._cohort.max_age}
        self._note_by(self._cohort.out_of_age, row, Column.ID_NUMBER, value, sentence % ages)

    def _note_by(self, weight: str, row: CheckedRow, column: str, value: str, sentence: str) -> None:
        if weight != Weight.IGNORE:
            self._note(row, column, value, sentence, is_error=weight == Weight.REFUSE)

    def _note(self, row: CheckedRow, column: str, value: str, sentence: str, *, is_error: bool = True) -> None:
        row.note(self._headers[column], masked(column, clean(value)), sentence, is_error=is_error)


def cells_of(table: Table, row: Row) -> dict[str, Cell]:
    """The row's cells by column, those of columns that the sheet has."""
    return {column: row.cell(place) for column, place in table.columns.items()}


def headers_of(table: Table) -> dict[str, str]:
    """What the sheet calls each column; where it has none, what the template would."""
    return {column: str(table.header(column)) for column in COLUMNS}


def masked(column: str, value: str) -> str:
    """What a finding repeats of a cell: of ID numbers and phones too little to use."""
    return MASKS[column](value) if column in MASKS else value


def age_on(born_on: date, on: date) -> int:
    """Whole years."""
    return on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))


def _text(cells: Mapping[str, Any], column: str) -> str:
    cell = cells.get(column)
    return cell.text if cell is not None else ""


def _squeezed(text: str) -> str:
    return text if text.isascii() and " " not in text else "".join(unicodedata.normalize("NFKC", text).split())
