"""Celery tasks of this room."""

from celery import shared_task
from django.utils import timezone


@shared_task(name="forecasts.forecast_today")
def forecast_today() -> None:
    """Ask for today's forecasts; sent twice, they are made once more and are the same."""
    from incubator.forecasts.jobs import ask_for_forecasts

    ask_for_forecasts(on=timezone.localdate())
