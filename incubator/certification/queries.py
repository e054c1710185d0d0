"""Reads of this room: the leaps of followers on a candidate's way to the number."""

from datetime import date, timedelta
from typing import Any

from django.db.models import DateField, Exists, ExpressionWrapper, F, OuterRef, QuerySet
from django.db.models.functions import Least

from incubator.certification.models import Candidate
from incubator.metrics.models import Spike
from incubator.metrics.queries import with_traffic

LOOKED_BACK = timedelta(days=30)  # before the crossing; further where the support period began earlier


def looked_at_since(candidate: Candidate) -> date | None:
    """The first day whose leaps count: the support period's, or 30 days before the crossing if that is earlier.

    None where the rule asks for no number.
    """
    if candidate.crossed_on is None:
        return None
    before = candidate.crossed_on - LOOKED_BACK
    return min(candidate.participation.support_starts_on or before, before)


def leaps_of(candidate: Candidate) -> QuerySet[Any]:
    """Leaps of the account up to the day of the crossing, in order of days; each says whether it ``ran_traffic``."""
    leaps, since = Spike.objects.none(), looked_at_since(candidate)
    if since is not None and candidate.crossed_on is not None:
        leaps = Spike.objects.filter(account=candidate.account_id, day__gte=since, day__lte=candidate.crossed_on)
    return with_traffic(leaps).order_by("day")


def unexplained_leaps(candidate: Candidate) -> QuerySet[Any]:
    """Those of them that no traffic grant explains. Whether new works would is not known: works are not read."""
    return leaps_of(candidate).filter(ran_traffic=False)


def with_flag(candidates: QuerySet[Candidate]) -> QuerySet[Candidate]:
    """Annotate ``is_flagged``: whether there is an unexplained leap; by the same days as ``unexplained_leaps``."""
    before: Any = ExpressionWrapper(F("crossed_on") - LOOKED_BACK, output_field=DateField())
    rows = candidates.annotate(looked_at_since=Least(F("participation__support_starts_on"), before))
    leaps = Spike.objects.filter(
        account=OuterRef("account"), day__gte=OuterRef("looked_at_since"), day__lte=OuterRef("crossed_on")
    )
    return rows.annotate(is_flagged=Exists(with_traffic(leaps).filter(ran_traffic=False)))  # type: ignore[misc]
