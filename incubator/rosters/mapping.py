"""What the headers of a region's workbooks mean where nobody could know: told once by a person, remembered after."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from incubator.common.errors import RuleBroken
from incubator.regions.models import Region
from incubator.rosters.choices import Column
from incubator.rosters.models import ColumnMapping, RosterImport


def mapping_of(region: Region) -> dict[str, str]:
    """Column by header, as ``find_table`` wants it."""
    return dict(ColumnMapping.objects.filter(region=region).values_list("header", "column"))


@transaction.atomic
def choose_columns(roster: RosterImport, *, sheet: str, columns: Mapping[str, str | None], by: Any) -> None:
    """Keep which sheet of a roster is read, and what its headers mean in the workbooks of its region from now on.

    ``columns`` are those of the sheet's headers by their keys: a ``Column``, ``""`` for one that is not used, None for
    one that is to be understood by itself again. Raises ``RuleBroken`` for a sheet or header that the workbook has not
    and for two headers of one column. Nothing is read here.
    """
    outline = roster.outline
    if sheet not in outline.get("sheets", []):
        raise RuleBroken(_("Choose one of the sheets of this workbook."))
    if unknown := set(columns) - {header["key"] for header in outline.get("headers", [])}:
        raise RuleBroken(_("The workbook has no column “%(header)s”.") % {"header": min(unknown)})
    _require_one_each(columns)
    roster.sheet = sheet
    roster.save(update_fields=["sheet"])
    forgotten = [header for header, column in columns.items() if column is None]
    ColumnMapping.objects.filter(region=roster.region, header__in=forgotten).delete()
    ColumnMapping.objects.bulk_create(
        [
            ColumnMapping(region=roster.region, header=header, column=column, by=by)
            for header, column in columns.items()
            if column is not None
        ],
        update_conflicts=True,
        unique_fields=["region", "header"],
        update_fields=["column", "by", "at"],
    )


def _require_one_each(columns: Mapping[str, str | None]) -> None:
    chosen = [column for column in columns.values() if column]
    for column in chosen:
        if chosen.count(column) > 1:
            raise RuleBroken(_("Two columns are chosen for “%(name)s”. Choose one.") % {"name": Column(column).label})
