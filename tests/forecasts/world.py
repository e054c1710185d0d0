"""People in support with readings, in few statements."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.utils import timezone

from incubator.forecasts.method import GROUPS, HORIZONS, PRIOR
from incubator.forecasts.models import Calibration
from incubator.metrics.models import CreatorAccount, LatestReading, Reading
from incubator.programmes.models import Participation
from tests.factories import SHANGHAI, CreatorAccountFactory, TraineeFactory, graduate_row
from tests.world import trainee_with_login

TODAY = timezone.localdate()


def read(account: CreatorAccount, followers: Sequence[int | None], *, until: date = TODAY) -> None:
    """Readings of the days up to ``until``; None is a day that was not read."""
    first = until - timedelta(days=len(followers) - 1)
    days = [(first + timedelta(days=n), count) for n, count in enumerate(followers) if count is not None]
    rows = [Reading(account=account, day=day, followers=count, fetched_at=_at(day)) for day, count in days]
    Reading.objects.bulk_create(rows)
    if days:
        day, count = days[-1]
        newest = {"day": day, "followers": count, "fetched_at": _at(day), "peak": max(most for _day, most in days)}
        LatestReading.objects.update_or_create(account=account, defaults=newest)


def _at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 2, tzinfo=SHANGHAI)


def supported(
    followers: Sequence[int | None] = (), *, left: int = 90, login: str = "", account: bool = True, **kwargs
) -> Participation:
    """Somebody whose support ends in ``left`` days, today counted, read on the days up to today."""
    trainee = trainee_with_login(login, **kwargs) if login else TraineeFactory(**kwargs)
    participation = graduate_row(TODAY - timedelta(days=200), days=200 + left, trainee=trainee)
    if account:
        read(CreatorAccountFactory(trainee=trainee), followers)
    return participation


def growing(last: int, pace: int, *, days: int = 20) -> list[int]:
    """Followers up to ``last``, ``pace`` more a day."""
    return [last - pace * back for back in range(days - 1, -1, -1)]


def learned(*, on: date = TODAY - timedelta(days=1), width: float = 0.3) -> None:
    """Scores of ``width`` times the prior's, for all kinds of account and horizons, as if history had taught them."""
    scores = [float(score) * width for score in PRIOR]
    Calibration.objects.bulk_create(
        Calibration(fitted_on=on, horizon=horizon, group=group, scores=scores, cases=500, is_calibrated=True, tested=0)
        for horizon in HORIZONS
        for group in range(GROUPS)
    )
