"""Celery tasks of this room."""

from celery import shared_task
from django.utils import timezone


@shared_task(name="certification.evaluate_today")
def evaluate_today() -> None:
    """The morning's work: doubtful followers are asked about first, so that the evaluation knows of the questions; then
    who narrowly missed a number is noted, and whether every award and everybody without one can be explained.
    """
    from incubator.certification.services import check_awards, evaluate, find_near_misses, raise_flags

    today = timezone.localdate()
    raise_flags(on=today)
    evaluate(on=today)
    find_near_misses(on=today)
    check_awards(on=today)


@shared_task(name="certification.evaluate_changes")
def evaluate_changes_now() -> None:
    """In between: those only for whom something changed since the last evaluation."""
    from incubator.certification.services import evaluate_changes

    evaluate_changes(on=timezone.localdate())
