"""Checking the rows of a roster: each becomes a person to write, or findings that say what to correct."""

import unicodedata
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from incubator.common.dates import read_date
from incubator.common.errors import RuleBroken
from incubator.common.masking import mask_id_number, mask_phone
from incubator.common.workbooks import Cell, Row, Table
from incubator.imports import checking
from incubator.metrics.choices import Platform
from incubator.metrics.models import CreatorAccount
from incubator.regions.choices import Level
from incubator.regions.models import Region
from incubator.regions.queries import RegionFinder
from incubator.rosters.choices import BACKGROUNDS, REQUIRED, SEXES, Column, RowStatus
from incubator.rosters.models import RosterImport
from trainees.identity import id_number_index, parse_id_number, parse_mobile
from trainees.models import Trainee

MASKS: dict[str, Callable[[str], str]] = {
    Column.ID_NUMBER: mask_id_number,
    Column.PHONE: mask_phone,
    Column.BORN_ON: lambda text: f"{text[:4]}****",
}


@dataclass(slots=True)
class Person:
    """What a good row says, as plain values: region code, ISO date, E.164 phone."""

    name: str = ""
    sex: str = ""
    born_on: str = ""
    county: str = ""
    township: str = ""
    education: str = ""
    background: str = "other"
    id_number: str = ""
    phone: str = ""
    handle: str = ""


@dataclass(slots=True)
class CheckedRow(checking.CheckedRow):
    """A row with the person it describes, its findings, its status and the trainee it is, if known."""

    person: Person = field(default_factory=Person)
    trainee_id: int | None = None

    @property
    def status(self) -> str:
        if self.is_wrong:
            return RowStatus.WRONG
        return RowStatus.MATCHED if self.trainee_id else RowStatus.NEW

    def values(self) -> dict[str, Any]:
        return asdict(self.person)


class RosterCheck:
    """Checks a table for one import and one importer. A constant number of queries, whatever the number of rows."""

    def __init__(self, roster: RosterImport, table: Table, *, by: Any, on: date) -> None:
        self._roster = roster
        self._table = table
        self._by = by
        self._on = on
        self._finder = RegionFinder()
        self._rows: list[CheckedRow] = []

    def rows(self) -> list[CheckedRow]:
        self._rows = [self._check_row(row) for row in self._table.rows]
        self._find_repeats()
        match_people(self._rows, by=self._by, header=self._table.header)
        return self._rows

    # --- One row ---

    def _check_row(self, row: Row) -> CheckedRow:
        checked = CheckedRow(row.number)
        for column in REQUIRED:
            if not self._table.cell(row, column).text:
                self._note(checked, column, "", _("This cell is empty. Fill it in."))
        self._read_plain(row, checked)
        self._read(checked, row, Column.ID_NUMBER, self._take_id_number)
        self._read(checked, row, Column.PHONE, self._take_phone)
        self._read(checked, row, Column.SEX, self._take_sex)
        self._read(checked, row, Column.BORN_ON, self._take_born_on)
        self._take_county(checked, row)
        return checked

    def _read_plain(self, row: Row, checked: CheckedRow) -> None:
        person = checked.person
        person.name = "".join(self._table.cell(row, Column.NAME).text.split()).replace("•", "·")[:60]
        person.township = self._table.cell(row, Column.TOWNSHIP).text[:60]
        person.education = self._table.cell(row, Column.EDUCATION).text[:30]
        person.background = BACKGROUNDS.get(self._table.cell(row, Column.BACKGROUND).text, "other")
        person.handle = "".join(unicodedata.normalize("NFKC", self._table.cell(row, Column.HANDLE).text).split())[:60]

    def _read(self, checked: CheckedRow, row: Row, column: str, take: Callable[[CheckedRow, Cell], None]) -> None:
        cell = self._table.cell(row, column)
        if not cell.text:
            return
        try:
            take(checked, cell)
        except RuleBroken as refusal:
            self._note(checked, column, cell.text, str(refusal))

    def _take_id_number(self, checked: CheckedRow, cell: Cell) -> None:
        found = parse_id_number(cell.text)
        checked.person.id_number = found.number
        checked.person.born_on = found.born_on.isoformat()
        checked.person.sex = found.sex
        if found.may_be_rounded:
            sentence = _(
                "This ID number ends like one that a spreadsheet rounded. Compare its last digits with the card."
            )
            self._note(checked, Column.ID_NUMBER, cell.text, sentence, is_error=False)
        age = (
            self._on.year
            - found.born_on.year
            - ((self._on.month, self._on.day) < (found.born_on.month, found.born_on.day))
        )
        if age > self._roster.cohort.max_age:
            sentence = _("This person is %(age)s; the cohort is for people of at most %(most)s.")
            self._note(
                checked,
                Column.ID_NUMBER,
                cell.text,
                sentence % {"age": age, "most": self._roster.cohort.max_age},
                is_error=False,
            )

    @staticmethod
    def _take_phone(checked: CheckedRow, cell: Cell) -> None:
        checked.person.phone = parse_mobile(cell.text)

    @staticmethod
    def _take_sex(checked: CheckedRow, cell: Cell) -> None:
        sex = SEXES.get(cell.text)
        if sex is None:
            raise RuleBroken(_("Write 男 or 女."))
        if checked.person.id_number and sex != checked.person.sex:
            raise RuleBroken(_("The ID number says otherwise. Correct one of the two."))
        checked.person.sex = sex

    @staticmethod
    def _take_born_on(checked: CheckedRow, cell: Cell) -> None:
        born_on = read_date(cell.text).isoformat()
        if checked.person.born_on and born_on != checked.person.born_on:
            raise RuleBroken(_("The ID number says otherwise. Correct one of the two."))
        checked.person.born_on = born_on

    def _take_county(self, checked: CheckedRow, row: Row) -> None:
        """The county the row names, which must lie in the import's region; the region itself where none is named."""
        region, text = self._roster.region, self._table.cell(row, Column.COUNTY).text
        try:
            if text:
                county = self._finder.find(text, within=region)
            elif region.level == Level.COUNTY:
                county = region
            else:
                raise RuleBroken(_("Write the county; the roster is for several."))
            if region.code not in (county.code, county.prefecture_id, county.province_id):
                raise RuleBroken(_("This county is not in %(region)s, which this roster is for.") % {"region": region})
            checked.person.county = county.code
        except RuleBroken as refusal:
            self._note(checked, Column.COUNTY, text, str(refusal))

    def _note(self, checked: CheckedRow, column: str, value: str, sentence: str, *, is_error: bool = True) -> None:
        masked = MASKS[column](value) if column in MASKS else value
        checked.note(self._table.header(column), masked, sentence, is_error=is_error)

    # --- Rows against each other ---

    def _find_repeats(self) -> None:
        for column, what in ((Column.ID_NUMBER, "id_number"), (Column.HANDLE, "handle")):
            first: dict[str, int] = {}
            for checked in self._rows:
                value = getattr(checked.person, what)
                if value and first.setdefault(value, checked.number) != checked.number:
                    sentence = _("This is the same as in row %(row)s. Delete one of the two.") % {"row": first[value]}
                    self._note(checked, column, value, sentence)


