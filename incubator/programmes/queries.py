"""Reading support periods: what was given, what changed since, and whose deadline is near."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from incubator.programmes.choices import ChangeKind, ParticipationState
from incubator.programmes.models import Participation, SupportChange, in_support_q
from incubator.programmes.periods import Pause, Period

SOON_DAYS = 30


def changes_in_force(changes: Iterable[SupportChange]) -> list[SupportChange]:
    """Of all rows of one participation those that count: not taken back, and not about what was taken back."""
    changes = list(changes)
    gone = {change.about_id for change in changes if change.kind == ChangeKind.TAKING_BACK}
    return [
        change
        for change in changes
        if change.kind != ChangeKind.TAKING_BACK and change.pk not in gone and change.about_id not in gone
    ]


def pauses_in(in_force: Iterable[SupportChange]) -> list[tuple[SupportChange, Pause]]:
    """The pauses of one participation, each with the row that began it; one that was ended lasts until then."""
    in_force = list(in_force)
    ended = {change.about_id: change.last_day for change in in_force if change.kind == ChangeKind.RESUMPTION}
    return [(change, _pause(change, ended.get(change.pk))) for change in in_force if change.kind == ChangeKind.PAUSE]


def _pause(change: SupportChange, ended_on: date | None) -> Pause:
    if change.first_day is None or change.last_day is None:
        raise ValueError("a pause without days")  # a constraint keeps them there
    return Pause(change.first_day, ended_on or change.last_day, is_open=change.is_open and ended_on is None)


def period_from(participation: Participation, changes: Iterable[SupportChange]) -> Period | None:
    """The period of a participation, given all its changes; None while none is open."""
    starts_on, ends_on = participation.support_starts_on, participation.support_ends_on
    if starts_on is None or ends_on is None:
        return None
    in_force = changes_in_force(changes)
    extended = sum(change.days or 0 for change in in_force if change.kind == ChangeKind.EXTENSION)
    pauses = tuple(pause for _change, pause in pauses_in(in_force))
    # Nothing has changed yet where the end as given was not noted: then it is the end.
    return Period(starts_on, participation.support_base_ends_on or ends_on, extended, pauses)


def periods_of(participations: Sequence[Participation]) -> dict[int, Period]:
    """Periods by participation, of those that have one; one query for any number."""
    changes: dict[int, list[SupportChange]] = defaultdict(list)
    for change in SupportChange.objects.filter(participation__in=[p.pk for p in participations]).order_by("pk"):
        changes[change.participation_id].append(change)
    found = ((p.pk, period_from(p, changes[p.pk])) for p in participations)
    return {pk: period for pk, period in found if period is not None}


# --- Questions that a list asks ---------------------------------------------------------------------------------------


def supported(rows: QuerySet[Participation], on: date) -> QuerySet[Participation]:
    """Graduates whose period runs or stands still on a day."""
    return rows.filter(in_support_q(on))


def paused(rows: QuerySet[Participation], on: date) -> QuerySet[Participation]:
    return supported(rows, on).filter(Exists(SupportChange.objects.pauses_on(on).filter(participation=OuterRef("pk"))))


def ending_soon(rows: QuerySet[Participation], on: date) -> QuerySet[Participation]:
    """Graduates whose last day is within ``SOON_DAYS`` of a day."""
    return rows.filter(
        state=ParticipationState.GRADUATED, support_ends_on__gte=on, support_ends_on__lte=on + timedelta(days=SOON_DAYS)
    )


def over(rows: QuerySet[Participation], on: date) -> QuerySet[Participation]:
    return rows.filter(support_ends_on__lt=on).exclude(state=ParticipationState.WITHDRAWN)


def story(participation: Participation) -> list[Any]:
    """Everything done to a support period, the newest first, each row with who did it and what it is about."""
    rows = SupportChange.objects.filter(participation=participation).select_related("by", "about")
    return list(rows.order_by("-pk"))
