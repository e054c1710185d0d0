"""What a report shows of each trainee, in order, and what its last row adds up: the workbook and the CSV read this."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from courses.queries import class_hours
from incubator.common.encryption import decrypt
from incubator.common.masking import mask_id_number, mask_phone
from incubator.programmes.choices import ParticipationState
from incubator.regions.choices import Level
from incubator.regions.models import Region
from incubator.reports.queries import TraineeLine

Cell = str | int | Decimal | date | None
TEXT, COUNT, HOURS, DAY = "text", "count", "hours", "day"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the list: heading, width in characters, kind of cell, and the cell of a line (None: unknown).

    ``adds`` is what each line gives to the last row; what nobody knows stays unknown there, unless it ``counts`` lines.
    """

    name: Any
    width: float
    kind: str
    cell: Callable[[TraineeLine], Cell]
    adds: Callable[[TraineeLine], int | None] | None = None
    counts: bool = True


def _plain(line: TraineeLine, column: str) -> str:
    stored = getattr(line, column)
    return decrypt(stored, context=f"trainees_trainee.{column}", row=line.trainee_id) if stored else ""


COUNTY = Column(_("County"), 30, TEXT, lambda line: line.county)
COLUMNS = [
    Column(_("Trainee number"), 14, TEXT, lambda line: line.number),
    Column(_("Name"), 14, TEXT, lambda line: line.name, lambda line: 1),
    Column(_("ID number"), 20, TEXT, lambda line: mask_id_number(_plain(line, "id_number"))),
    Column(_("Phone"), 13, TEXT, lambda line: mask_phone(_plain(line, "phone"))),
    COUNTY,
    Column(_("Township"), 12, TEXT, lambda line: line.township),
    Column(_("State"), 9, TEXT, lambda line: str(ParticipationState(line.state).label)),
    Column(_("Days"), 6, COUNT, lambda line: line.days),
    Column(_("Class hours"), 9, HOURS, lambda line: class_hours(line.minutes), lambda line: line.minutes),
    Column(_("Graduated on"), 11, DAY, lambda line: line.graduated_on, lambda line: int(line.graduated_on is not None)),
    Column(_("Account"), 24, TEXT, lambda line: line.handle or ""),
    Column(
        _("Followers before"), 13, COUNT, lambda line: line.first_followers, lambda line: line.first_followers, False
    ),
    Column(_("Followers"), 13, COUNT, lambda line: line.last_followers, lambda line: line.last_followers, False),
    Column(_("Growth"), 13, COUNT, lambda line: line.growth, lambda line: line.growth, False),
    Column(_("Read on"), 11, DAY, lambda line: line.read_on),
    Column(_("Impressions"), 12, COUNT, lambda line: line.impressions, lambda line: line.impressions),
    Column(_("Certificate"), 17, TEXT, lambda line: line.award or "", lambda line: int(line.award is not None)),
]


def columns_of(region: Region | None) -> list[Column]:
    """The columns of a region's report; in a county's own the county stands in the title."""
    is_county = region is not None and region.level == Level.COUNTY
    return [column for column in COLUMNS if not (is_county and column is COUNTY)]


class Totals:
    """The last row, 合计: sums of what is known."""

    def __init__(self, columns: list[Column]) -> None:
        self._columns = columns
        self._sums: list[int | None] = [0 if column.counts else None for column in columns]

    def add(self, line: TraineeLine) -> None:
        for place, column in enumerate(self._columns):
            value = column.adds(line) if column.adds else None
            if value is not None:
                self._sums[place] = (self._sums[place] or 0) + value

    def cells(self) -> list[Cell]:
        """A cell for each column; an empty text where nothing is added up."""
        return [
            "" if column.adds is None else class_hours(total or 0) if column.kind == HOURS else total
            for column, total in zip(self._columns, self._sums, strict=True)
        ]