def match_people(rows: list[CheckedRow], *, by: Any, header: Callable[[str], str] = str) -> None:
    """Find who is known already. Somebody outside the importer's region is a question for the head office, no more."""
    indexes: dict[bytes, list[CheckedRow]] = {}
    for row in rows:
        if row.person.id_number:
            indexes.setdefault(id_number_index(row.person.id_number), []).append(row)
    known = dict(Trainee.objects.filter(id_number_index__in=indexes).values_list("id_number_index", "pk"))
    visible = set(Trainee.objects.visible_to(by).filter(pk__in=known.values()).values_list("pk", flat=True))
    for index, pk in known.items():
        for row in indexes[bytes(index or b"")]:
            if pk in visible:
                row.trainee_id = pk
            else:
                row.note(header(Column.ID_NUMBER), mask_id_number(row.person.id_number), elsewhere())
    _match_accounts(rows, header)


def elsewhere() -> str:
    return _("This person takes part elsewhere already. Ask the programme's head office.")


def _match_accounts(rows: list[CheckedRow], header: Callable[[str], str]) -> None:
    """Accounts that belong to somebody else. A row whose person is not known for sure is not accused of that too."""
    rows = [row for row in rows if row.person.handle and row.person.id_number]
    handles = [row.person.handle for row in rows]
    owners = dict(
        CreatorAccount.objects.filter(platform=Platform.KUAISHOU, handle__in=handles).values_list(
            "handle", "trainee_id"
        )
    )
    for row in rows:
        owner = owners.get(row.person.handle)
        if owner is not None and owner != row.trainee_id:
            sentence = _("This account belongs to another trainee already. Compare it with the person's phone.")
            row.note(header(Column.HANDLE), row.person.handle, sentence)


def person_from(values: dict[str, Any]) -> Person:
    return Person(**values)


def counties_of(people: list[Person]) -> dict[str, Region]:
    """The regions people are entered under, by code; one query."""
    return Region.objects.in_bulk({person.county for person in people})
