"""Told to the metrics room: whose followers are worth a reading a day because traffic is running, and which leaps it
explains."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.db.models import QuerySet

from incubator.grants.choices import GrantState
from incubator.grants.models import Grant
from incubator.metrics.interests import explains_leaps, under_grant

RUNS_FOR = timedelta(days=30)  # impressions are spent within a month of their approval


@under_grant
def trainees_with_running_grant(day: date) -> Iterable[int]:
    """Ids of trainees whose grant was approved within the last 30 days."""
    return running_on(day).values_list("participation__trainee_id", flat=True)


@explains_leaps
def grants_running(trainee: Any, day: Any) -> QuerySet[Grant]:
    """Grants by which a trainee had traffic on a day."""
    return running_on(day).filter(participation__trainee_id=trainee)


def running_on(day: Any) -> QuerySet[Grant]:
    """Approved on the day or within the 30 days before; a day, or an expression that is one."""
    return Grant.objects.filter(state=GrantState.APPROVED, approved_on__gt=day - RUNS_FOR, approved_on__lte=day)
