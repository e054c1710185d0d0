"""Celery tasks of this room."""

from celery import shared_task
from django.utils import timezone


@shared_task(name="programmes.keep_support")
def keep_support() -> None:
    """Move the ends of support periods that stand still, and remind of those that are near."""
    from incubator.programmes.reminders import remind_support

    now = timezone.now()
    remind_support(on=timezone.localdate(now), at=now)
