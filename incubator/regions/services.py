"""The only writers of divisions, aliases and key counties."""

import csv
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext as _

from incubator.common.errors import RuleBroken
from incubator.regions.choices import KeyCountyStatus, Level
from incubator.regions.models import KeyCounty, Region, RegionAlias

DATA = Path(__file__).parent / "data"

# Abbreviations of long ethnic names and names from before a change of status, as rosters still write them.
ALIASES = {
    "622926": ["东乡县"],
    "622927": ["积石山县"],
    "450225": ["融水县"],
    "451031": ["隆林县"],
    "520326": ["务川县"],
    "520526": ["威宁县"],
    "520204": ["水城县"],
    "610981": ["旬阳县"],
    "520581": ["黔西县"],
    "513402": ["会理县"],
    "532302": ["禄丰县"],
}


@transaction.atomic
def load_divisions() -> dict[str, int]:
    """Write the files of ``data/`` into the tables; run again it changes nothing that staff edited since.

    Names, parents and retirements edited by staff stay; only missing rows are added. Returns rows added by kind.
    """
    known = set(Region.objects.values_list("code", flat=True))
    rows = list(_read("divisions.csv"))
    parents = {row["code"]: row["parent_code"] for row in rows}
    levels = {row["code"]: row["level"] for row in rows}
    new = [_region(row, parents, levels) for row in rows if row["code"] not in known]
    Region.objects.bulk_create(new)
    codes = known | set(parents)
    aliases = RegionAlias.objects.bulk_create(
        [RegionAlias(region_id=code, name=name) for code, names in ALIASES.items() if code in codes for name in names]
        if new
        else []
    )
    listed = set(KeyCounty.objects.values_list("region_id", flat=True))
    key = KeyCounty.objects.bulk_create(
        KeyCounty(region_id=row["code"], status=row["status"])
        for row in _read("key_counties_160.csv")
        if row["code"] not in listed and new
    )
    return {"regions": len(new), "aliases": len(aliases), "key_counties": len(key)}


def _read(name: str) -> Iterable[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _region(row: dict[str, str], parents: dict[str, str], levels: dict[str, str]) -> Region:
    path = {}
    code = row["code"]
    while code:
        path[levels[code]] = code
        code = parents[code]
    return Region(
        code=row["code"],
        name=row["name"],
        level=row["level"],
        parent_id=row["parent_code"] or None,
        province_id=path[Level.PROVINCE],
        prefecture_id=path.get(Level.PREFECTURE),
    )


def retire_region(region: Region, *, on: date, replaced_by: Region | None = None) -> Region:
    """Take a code out of use from ``on``; rows that name it stay, and the code is understood as its successor."""
    if region.retired_on:
        raise RuleBroken(_("%(name)s is retired already.") % {"name": region})
    if replaced_by is not None and (replaced_by.code == region.code or replaced_by.retired_on):
        raise RuleBroken(_("Choose a successor that is in use."))
    region.retired_on, region.replaced_by = on, replaced_by
    region.save(update_fields=["retired_on", "replaced_by"])
    return region


def check_key_county(key_county: KeyCounty, *, by: str, on: date) -> KeyCounty:
    """Note that somebody compared the row with the annex of the notice."""
    key_county.status = KeyCountyStatus.CHECKED
    key_county.checked_by, key_county.checked_on = by, on
    key_county.save(update_fields=["status", "checked_by", "checked_on"])
    return key_county
