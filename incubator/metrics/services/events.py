"""The only writer of events of the platforms, and of what they explain."""

from collections.abc import Callable
from datetime import date, datetime

from incubator.metrics.choices import EventKind
from incubator.metrics.events import EXPLAINED, explained_drops, is_cleaning, is_suspicious, losses_on, usual_days
from incubator.metrics.models import PlatformEvent
from incubator.metrics.services.readings import accept_explained

ROWS_AT_ONCE = 100  # released in one transaction: writers of readings wait for it


def notice_events(
    platform: str, day: date, *, at: datetime, breathe: Callable[[], None] = lambda: None
) -> PlatformEvent | None:
    """Record what the platform did on a day, and take the drops that it explains for facts; None for a usual day.

    Done twice it changes nothing; done again with more accounts read it counts them too. An event stays once it is
    recognised: figures were accepted because of it. ``breathe`` is called between pieces of work.
    """
    key = {"platform": platform, "day": day, "kind": EventKind.CLEANING}
    losses = losses_on(platform, day)
    counts = {"read": losses.read, "hit": losses.hit, "lost": losses.lost}
    event = PlatformEvent.objects.filter(**key).first()
    if event is None and is_suspicious(losses):
        before = [losses_on(platform, earlier) for earlier in usual_days(platform, day)]
        if is_cleaning(losses, before):
            event, _is_new = PlatformEvent.objects.get_or_create(**key, defaults=counts | {"noticed_at": at})
    if event is not None:
        PlatformEvent.objects.filter(pk=event.pk).update(**counts)
    breathe()
    while accept_explained(explained_drops(platform)[:ROWS_AT_ONCE], remark=EXPLAINED, at=at):
        breathe()
    return event
