"""The only writers of forecasts, of what they are reckoned with, and of how they came true."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import compress
from typing import Any

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _

from incubator.common.errors import RuleBroken
from incubator.forecasts.calibrating import (
    Dates,
    Learned,
    Past,
    Tested,
    back_test,
    back_test_dates,
    tested_days,
)
from incubator.forecasts.choices import LOOKED_AT, Band, NoForecast
from incubator.forecasts.goals import Goal, current_goals, held_badges
from incubator.forecasts.history import first_day, readings, sampled_accounts, windows
from incubator.forecasts.method import (
    GROUPS,
    HIGH,
    HORIZONS,
    LOW,
    MIDDLE,
    PACE_DAYS,
    Shapes,
    Table,
    band_places,
    chance_by,
    chances,
    day_of,
    shapes_of,
)
from incubator.forecasts.models import BackTest, Calibration, Forecast
from incubator.forecasts.queries import table_on
from incubator.metrics.models import CreatorAccount, LatestReading
from incubator.metrics.rollups import EDGES
from incubator.programmes.models import Participation

CHUNK = 20_000  # participations forecast together
SAMPLE = 5_000  # accounts learned from
LEARNED_DAYS = 365  # of history that is learned from and tested
RELEARNED_AFTER = 7  # days
ORDER = {band: place for place, band in enumerate(LOOKED_AT)}
BANDS = list(Band.values)

# --- Forecasts --------------------------------------------------------------------------------------------------------

COLUMNS = (
    "participation_id",
    "as_of",
    "account_id",
    "badge_id",
    "goal",
    "read_on",
    "followers",
    "distance",
    "support_ends_on",
    "days_left",
    "needed_per_day",
    "pace",
    "restless",
    '"group"',
    "expected_on",
    "reached_from",
    "reached_until",
    "chance",
    "is_calibrated",
    "band",
    "reason",
    '"order"',
)
STAGE = """
CREATE TEMP TABLE IF NOT EXISTS forecast_staged (LIKE forecasts_forecast) ON COMMIT DELETE ROWS;
ALTER TABLE forecast_staged ALTER COLUMN id DROP NOT NULL;
TRUNCATE forecast_staged
"""
COPY = f"COPY forecast_staged ({', '.join(COLUMNS)}) FROM STDIN"
# What a later night has written is left alone.
WRITE = f"""
INSERT INTO forecasts_forecast AS known ({", ".join(COLUMNS)})
SELECT {", ".join(COLUMNS)} FROM forecast_staged ORDER BY participation_id
ON CONFLICT (participation_id) DO UPDATE
SET ({", ".join(COLUMNS[1:])}) = ROW ({", ".join(f"excluded.{column}" for column in COLUMNS[1:])})
WHERE known.as_of <= excluded.as_of
"""  # noqa: S608 - our own names of columns


def make_forecasts(*, on: date, say: Callable[[int], Any] = lambda done: None) -> int:
    """Write the forecast of everybody in support on a day who does not hold every badge yet, with what was known then.

    Returns how many. Done twice, or late, it leaves the rows of the newest day; forecasts of people who are not
    concerned any more go. ``say`` hears how many participations are done.
    """
    goals, table, last, done, made = current_goals(), table_on(on), 0, 0, 0
    while goals and (people := _people(on, after=last)):
        made += _forecast(people, goals, table, on)
        last, done = people[-1].participation, done + len(people)
        say(done)
    Forecast.objects.filter(as_of__lt=on).delete()
    return made


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in support: ids, the last day of support, and the account that counts: the most followed one."""

    participation: int
    trainee: int
    ends_on: date
    account: int | None


def concerned(on: date) -> QuerySet[Participation]:
    """Participations in support on a day."""
    return Participation.objects.in_support(on)


def _people(on: date, *, after: int) -> list[Person]:
    accounts = CreatorAccount.objects.filter(trainee=OuterRef("trainee")).order_by(
        F("latest__followers").desc(nulls_last=True), "pk"
    )
    found = concerned(on).filter(pk__gt=after).order_by("pk").annotate(account=Subquery(accounts.values("pk")[:1]))
    rows: Any = found.values_list("pk", "trainee_id", "support_ends_on", "account")[:CHUNK]
    return [Person(*row) for row in rows]


def _forecast(people: Sequence[Person], goals: Sequence[Goal], table: Table, on: date) -> int:
    """Reckon and write the forecasts of some people; whoever holds every badge has none."""
    held = held_badges([person.trainee for person in people])
    aims = [next((goal for goal in goals if (person.trainee, goal.badge_id) not in held), None) for person in people]
    aiming = [aim is not None for aim in aims]
    people, aims = list(compress(people, aiming)), list(compress(aims, aiming))
    if people:
        _write(_reckoned(people, [aim for aim in aims if aim], table, on))
    return len(people)


