"""What is known of the accounts a workbook names: whose they are, what was read of them last and on the days named."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from incubator.metrics.choices import QuarantineState, Source
from incubator.metrics.models import CreatorAccount, LatestReading, QuarantinedReading, Reading
from incubator.regions.models import Region


@dataclass(frozen=True, slots=True)
class Known:
    """An account that the importer may see; ``is_here``: its person's county lies in the import's region."""

    pk: int
    name: str
    is_here: bool


def accounts_named(keys: Collection[tuple[str, str]], *, region: Region, by: Any) -> dict[tuple[str, str], Known]:
    """The accounts of these ``(platform, handle)`` that ``by`` may see; one query. Others are as if there were none."""
    found = CreatorAccount.objects.visible_to(by).filter(handle__in={handle for _platform, handle in keys})
    county = "trainee__county"
    rows = found.values_list(
        "platform", "handle", "pk", "trainee__name", county, f"{county}__prefecture", f"{county}__province"
    )
    return {(platform, handle): Known(pk, name, region.code in places) for platform, handle, pk, name, *places in rows}


def readings_on(accounts: Collection[int], days: Collection[date]) -> dict[tuple[int, date], tuple[int, bool]]:
    """``(followers, is from the platform)`` by account and day, for the readings there are; one query."""
    rows = Reading.objects.filter(account_id__in=accounts, day__in=days)
    return {
        (account, day): (followers, source != Source.FILE)
        for account, day, followers, source in rows.values_list("account_id", "day", "followers", "source")
    }


def last_readings(accounts: Collection[int]) -> dict[int, tuple[date, int]]:
    """``(day, followers)`` of the newest reading by account; one query."""
    rows = LatestReading.objects.filter(account_id__in=accounts)
    return {account: (day, followers) for account, day, followers in rows.values_list("account_id", "day", "followers")}


@dataclass(frozen=True, slots=True)
class Held:
    """A figure that was held back, and the reading it was judged against.

    ``is_open``: nobody has decided yet. ``may_confirm``: a figure from a file may; not what the same file says, nor of
    what the platform told.
    """

    day: date
    followers: int
    last_followers: int
    is_open: bool = True
    may_confirm: bool = False


def held_back(accounts: Collection[int]) -> dict[int, list[Held]]:
    """What is or was held back, by account, in the order of days; one query."""
    found: dict[int, list[Held]] = {}
    for row in QuarantinedReading.objects.with_figure().filter(account_id__in=accounts).order_by("day"):
        is_open, is_from_file = row.state == QuarantineState.OPEN, row.source == Source.FILE
        held = Held(row.day, row.followers, row.last_followers, is_open, is_from_file)  # type: ignore[arg-type]
        found.setdefault(row.account_id, []).append(held)
    return found
