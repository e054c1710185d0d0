"""How followers will develop, with a range: arithmetic over columns, one value an account. No database, no clock.

An account is described by three numbers taken from its readings of the last 14 days: followers, pace (followers a day)
and restlessness (how far a day strays from the usual). Followers after ``d`` days are

    followers + pace · d + score · spread,    spread = |pace| · d + restlessness · √d + 1

and all that is not known is in the score. How scores were spread in the past, by horizon and by kind of account, is the
``Table``; it is found by ``calibrating``, and so are damping (the middle score of those who grow is below 0) and the
width of the range. None of the three numbers changes when every reading is larger by the same amount but the first:
therefore more followers never make a forecast worse.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

HORIZONS = (7, 14, 30, 60)  # days ahead for which errors are learned
PACE_DAYS = 14
FEWEST_READINGS = 4  # in the last 14 days; of fewer nothing is said
SHORTEST = 7  # days from the first to the last of them
DENSE = 8  # readings in the last 14 days from which an account is known well
CALM = 0.5  # followers: nobody is calmer than that, because followers are whole
LEVELS = np.array([0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98])
LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9  # the 80 % range and its middle
LEAST, MOST = 0.01, 0.99  # what is never excluded, and never certain
# Days on which chances are reckoned; between two of them they are joined by lines.
KNOTS = np.array([*range(1, 15), *range(16, 31, 2), *range(33, 61, 3), 75, 90, 120, 150, 180, 240, 365], dtype=float)
BEYOND = HORIZONS[-1]  # days ahead after which no day is named

# Kinds of account: falling, still, growing, growing strongly, by how the pace stands to the restlessness; those that
# are read seldom come first, those that are read often after them.
STEADY = (-1.0, 1.0, 4.0)
KINDS = len(STEADY) + 1
GROUPS = 2 * KINDS


@dataclass(frozen=True, slots=True)
class Shapes:
    """What is known of accounts on the day of their last reading; columns of equal length."""

    followers: np.ndarray
    pace: np.ndarray  # followers a day
    restless: np.ndarray  # followers by which a day strays, as a standard deviation
    readings: np.ndarray  # in the last 14 days, the last one counted
    days: np.ndarray  # from the first to the last of them

    @property
    def is_enough(self) -> np.ndarray:
        return (self.readings >= FEWEST_READINGS) & (self.days >= SHORTEST)

    @property
    def groups(self) -> np.ndarray:
        """The kind of each account, 0 to ``GROUPS`` - 1; followers have no part in it."""
        steady = self.pace * np.sqrt(PACE_DAYS) / np.maximum(self.restless, CALM)
        return np.digitize(steady, STEADY) + KINDS * (self.readings >= DENSE)

    def spread(self, days: float | np.ndarray) -> np.ndarray:
        """Followers that one of the score stands for, so many days ahead."""
        return np.abs(self.pace) * days + np.maximum(self.restless, CALM) * np.sqrt(days) + 1

    def at(self, places: np.ndarray) -> "Shapes":
        return Shapes(*(getattr(self, name)[places] for name in self.__slots__))


def shapes_of(window: np.ndarray) -> Shapes:
    """From followers by day (accounts × 15 days, NaN for no reading); the last column is the day of the last reading.

    Gaps stay gaps: a step over several days counts as one, divided by its days.
    """
    known, places = ~np.isnan(window), np.arange(window.shape[1])
    first = known.argmax(axis=1)
    days = window.shape[1] - 1 - first
    followers = window[:, -1]
    pace = (followers - np.take_along_axis(window, first[:, None], 1)[:, 0]) / np.maximum(days, 1)
    last = np.maximum.accumulate(np.where(known, places, -1), axis=1)
    before = np.concatenate([np.full((len(window), 1), -1), last[:, :-1]], axis=1)
    is_step = known & (before >= 0)
    gap = np.where(is_step, places - before, 1)
    step = window - np.take_along_axis(window, np.maximum(before, 0), 1)
    usual = _medians(np.where(is_step, step / gap, np.nan))
    strays = np.abs(step - usual[:, None] * gap) / np.sqrt(gap)
    restless = 1.4826 * _medians(np.where(is_step, strays, np.nan))
    return Shapes(followers, pace, np.nan_to_num(restless), known.sum(axis=1), days)


def _medians(rows: np.ndarray) -> np.ndarray:
    """Median of each row without its NaN; NaN for a row of nothing else. Far quicker than ``nanmedian``."""
    ordered = np.sort(rows, axis=1)
    count = (~np.isnan(rows)).sum(axis=1)
    low, high = np.maximum(count - 1, 0) // 2, count // 2
    high = np.minimum(high, rows.shape[1] - 1)
    return (np.take_along_axis(ordered, low[:, None], 1) + np.take_along_axis(ordered, high[:, None], 1))[:, 0] / 2


# --- How scores are spread --------------------------------------------------------------------------------------------

# Before there is any history: rounded from simulated accounts, and wider than those.
PRIOR = np.array([-1.4, -1.1, -0.85, -0.6, -0.4, -0.25, -0.1, 0.0, 0.15, 0.4, 1.0, 1.6, 2.6])


@dataclass(frozen=True, slots=True)
class Table:
    """Scores at ``LEVELS`` by horizon and group (horizons × groups × levels), and which of them may be believed."""

    scores: np.ndarray
    is_calibrated: np.ndarray  # horizons × groups

    @classmethod
    def prior(cls) -> "Table":
        shape = (len(HORIZONS), GROUPS)
        return cls(np.broadcast_to(PRIOR, (*shape, len(PRIOR))).copy(), np.zeros(shape, bool))

    def on(self, days: float) -> np.ndarray:
        """Scores (groups × levels) so many days ahead: between horizons by a line, beyond them as at the nearest."""
        place = int(np.searchsorted(HORIZONS, days))
        if place == 0 or place == len(HORIZONS):
            return self.scores[min(place, len(HORIZONS) - 1)]
        share = (days - HORIZONS[place - 1]) / (HORIZONS[place] - HORIZONS[place - 1])
        return (1 - share) * self.scores[place - 1] + share * self.scores[place]

    def believed(self, groups: np.ndarray, days: np.ndarray) -> np.ndarray:
        """Whether all that is said about the next ``days`` days of an account rests on enough history."""
        so_far = np.logical_and.accumulate(self.is_calibrated, axis=0)
        farthest = np.minimum(np.searchsorted(HORIZONS, days), len(HORIZONS) - 1)
        return so_far[farthest, groups]


def path(shapes: Shapes, table: Table, days: float, level: float) -> np.ndarray:
    """Followers so many days after the last reading that are not exceeded with the chance ``level``; never below 0."""
    scores = np.array([np.interp(level, LEVELS, row) for row in table.on(days)])[shapes.groups]
    return np.maximum(0, shapes.followers + shapes.pace * days + scores * shapes.spread(days))


# --- When the number is reached ---------------------------------------------------------------------------------------


def chances(shapes: Shapes, needed: np.ndarray, table: Table) -> np.ndarray:
    """The chance to have gained ``needed`` followers by each of ``KNOTS`` (accounts × knots).

    It never falls with the days: who is there on one day was there by the next. It is a little too low, because nobody
    is followed between two days, and never 0 or 1 for who is not there yet.
    """
    found, groups = np.empty((len(needed), len(KNOTS))), shapes.groups
    for number, days in enumerate(KNOTS):
        score = (needed - shapes.pace * days) / shapes.spread(days)
        rows = np.round(table.on(days), 9)  # equal, or so far apart that a line can be drawn between them
        for group in np.unique(groups):
            here = groups == group
            below = np.interp(score[here], rows[group], LEVELS, left=LEAST, right=MOST)
            found[here, number] = 1 - below
    found[needed <= 0] = 1
    return np.maximum.accumulate(found, axis=1)


def chance_by(found: np.ndarray, days: np.ndarray) -> np.ndarray:
    """The chance by so many days after the last reading, of ``chances``; days beyond the last knot count as it."""
    knots = np.concatenate([[0], KNOTS])
    start = np.where(found[:, 0] >= 1, 1.0, 0.0)
    whole = np.concatenate([start[:, None], found], axis=1)
    days = np.clip(days, 0, KNOTS[-1])
    right = np.clip(np.searchsorted(knots, days), 1, len(knots) - 1)
    share = (days - knots[right - 1]) / (knots[right] - knots[right - 1])
    lower, upper = (np.take_along_axis(whole, place[:, None], 1)[:, 0] for place in (right - 1, right))
    return lower + share * (upper - lower)


def day_of(found: np.ndarray, level: float) -> np.ndarray:
    """Days after the last reading by which the chance comes to ``level``, rounded up; NaN beyond ``BEYOND`` days."""
    knots = np.concatenate([[0], KNOTS])
    whole = np.concatenate([np.where(found[:, :1] >= 1, 1.0, 0.0), found], axis=1)
    is_there = whole >= level
    right = np.maximum(is_there.argmax(axis=1), 1)
    lower, upper = (np.take_along_axis(whole, place[:, None], 1)[:, 0] for place in (right - 1, right))
    share = np.clip((level - lower) / np.where(upper > lower, upper - lower, 1), 0, 1)
    day = np.ceil(knots[right - 1] + share * (knots[right] - knots[right - 1]) - 1e-9)
    day[whole[:, 0] >= level] = 0
    return np.where(is_there.any(axis=1) & (day <= BEYOND), day, np.nan)


def band_places(chance: np.ndarray, edges: Sequence[float]) -> np.ndarray:
    """0 for at least the first of ``edges`` (falling), 1 for at least the second …, their number for less than all."""
    return sum((chance < edge).astype(np.int8) for edge in edges) + np.zeros(len(chance), np.int8)
