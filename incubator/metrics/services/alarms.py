"""The only writer of alarms: what is wrong is raised once, kept up to date, and cleared when it is true no more."""

import logging
from datetime import datetime
from functools import partial

from django.db import transaction
from django.utils.translation import override

from incubator.metrics.freshness import Finding, findings, sentence_of
from incubator.metrics.models import Alarm, FreshnessCheck

log = logging.getLogger(__name__)


@transaction.atomic
def check_freshness(*, at: datetime) -> list[Alarm]:
    """Look at everything and leave one open alarm for each kind and platform that is wrong; returns the open ones.

    Done twice it changes nothing; of several at once one goes after the other; one that comes late does nothing.
    """
    if _is_my_turn(at):
        found = findings(at=at)
        for finding in found:
            _raise(finding, at)
        _clear({(finding.kind, finding.platform) for finding in found}, at)
    return list(Alarm.objects.open())


def _is_my_turn(at: datetime) -> bool:
    """Wait for whoever is looking now; False when somebody has looked at a later instant."""
    FreshnessCheck.objects.get_or_create(pk=1, defaults={"checked_at": at})
    check = FreshnessCheck.objects.select_for_update().get(pk=1)
    FreshnessCheck.objects.filter(pk=1, checked_at__lt=at).update(checked_at=at)
    return check.checked_at <= at


def _raise(finding: Finding, at: datetime) -> None:
    alarm, is_new = Alarm.objects.get_or_create(
        kind=finding.kind,
        platform=finding.platform,
        cleared_at=None,
        defaults={"facts": finding.facts, "raised_at": at, "seen_at": at},
    )
    if is_new:
        transaction.on_commit(partial(_tell, finding))
    else:
        Alarm.objects.filter(pk=alarm.pk).update(facts=finding.facts, seen_at=at)


def _clear(still: set[tuple[str, str]], at: datetime) -> None:
    over = [alarm for alarm in Alarm.objects.open() if (alarm.kind, alarm.platform) not in still]
    Alarm.objects.filter(pk__in=[alarm.pk for alarm in over]).update(cleared_at=at)
    for alarm in over:
        transaction.on_commit(partial(log.info, "Alarm over: %s %s", alarm.kind, alarm.platform))


def _tell(finding: Finding) -> None:
    """To the operators' logs, once, in the language of logs."""
    with override("en"):
        log.error("Alarm: %s %s: %s", finding.kind.value, finding.platform, sentence_of(finding))
