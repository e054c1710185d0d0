"""Checking the rows of a sheet of figures: each becomes a reading to write, or findings that say what to correct."""

import unicodedata
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from incubator.common.dates import read_date
from incubator.common.errors import RuleBroken
from incubator.common.workbooks import Cell, Row, Table
from incubator.figures.choices import PLATFORMS, Column, RowStatus
from incubator.figures.models import FiguresImport
from incubator.figures.outlook import Outlook
from incubator.figures.queries import Known, accounts_named, held_back, last_readings, readings_on
from incubator.figures.sheet import check_day, own_day, read_followers
from incubator.imports import checking
from incubator.metrics.choices import Platform
from incubator.regions.models import Region


@dataclass(slots=True)
class Figure:
    """What a good row says, as plain values: ISO dates; ``last_…`` is the reading it was compared with, if any."""

    platform: str = Platform.KUAISHOU
    handle: str = ""
    name: str = ""
    day: str = ""
    followers: int | None = None
    last_day: str = ""
    last_followers: int | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.platform, self.handle

    @property
    def on(self) -> date:
        return date.fromisoformat(self.day)


@dataclass(slots=True)
class CheckedRow(checking.CheckedRow):
    """A row with the figure in it, its findings, the account it is about if known, and what will become of it."""

    figure: Figure = field(default_factory=Figure)
    account_id: int | None = None
    fate: str = RowStatus.NEW

    @property
    def status(self) -> str:
        return RowStatus.WRONG if self.is_wrong else self.fate

    def values(self) -> dict[str, Any]:
        return asdict(self.figure)


class FiguresCheck:
    """Checks a table for one import and one importer. A constant number of queries, whatever the number of rows.

    Raises ``RuleBroken`` when nothing says which day the figures are of.
    """

    def __init__(self, figures: FiguresImport, table: Table, *, by: Any, on: date) -> None:
        self._figures = figures
        self._table = table
        self._by = by
        self._on = on
        self._platform = _platform_of_header(table)
        self._day = own_day(table.above) or figures.day
        self._rows: list[CheckedRow] = []

    def rows(self) -> list[CheckedRow]:
        if self._day is None and Column.DAY not in self._table.columns:
            raise RuleBroken(
                _("Nothing says which day the figures are of. Upload the workbook again and choose the day there.")
            )
        self._rows = [self._check_row(row) for row in self._table.rows]
        self._compare_days()
        self._find_repeats()
        match_figures(self._rows, region=self._figures.region, by=self._by, header=self._table.header)
        return self._rows

    # --- One row ---

    def _check_row(self, row: Row) -> CheckedRow:
        checked = CheckedRow(row.number, figure=Figure(platform=self._platform))
        checked.figure.name = "".join(self._table.cell(row, Column.NAME).text.split()).replace("•", "·")[:60]
        self._read(checked, row, Column.PLATFORM, self._take_platform)
        self._read(checked, row, Column.HANDLE, self._take_handle)
        self._read(checked, row, Column.FOLLOWERS, self._take_followers)
        self._read(checked, row, Column.DAY, self._take_day)
        return checked

    def _read(self, checked: CheckedRow, row: Row, column: str, take: Callable[[CheckedRow, Cell], None]) -> None:
        cell = self._table.cell(row, column)
        try:
            take(checked, cell)
        except RuleBroken as refusal:
            checked.note(self._table.header(column), cell.text, str(refusal))

    @staticmethod
    def _take_platform(checked: CheckedRow, cell: Cell) -> None:
        if cell.text:
            checked.figure.platform = PLATFORMS.get(unicodedata.normalize("NFKC", cell.text).upper(), "")
            if checked.figure.platform not in Platform.values:
                checked.figure.platform = ""
                names = "、".join(str(label) for label in Platform.labels)
                raise RuleBroken(
                    _("This platform is not known here. Write one of these: %(names)s.") % {"names": names}
                )

    @staticmethod
    def _take_handle(checked: CheckedRow, cell: Cell) -> None:
        if not cell.text:
            raise RuleBroken(_("This cell is empty. Fill it in."))
        if cell.is_number and not cell.text.isdigit():
            raise RuleBroken(
                _("The account number is stored as a number, so digits are lost. Format the column as text.")
            )
        checked.figure.handle = "".join(unicodedata.normalize("NFKC", cell.text).split())[:60]

    @staticmethod
    def _take_followers(checked: CheckedRow, cell: Cell) -> None:
        checked.figure.followers = read_followers(cell)

    def _take_day(self, checked: CheckedRow, cell: Cell) -> None:
        day = read_date(cell.text) if cell.text else self._day
        if day is None:
            raise RuleBroken(_("This cell is empty. Fill it in."))
        checked.figure.day = check_day(day, on=self._on).isoformat()

    def _compare_days(self) -> None:
        """The sheet's own day went before the one chosen in the form; where they differ somebody should look."""
        chosen = self._figures.day
        if chosen and self._day and chosen != self._day and self._rows:
            sentence = _("The sheet says %(sheet)s and the form said %(form)s. The sheet's day was taken.")
            days = {"sheet": date_format(self._day), "form": date_format(chosen)}
            self._rows[0].note(self._table.header(Column.DAY), "", sentence % days, is_error=False)

    # --- Rows against each other ---

    def _find_repeats(self) -> None:
        first: dict[tuple[str, str, str], int] = {}
        for row in self._rows:
            key = (*row.figure.key, row.figure.day)
            if all(key) and first.setdefault(key, row.number) != row.number:
                sentence = _("Rows %(first)s and %(second)s are the same account and day. Delete one of the two.")
                rows = {"first": first[key], "second": row.number}
                row.note(self._table.header(Column.HANDLE), row.figure.handle, sentence % rows)


