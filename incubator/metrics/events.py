"""What a platform did to many accounts on one day, told apart from what happens to people every day.

A platform that removes false followers takes a few per cent from very many accounts at once. The rule, judged over the
accounts that were read on the day and at most ``DAYS_BETWEEN`` days before:

- at least ``FEWEST`` accounts can be compared;
- at least ``SHARE`` of them lost ``FELL`` or more of their followers, but not half: a platform that answers nonsense
  gives nearly everybody far too little, and that is no cleaning;
- that is at least ``TIMES`` what was usual, the median of the last ``USUAL_DAYS`` days without an event. Where fewer
  than ``FEWEST_DAYS`` of them can be judged, nothing is known to be usual and no event is recognised.

A held-back drop is explained by an event between the two readings it lies between, as long as ``LEAST_LEFT`` of the
followers are left: bought followers may be most of an account, but a figure near nothing is more likely an error.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Any

from django.db import connection
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from incubator.metrics.choices import EventKind, Source, Suspicion
from incubator.metrics.models import PlatformEvent, QuarantinedReading
from incubator.metrics.reading_sql import PLAUSIBLE_BELOW

FEWEST = 50  # accounts
FELL = 0.02  # of the followers; planning.WANDER is what a number wanders in a day without any reason
SHARE = 0.2  # of the accounts
TIMES = 3
USUAL_DAYS, FEWEST_DAYS = 14, 3
DAYS_BETWEEN = 3
LEAST_LEFT = 0.1
EXPLAINED = EventKind.CLEANING.value  # the remark of a held-back figure that an event explains

# Held-back drops count like readings: once they are accepted they are readings, and the day must not change by that.
LOSSES = """
WITH told AS (
    SELECT account_id, followers FROM metrics_reading WHERE day = %(day)s AND source = %(api)s
    UNION ALL
    SELECT account_id, followers FROM metrics_quarantinedreading
    WHERE day = %(day)s AND source = %(api)s AND state = 'open' AND why = %(drop)s
        AND followers >= last_followers * %(least_left)s
),
compared AS (
    SELECT told.followers, coalesce(one.followers, two.followers, three.followers) AS had
    FROM told
    JOIN metrics_creatoraccount account ON account.id = told.account_id AND account.platform = %(platform)s
    LEFT JOIN metrics_reading one ON one.day = %(day)s::date - 1 AND one.account_id = told.account_id
    LEFT JOIN metrics_reading two ON two.day = %(day)s::date - 2 AND two.account_id = told.account_id
    LEFT JOIN metrics_reading three ON three.day = %(day)s::date - 3 AND three.account_id = told.account_id
),
judged AS (
    SELECT followers, had, followers <= had * (1 - %(fell)s) AS fell FROM compared WHERE had >= %(floor)s
)
SELECT count(*), count(*) FILTER (WHERE fell), count(*) FILTER (WHERE fell AND followers > had / 2),
    coalesce(sum(had - followers) FILTER (WHERE fell), 0)
FROM judged
"""


@dataclass(frozen=True, slots=True)
class Losses:
    """What accounts lost on a day: how many could be compared, how many fell, how many of them by less than half."""

    read: int
    hit: int
    by_less_than_half: int
    lost: int  # followers

    @property
    def share(self) -> float:
        return self.by_less_than_half / self.read if self.read else 0.0


def losses_on(platform: str, day: date) -> Losses:
    """The losses of a platform's accounts on a day, in one statement."""
    values: dict[str, Any] = {
        "platform": platform,
        "day": day,
        "api": Source.API,
        "drop": Suspicion.DROP,
        "floor": PLAUSIBLE_BELOW,
        "fell": FELL,
        "least_left": LEAST_LEFT,
    }
    with connection.cursor() as cursor:
        cursor.execute(LOSSES, values)
        return Losses(*(int(value) for value in cursor.fetchone()))


def is_suspicious(losses: Losses) -> bool:
    """Whether enough accounts lost enough to ask what is usual."""
    return losses.read >= FEWEST and losses.share >= SHARE


def is_cleaning(losses: Losses, before: Sequence[Losses]) -> bool:
    """Whether the platform removed followers, judged against the days before."""
    usual = [some.share for some in before if some.read >= FEWEST]
    return is_suspicious(losses) and len(usual) >= FEWEST_DAYS and losses.share >= TIMES * median(usual)


def usual_days(platform: str, day: date) -> list[date]:
    """The days before that show what is usual: those without an event."""
    days = [day - timedelta(days=back) for back in range(1, USUAL_DAYS + 1)]
    known = PlatformEvent.objects.filter(platform=platform, day__in=days).values_list("day", flat=True)
    return sorted(set(days) - set(known))


def explained_drops(platform: str) -> QuerySet[QuarantinedReading]:
    """Held-back drops that wait for a decision and that an event of the platform explains."""
    between = PlatformEvent.objects.filter(
        platform=platform, kind=EventKind.CLEANING, day__gt=OuterRef("last_day"), day__lte=OuterRef("day")
    )
    return QuarantinedReading.objects.open().filter(
        Exists(between),
        account__platform=platform,
        why=Suspicion.DROP,
        source=Source.API,
        followers__gte=F("last_followers") * LEAST_LEFT,
    )


# --- For people -------------------------------------------------------------------------------------------------------


def events_since(day: date, **narrow: Any) -> list[PlatformEvent]:
    """Events from a day on, the newest first. That they happened is for everybody; how many they hit is not."""
    return list(PlatformEvent.objects.filter(day__gte=day, **narrow).order_by("-day", "platform"))


def sentence_of_event(event: PlatformEvent) -> str:
    """What happened, so that nobody blames the people for it."""
    return _(
        "On %(day)s %(platform)s removed followers from many accounts at once. What an account lost on that day is "
        "the platform's doing, not the creator's."
    ) % {"day": date_format(event.day, "DATE_FORMAT"), "platform": event.get_platform_display()}
