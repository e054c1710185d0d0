"""Celery tasks of this room."""

from celery import shared_task
from django.utils import timezone


@shared_task(name="metrics.refresh_today")
def refresh_today() -> None:
    """Begin today's refresh of every platform; sent twice, it goes on with the run there is."""
    from incubator.common.errors import RuleBroken
    from incubator.metrics.choices import Platform
    from incubator.metrics.services import start_refresh

    for platform in Platform.values:
        try:
            start_refresh(platform=platform, day=timezone.localdate(), at=timezone.now())
        except RuleBroken:  # finished already
            continue


@shared_task(name="metrics.check_freshness")
def check_freshness() -> None:
    """Raise and clear the alarms about readings."""
    from incubator.metrics.services.alarms import check_freshness

    check_freshness(at=timezone.now())


@shared_task(name="metrics.ensure_partitions")
def ensure_partitions() -> None:
    """Make the months of readings ahead, index closed ones, drop those too old."""
    from incubator.metrics.partitions import ensure_partitions

    ensure_partitions(on=timezone.localdate())


@shared_task(name="metrics.remind_consents")
def remind_consents() -> None:
    """End the consents whose time is over, remind of those that end soon, forget the ways back nobody took."""
    from incubator.metrics import services

    now = timezone.now()
    services.end_consents(at=now)
    services.remind_consents(on=timezone.localdate(now), at=now)
    services.forget_requests(at=now)
