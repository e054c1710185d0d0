"""Celery tasks of this room."""

from celery import shared_task
from django.utils import timezone


@shared_task(name="certification.evaluate_today")
def evaluate_today() -> None:
    """Ask about doubtful followers first, so that the evaluation knows of the questions."""
    from incubator.certification.services import evaluate, raise_flags

    today = timezone.localdate()
    raise_flags(on=today)
    evaluate(on=today)