def _reckoned(people: Sequence[Person], goals: Sequence[Goal], table: Table, on: date) -> list[Sequence[Any]]:
    """The columns of ``COLUMNS``, each with a value a person."""
    known = _known(people, on)
    distance = [
        None if n is None else max(0, goal.followers - n) for n, goal in zip(known.followers, goals, strict=True)
    ]
    days_left = [(person.ends_on - on).days + 1 for person in people]
    return [
        [person.participation for person in people],
        [on] * len(people),
        [person.account for person in people],
        [goal.badge_id for goal in goals],
        [goal.followers for goal in goals],
        known.read_on,
        known.followers,
        distance,
        [person.ends_on for person in people],
        days_left,
        [None if far is None else -(-far // days) for far, days in zip(distance, days_left, strict=True)],
        *_foreseen(people, known, distance, table, on),
    ]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of some people's accounts, a value a person. ``shapes`` of those without readings mean nothing."""

    shapes: Shapes
    is_read: np.ndarray  # within the last 14 days
    read_on: list[date | None]
    followers: list[int | None]

    @property
    def is_told(self) -> np.ndarray:
        """Of whom the future may be spoken."""
        return self.is_read & self.shapes.is_enough


def _known(people: Sequence[Person], on: date) -> Known:
    """Readings up to a day; where there are none of a month, the newest there is tells the distance at least."""
    unique, places = np.unique([person.account or 0 for person in people], return_inverse=True)
    cut, age = windows(readings(unique, first=on - timedelta(days=2 * PACE_DAYS), last=on), PACE_DAYS)
    cut, age = cut[places], age[places]
    is_read = (age >= 0) & (age <= PACE_DAYS)
    old = _old_readings([person.account for person, days in zip(people, age.tolist(), strict=True) if days < 0], on)
    newest = [
        (on - timedelta(days=days), int(count)) if days >= 0 else old.get(person.account, (None, None))
        for person, days, count in zip(people, age.tolist(), cut[:, -1].tolist(), strict=True)
    ]
    shapes = shapes_of(np.where(is_read[:, None], cut, np.nan))
    return Known(shapes, is_read, [day for day, _count in newest], [count for _day, count in newest])


def _old_readings(accounts: Sequence[int | None], on: date) -> dict[int | None, tuple[date, int]]:
    found = LatestReading.objects.filter(account__in=[pk for pk in accounts if pk], day__lte=on)
    return {pk: (day, count) for pk, day, count in found.values_list("account_id", "day", "followers")}


def _foreseen(
    people: Sequence[Person], known: Known, distance: Sequence[int | None], table: Table, on: date
) -> list[Sequence[Any]]:
    """The columns from ``pace`` on: of whom nothing may be said they are empty, but for the reason."""
    is_told, count = known.is_told, len(people)
    told, is_there = np.flatnonzero(is_told), np.array([far == 0 for far in distance])
    shapes, needed = known.shapes.at(told), np.array([np.nan if far is None else far for far in distance], float)[told]
    ahead = np.array([(p.ends_on - day).days if day else 0 for p, day in zip(people, known.read_on, strict=True)])[told]
    found = chances(shapes, needed, table)
    chance = np.where(is_there, 1, _spread_out(chance_by(found, ahead), told, count))
    places = band_places(np.nan_to_num(chance), settings.FORECAST_BANDS)
    bands = [BANDS[place] if said else "" for place, said in zip(places, is_told | is_there, strict=True)]
    kinds = _spread_out(shapes.groups, told, count)
    believed = _spread_out(table.believed(shapes.groups, ahead), told, count)
    days = [_spread_out(day_of(found, level), told, count) for level in (MIDDLE, LOW, HIGH)]
    return [
        _or_none(_spread_out(shapes.pace, told, count)),
        _or_none(_spread_out(shapes.restless, told, count)),
        [None if kind is None else int(kind) for kind in _or_none(kinds)],
        *(_dates(np.where(is_there, np.nan, one), known.read_on, on) for one in days),
        _or_none(chance),
        [value == 1 for value in believed.tolist()],
        bands,
        [_reason(*one) for one in zip(people, known.is_read, bands, strict=True)],
        [ORDER[band] for band in bands],
    ]


def _spread_out(values: np.ndarray, places: np.ndarray, count: int) -> np.ndarray:
    """Values at their places among all, NaN elsewhere."""
    found = np.full(count, np.nan)
    found[places] = values
    return found


def _dates(days: np.ndarray, read_on: Sequence[date | None], on: date) -> list[date | None]:
    """Days after the last reading as dates, none before ``on``; None for NaN."""
    return [
        None if ahead != ahead or read is None else max(on, read + timedelta(days=int(ahead)))
        for ahead, read in zip(days.tolist(), read_on, strict=True)
    ]


def _or_none(values: np.ndarray) -> list[float | None]:
    return [None if value != value else value for value in values.tolist()]


def _reason(person: Person, is_read: bool, band: str) -> str:
    if band:
        return ""
    if person.account is None:
        return NoForecast.NO_ACCOUNT
    return NoForecast.TOO_FEW if is_read else NoForecast.NOT_READ


@transaction.atomic
def _write(columns: Sequence[Sequence[Any]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(STAGE)
        with cursor.copy(COPY) as copy:
            copy.write("".join(_line(row) for row in zip(*columns, strict=True)))
        cursor.execute(WRITE)


def _line(row: Sequence[Any]) -> str:
    """A row of COPY's text format: numbers, days and our own words have nothing to escape, and this is far quicker."""
    return "\t".join(["\\N" if value is None else str(value) for value in row]) + "\n"


# --- Learning and testing ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Measured:
    """What was learned up to a day, and how forecasts of the days before came true."""

    on: date
    first: date  # the day that the matrix begins with
    accounts: int
    learned: Learned
    tested: Tested
    dates: Dates
    days_tested: tuple[date, date] | None


def measure(*, on: date, days: int = LEARNED_DAYS, most: int = SAMPLE) -> Measured:
    """Learn from what is stored up to a day and back-test it; writes nothing.

    Raises ``RuleBroken`` where nobody in support has been read in these days.
    """
    first = first_day(not_before=on - timedelta(days=days))
    accounts = sampled_accounts(first=first, last=on, most=most) if first and first <= on else np.zeros(0, np.int64)
    if first is None or not len(accounts):
        raise RuleBroken(_("There are no readings of people in their support period to learn from."))
    past = Past(readings(accounts, first=first, last=on))
    tested = [first + timedelta(days=day) for day in tested_days(past)]
    return Measured(
        on,
        first,
        len(accounts),
        past.learned(past.days - 1),
        back_test(past),
        back_test_dates(past, EDGES),
        (tested[0], tested[-1]) if tested else None,
    )


@transaction.atomic
def keep(measured: Measured) -> None:
    """Write what was measured; the same day again takes the place of what was there."""
    Calibration.objects.bulk_create(
        _calibrations(measured),
        update_conflicts=True,
        unique_fields=["fitted_on", "horizon", "group"],
        update_fields=["scores", "cases", "origins_from", "origins_until", "is_calibrated", "tested", "coverage"],
    )
    BackTest.objects.bulk_create(
        back_tests_of(measured),
        update_conflicts=True,
        unique_fields=["measured_on", "horizon"],
        update_fields=[
            f.name for f in BackTest._meta.concrete_fields if f.name not in ("id", "measured_on", "horizon")
        ],
    )


def _calibrations(measured: Measured) -> list[Calibration]:
    learned, tested = measured.learned, measured.tested.of_calibrated()
    found = []
    for place, horizon in enumerate(HORIZONS):
        first, last = int(learned.first[place]), int(learned.last[place])
        for group in range(GROUPS):
            own = tested.at((tested.horizon == horizon) & (tested.group == group))
            found.append(
                Calibration(
                    fitted_on=measured.on,
                    horizon=horizon,
                    group=group,
                    scores=learned.table.scores[place, group].tolist(),
                    cases=int(learned.cases[place, group]),
                    origins_from=measured.first + timedelta(days=first) if first >= 0 else None,
                    origins_until=measured.first + timedelta(days=last) if last >= 0 else None,
                    is_calibrated=bool(learned.table.is_calibrated[place, group]),
                    tested=len(own),
                    coverage=own.coverage if len(own) else None,
                )
            )
    return found


def back_tests_of(measured: Measured) -> list[BackTest]:
    """What was found, by horizon, not saved; the day of reaching a number comes last."""
    since, until = measured.days_tested or (measured.on, measured.on)
    about = {"measured_on": measured.on, "since": since, "until": until, "accounts": measured.accounts}
    found = [_back_test(measured.tested, horizon, about) for horizon in HORIZONS]
    dates = measured.dates
    error = float(np.median(np.abs(dates.days_off))) if len(dates.days_off) else None
    held = int(dates.is_held.sum())
    return [*found, BackTest(horizon=0, cases=len(dates.is_held), held=held, median_error=error, **about)]


def _back_test(tested: Tested, horizon: int, about: dict[str, Any]) -> BackTest:
    proven, unproven = tested.of(horizon, calibrated=True), tested.of(horizon, calibrated=False)
    has_cases = len(proven) > 0
    return BackTest(
        horizon=horizon,
        cases=len(proven),
        held=int(proven.is_held.sum()),
        median_error=float(np.median(proven.error)) if has_cases else None,
        naive_error=float(np.median(proven.naive_error)) if has_cases else None,
        unproven=len(unproven),
        unproven_held=int(unproven.is_held.sum()),
        **about,
    )


def learn_where_due(*, on: date) -> bool:
    """Learn anew once a week, and every night as long as history is too short for some horizon. Returns whether."""
    newest = Calibration.objects.filter(fitted_on__lte=on).order_by("-fitted_on").first()
    if newest is not None and newest.fitted_on > on - timedelta(days=RELEARNED_AFTER) and _is_whole(newest.fitted_on):
        return False
    if newest is not None and newest.fitted_on == on:
        return False
    try:
        keep(measure(on=on))
    except RuleBroken:  # nobody was read yet
        return False
    return True


def _is_whole(fitted_on: date) -> bool:
    return not Calibration.objects.filter(fitted_on=fitted_on, is_calibrated=False).exists()
