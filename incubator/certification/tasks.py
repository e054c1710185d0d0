"""Celery tasks of this room."""

from celery import shared_task
from django.utils import timezone


@shared_task(name="certification.evaluate_today")
def evaluate_today() -> None:
    from incubator.certification.services import evaluate

    evaluate(on=timezone.localdate())
