"""Told to the refresh planner: whose followers are worth a reading a day because traffic is running."""

from collections.abc import Iterable
from datetime import date, timedelta

from incubator.grants.choices import GrantState
from incubator.grants.models import Grant
from incubator.metrics.interests import under_grant

RUNS_FOR = timedelta(days=30)  # impressions are spent within a month of their approval


@under_grant
def trainees_with_running_grant(day: date) -> Iterable[int]:
    """Ids of trainees whose grant was approved within the last 30 days."""
    running = Grant.objects.filter(state=GrantState.APPROVED, approved_on__gt=day - RUNS_FOR, approved_on__lte=day)
    return running.values_list("participation__trainee_id", flat=True)
