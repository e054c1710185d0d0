"""Who a row is about: found by trainee number, ID number or mobile among those the importer may see."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from incubator.classbooks.choices import Column
from incubator.common.bulk import clean
from incubator.common.errors import RuleBroken
from incubator.common.masking import mask_id_number, mask_name, mask_numbers, mask_phone
from incubator.common.plain_text import narrow, squeeze
from incubator.common.workbooks import Row, Table
from incubator.imports import checking
from trainees.identity import id_number_index, parse_id_number, parse_mobile, phone_index
from trainees.models import Trainee

WHO = (Column.NUMBER, Column.ID_NUMBER, Column.PHONE)  # the surest first
TRAINEE_NUMBER = re.compile(r"T?\d{4}-?\d{1,12}")
MASKS: dict[str, Callable[[str], str]] = {Column.ID_NUMBER: mask_id_number, Column.PHONE: mask_phone}
Key = tuple[str, str]  # column, and the number or the index (as hexadecimal) by which the person is found


@dataclass(slots=True)
class CheckedRow(checking.CheckedRow):
    """A row, whom it is about, and whom that was found to be. ``cell`` is the number as findings repeat it."""

    key: Key = ("", "")
    name: str = ""
    cell: str = ""
    header: str = ""
    participation_id: int | None = None


def require_a_number(table: Table) -> None:
    """Raises ``RuleBroken`` for a sheet in which people are known by their names alone."""
    if not any(column in table.columns for column in WHO):
        raise RuleBroken(
            _("No column says who people are. Add one of these: %(names)s.")
            % {"names": "、".join(column.label for column in WHO)}
        )


def read_who(row: CheckedRow, cells: Row, table: Table) -> None:
    """Take number and name from a row, noting what is wrong with them."""
    row.name = _tidy(table.cell(cells, Column.NAME).text)
    if not row.name:
        row.note(table.header(Column.NAME), "", empty())
    filled = [column for column in WHO if table.cell(cells, column).text]
    column = filled[0] if filled else next(column for column in WHO if column in table.columns)
    row.header = table.header(column)
    text = table.cell(cells, column).text
    row.cell = MASKS[column](squeeze(text)) if column in MASKS else mask_numbers(text)
    try:
        row.key = (str(column), _key(column, text))
    except RuleBroken as refusal:
        row.note(row.header, row.cell, str(refusal))


def empty() -> str:
    return _("This cell is empty. Fill it in.")


def _tidy(name: str) -> str:
    return clean("".join(narrow(name).split())).replace("•", "·").replace("‧", "·")[:60]


def _key(column: str, text: str) -> str:
    if not text:
        raise RuleBroken(empty())
    if column == Column.ID_NUMBER:
        return id_number_index(parse_id_number(text).number).hex()
    if column == Column.PHONE:
        return phone_index(parse_mobile(text)).hex()
    number = squeeze(text).upper()
    if not TRAINEE_NUMBER.fullmatch(number):
        raise RuleBroken(_("This is not a trainee number. Write it like T2026-0000001."))
    return number if number.startswith("T") else f"T{number}"


@dataclass(slots=True)
class Known:
    """Somebody the importer may see."""

    trainee_id: int
    name: str
    county: str
    places: tuple[str | None, ...] = field(default=())


FIELDS = {Column.NUMBER: "number", Column.ID_NUMBER: "id_number_index", Column.PHONE: "phone_index"}


def lookups_of(keys: Iterable[Key], prefix: str = "") -> list[Q]:
    """One question for each kind of number that is used; empty for none."""
    by_column: dict[str, set[str]] = {}
    for column, value in keys:
        if value:
            by_column.setdefault(column, set()).add(value)
    return [
        Q(**{f"{prefix}{FIELDS[Column(c)]}__in": [_stored(c, v) for v in sorted(vs)]}) for c, vs in by_column.items()
    ]


def _stored(column: str, value: str) -> Any:
    return value if column == Column.NUMBER else bytes.fromhex(value)


def people_known(keys: Iterable[Key], *, by: Any) -> dict[Key, list[Known]]:
    """The trainees of these numbers that ``by`` may see: a query for each kind of number. A mobile may be several's."""
    fields = ("pk", "name", "number", "id_number_index", "phone_index", "county__name")
    places = ("county", "county__prefecture", "county__province")
    found: dict[Key, list[Known]] = {}
    seen: set[int] = set()
    for question in lookups_of(keys):
        rows = Trainee.objects.visible_to(by).filter(question).order_by("pk")
        for pk, name, number, id_index, phone, county, *codes in rows.values_list(*fields, *places):
            if pk not in seen:
                seen.add(pk)
                add_keys(found, Known(pk, name, county, tuple(codes)), number, id_index, phone)
    return found


def add_keys(found: dict[Key, list[Known]], person: Known, number: str, id_index: Any, phone: Any) -> None:
    """Let a person be found by all their numbers."""
    for column, value in ((Column.NUMBER, number), (Column.ID_NUMBER, id_index), (Column.PHONE, phone)):
        if value:
            key = (str(column), value if isinstance(value, str) else bytes(value).hex())
            found.setdefault(key, []).append(person)


def choose(row: CheckedRow, people: list[Known]) -> Known | None:
    """Whom of those with its number a row means; notes a name that does not fit. None where nobody fits.

    Nothing more is said of a row without a name: that it has none is noted already.
    """
    if not row.name:
        return None
    fitting = [person for person in people if _tidy(person.name) == row.name]
    if len(fitting) == 1:
        return fitting[0]
    if len(people) == 1:
        sentence = _("The number belongs to %(name)s. Correct the number or the name.") % {"name": people[0].name}
        row.note(row.header, row.cell, sentence)
    else:
        sentence = _("Several people have this number. Write the trainee number instead.")
        row.note(row.header, row.cell, sentence)
    return None


def not_known() -> str:
    """One sentence for whom nobody entered and for whom the importer may not see, so that it tells nothing."""
    return _("Nobody you may see has this number. Compare it with the class's list, or ask head office.")


def shown_name(name: str) -> str:
    """A name of a sheet that could not be told to be somebody's the importer may see."""
    return mask_name(name) if name else "-"
