"""Celery tasks of this room."""

from celery import shared_task
from django.utils import timezone


@shared_task(name="duplicates.find_pairs")
def find_pairs() -> None:
    """Ask about people who look like one; sent twice, it asks nothing new."""
    from incubator.duplicates.services import find_pairs

    find_pairs(at=timezone.now())


@shared_task(name="duplicates.forget_merges")
def forget_merges() -> None:
    """Wipe what was kept for undoing merges whose time is over."""
    from incubator.duplicates.services import forget_merges

    forget_merges(at=timezone.now())