def _platform_of_header(table: Table) -> str:
    """A handle column called 抖音号 says which platform it is about."""
    header = table.header(Column.HANDLE)
    named = [platform for word, platform in PLATFORMS.items() if header.strip().startswith(word)]
    return named[0] if named and named[0] in Platform.values else Platform.KUAISHOU


def match_figures(rows: list[CheckedRow], *, region: Region, by: Any, header: Callable[[str], str] = str) -> None:
    """Find each row's account and say what will become of its figure, from what is known at this moment."""
    accounts = accounts_named({row.figure.key for row in rows}, region=region, by=by)
    for row in rows:
        if all(row.figure.key):
            _match_account(row, accounts.get(row.figure.key), region, header)
    _foresee([row for row in rows if not row.is_wrong], header)


def _match_account(row: CheckedRow, known: Known | None, region: Region, header: Callable[[str], str]) -> None:
    """An account of another county and one that nobody entered get the same sentence, so that it tells nothing."""
    if known is None:
        sentence = _(
            "This is not one of your accounts. Compare it with the person's phone; if it is right, "
            "enter the account first."
        )
        row.note(header(Column.HANDLE), row.figure.handle, sentence)
    elif not known.is_here:
        sentence = _("This account's person is not in %(region)s, which this import is for.") % {"region": region}
        row.note(header(Column.HANDLE), row.figure.handle, sentence)
    elif row.figure.name and row.figure.name != known.name:
        sentence = _("The account belongs to %(name)s. Correct the account number or the name.") % {"name": known.name}
        row.note(header(Column.NAME), row.figure.name, sentence)
    else:
        row.account_id = known.pk


def _foresee(rows: list[CheckedRow], header: Callable[[str], str]) -> None:
    """What writing will do with each figure."""
    outlooks = _outlooks(rows)
    for row in sorted(rows, key=lambda row: row.figure.day):
        figure = row.figure
        if row.account_id is None or figure.followers is None:
            continue
        outlook = outlooks[row.account_id]
        figure.last_day = outlook.last_day.isoformat() if outlook.last_day else ""
        figure.last_followers = outlook.last_followers
        row.fate = outlook.take(figure.on, figure.followers)
        if row.fate in NOTES:
            row.note(header(Column.FOLLOWERS), f"{figure.followers:,}", NOTES[row.fate](figure), is_error=False)


def _outlooks(rows: list[CheckedRow]) -> dict[int, Outlook]:
    """What is known of each account, in three queries."""
    accounts = {row.account_id for row in rows if row.account_id}
    last, held = last_readings(accounts), held_back(accounts)
    outlooks = {pk: Outlook(held=held.get(pk, [])) for pk in accounts}
    for pk, (day, followers) in last.items():
        outlooks[pk].last_day, outlooks[pk].last_followers = day, followers
    for (account, day), reading in readings_on(accounts, {row.figure.on for row in rows}).items():
        outlooks[account].there[day] = reading
    return outlooks


def _why_doubtful(figure: Figure) -> str:
    sentence = _(
        "The last reading was %(last)s on %(day)s. This figure will be held back until somebody accepts it or a later "
        "one confirms it."
    )
    return sentence % {
        "last": f"{figure.last_followers:,}",
        "day": date_format(date.fromisoformat(figure.last_day)),
    }


def _why_held(figure: Figure) -> str:
    return _(
        "A figure of this account and day is held back or was rejected already. Decide there; this row is left out."
    )


NOTES: dict[str, Callable[[Figure], str]] = {RowStatus.DOUBTFUL: _why_doubtful, RowStatus.HELD: _why_held}


def figure_from(values: dict[str, Any]) -> Figure:
    return Figure(**values)
