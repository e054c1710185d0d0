"""Learning how wrong forecasts are from what came after earlier days, and testing that on days it has not seen.

Everything is reckoned over a ``Past``: followers of some thousand accounts by day. A day ``t`` of the past is used with
what was known on it: shapes of accounts read on earlier days, and what followed up to ``t`` (split-conformal: the
scores' own quantiles by horizon and group are the range). ``back_test`` does this for day after day and looks whether
what came after ``t`` lay in the range.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from incubator.forecasts.method import (
    BEYOND,
    GROUPS,
    HIGH,
    HORIZONS,
    KINDS,
    LEVELS,
    LOW,
    MIDDLE,
    PACE_DAYS,
    SHORTEST,
    Shapes,
    Table,
    chances,
    day_of,
    shapes_of,
)

LOOKED_BACK = 90  # days of origins that are learned from: people and platforms change
EVERY = 3  # days between origins learned from
TESTED_EVERY = 5  # days between origins tested: comes round to every day of the week
JOINED = 7  # days between two readings that may be joined to tell what lies between
FEWEST_CASES = 100  # of a group; with fewer those of its kind count, then all
FEWEST_ACCOUNTS = 30
SHORTEST_SPAN = 14  # days over which origins must lie, and the horizon's own length


@dataclass
class Past:
    """Followers of accounts by day (accounts × days, NaN for no reading), and what is reckoned of them once."""

    followers: np.ndarray
    _truth: np.ndarray = field(init=False)
    _known: np.ndarray = field(init=False)  # the day whose reading made the truth known
    _shapes: dict[int, tuple[np.ndarray, Shapes]] = field(init=False, default_factory=dict)
    _cases: dict[tuple[int, int], "Cases"] = field(init=False, default_factory=dict)
    _learned: dict[int, "Learned"] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._truth, self._known = _joined(self.followers)

    @property
    def days(self) -> int:
        return self.followers.shape[1]

    def shapes_on(self, day: int) -> tuple[np.ndarray, Shapes]:
        """Places and shapes of the accounts that were read on a day and often enough before."""
        if day not in self._shapes:
            window = np.full((len(self.followers), PACE_DAYS + 1), np.nan)
            first = max(0, day - PACE_DAYS)
            window[:, PACE_DAYS - (day - first) :] = self.followers[:, first : day + 1]
            read = np.flatnonzero(~np.isnan(window[:, -1]))
            shapes = shapes_of(window[read])
            enough = np.flatnonzero(shapes.is_enough)
            self._shapes[day] = read[enough], shapes.at(enough)
        return self._shapes[day]

    def cases(self, day: int, horizon: int) -> "Cases":
        """What became of the accounts of a day, so many days later, where it is known."""
        if (day, horizon) not in self._cases:
            places, shapes = self.shapes_on(day)
            truth, known = self._truth[places, day + horizon], self._known[places, day + horizon]
            told = np.flatnonzero(~np.isnan(truth))
            self._cases[day, horizon] = Cases.of(shapes.at(told), truth[told], known[told], places[told], horizon)
        return self._cases[day, horizon]

    def learned(self, on: int) -> "Learned":
        """What was to be learned on a day (``learn``)."""
        if on not in self._learned:
            self._learned[on] = learn(self, on)
        return self._learned[on]

    def reached(self, places: np.ndarray, day: int, goals: np.ndarray) -> np.ndarray:
        """Days after ``day`` of the first reading at or above each goal, within ``BEYOND`` days; else infinite."""
        ahead = self.followers[places, day + 1 : day + 1 + BEYOND]
        is_there = ahead >= goals[:, None]
        return np.where(is_there.any(axis=1), is_there.argmax(axis=1) + 1.0, np.inf)


def _joined(followers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Followers by day with short gaps joined by lines, and the day of the later reading that each value rests on."""
    known, days = ~np.isnan(followers), np.arange(followers.shape[1])
    before = np.maximum.accumulate(np.where(known, days, -1), axis=1)
    after = np.minimum.accumulate(np.where(known, days, len(days))[:, ::-1], axis=1)[:, ::-1]
    is_joined = (before >= 0) & (after < len(days)) & (after - before <= JOINED)
    left, right = np.where(is_joined, before, 0), np.where(is_joined, after, 0)
    low, high = np.take_along_axis(followers, left, 1), np.take_along_axis(followers, right, 1)
    share = (days - left) / np.maximum(right - left, 1)
    return np.where(is_joined, low + share * (high - low), np.nan), np.where(is_joined, after, -1)


@dataclass(frozen=True, slots=True)
class Cases:
    """Accounts on one day and what became of them; columns of equal length, kept small because there are many."""

    scores: np.ndarray
    groups: np.ndarray
    known: np.ndarray  # the day on which what became of them was known
    places: np.ndarray
    spread: np.ndarray  # of the score, as a share of the followers

    @classmethod
    def of(cls, shapes: Shapes, truth: np.ndarray, known: np.ndarray, places: np.ndarray, horizon: int) -> "Cases":
        spread = shapes.spread(horizon)
        scores = (truth - shapes.followers - shapes.pace * horizon) / spread
        share = spread / np.maximum(shapes.followers, 1)
        return cls(scores, shapes.groups.astype(np.int8), known.astype(np.int16), places, share.astype(np.float32))

    def __len__(self) -> int:
        return len(self.scores)


# --- Learning ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Learned:
    """A table, and what it rests on: cases by horizon and group, first and last origin by horizon (-1 for none)."""

    table: Table
    cases: np.ndarray
    first: np.ndarray
    last: np.ndarray


def learn(past: Past, on: int) -> Learned:
    """What was to be learned on day ``on`` from that day and those before, and nothing later."""
    table = Table.prior()
    cases = np.zeros((len(HORIZONS), GROUPS), int)
    first, last = np.full(len(HORIZONS), -1), np.full(len(HORIZONS), -1)
    for place, horizon in enumerate(HORIZONS):
        days = origins(on, horizon)
        scores, groups, accounts = _known_by(past, on, horizon, days)
        cases[place] = np.bincount(groups, minlength=GROUPS)
        if len(scores) >= FEWEST_CASES:
            first[place], last[place] = days[0], days[-1]
            span = days[-1] - days[0]
            is_long = span >= max(SHORTEST_SPAN, horizon) and accounts >= FEWEST_ACCOUNTS
            table.is_calibrated[place] = is_long
            table.scores[place] = _quantiles(scores, groups, LEVELS if is_long else widened(span / horizon))
    _borrow(table)
    return Learned(table, cases, first, last)


def _quantiles(scores: np.ndarray, groups: np.ndarray, levels: np.ndarray) -> np.ndarray:
    return np.array([np.quantile(_of_group(scores, groups, group), levels) for group in range(GROUPS)])


def _borrow(table: Table) -> None:
    """What a horizon with too little history says of the likely, it borrows from the longest one that has enough; its
    range holds what both say. A few weeks in which many rose at once would else be expected of everybody.
    """
    proven: np.ndarray | None = None
    for place in range(len(HORIZONS)):
        if table.is_calibrated[place].all():
            proven = table.scores[place]
        elif proven is not None:
            own = table.scores[place]
            hull = np.where(LEVELS < MIDDLE, np.minimum(own, proven), np.maximum(own, proven))
            is_inside = (LEVELS > LOW) & (LEVELS < HIGH)
            table.scores[place] = np.where(is_inside, proven, hull)


def origins(on: int, horizon: int) -> list[int]:
    """Days whose followers ``horizon`` days later could be known on day ``on``, the oldest first."""
    first = max(SHORTEST, on - horizon - LOOKED_BACK)
    return [day for day in range(first, on - horizon + 1) if day % EVERY == 0]


def widened(blocks: float) -> np.ndarray:
    """Levels to be used in place of ``LEVELS`` where the origins span so little that they are like one day seen often.

    ``blocks`` is their span in horizons. As in the finite-sample rule of conformal ranges, with stretches of time for
    cases: of n stretches the outermost part 1 / (n + 1) is not seen.
    """
    seen = 1 + blocks
    tail = np.minimum(LEVELS, 1 - LEVELS) * seen / (seen + 1)
    return np.where(LEVELS < MIDDLE, tail, np.where(LEVELS > MIDDLE, 1 - tail, MIDDLE))


def _known_by(past: Past, on: int, horizon: int, days: Sequence[int]) -> tuple[np.ndarray, np.ndarray, int]:
    """Scores and groups of the cases that were known on day ``on``, and of how many accounts they are."""
    found = [(cases, cases.known <= on) for cases in (past.cases(day, horizon) for day in days)]
    if not found:
        return np.zeros(0), np.zeros(0, int), 0
    scores = np.concatenate([cases.scores[known] for cases, known in found])
    groups = np.concatenate([cases.groups[known] for cases, known in found])
    accounts = np.concatenate([cases.places[known] for cases, known in found])
    return scores, groups, len(np.unique(accounts))


def _of_group(scores: np.ndarray, groups: np.ndarray, group: int) -> np.ndarray:
    """Scores of a group; with too few of them those of its kind, however often read; then all."""
    for chosen in (groups == group, groups % KINDS == group % KINDS):
        if np.count_nonzero(chosen) >= FEWEST_CASES:
            return scores[chosen]
    return scores


# --- Testing ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tested:
    """Forecasts made on earlier days beside what came; columns of equal length, one case each."""

    horizon: np.ndarray
    group: np.ndarray
    is_calibrated: np.ndarray
    is_held: np.ndarray  # what came lay in the 80 % range
    error: np.ndarray  # |what came - middle| as a share of the followers on the day of the forecast
    naive_error: np.ndarray  # the same had one gone on with the pace

    def of(self, horizon: int, *, calibrated: bool) -> "Tested":
        return self.at((self.horizon == horizon) & (self.is_calibrated == calibrated))

    def of_calibrated(self) -> "Tested":
        """Those whose range rested on enough history: only they promise anything."""
        return self.at(self.is_calibrated.astype(bool))

    def at(self, places: np.ndarray) -> "Tested":
        return Tested(*(getattr(self, name)[places] for name in self.__slots__))

    @property
    def coverage(self) -> float:
        """The share that was held; NaN of none."""
        return float(self.is_held.mean()) if len(self.is_held) else float("nan")

    def __len__(self) -> int:
        return len(self.is_held)


def back_test(past: Past, *, since: int = 0) -> Tested:
    """Every fifth day from ``since`` on is forecast with what was known on it, and compared with what came."""
    found: list[list[np.ndarray]] = []
    for on in tested_days(past, since):
        learned = past.learned(on)
        for place, horizon in enumerate(HORIZONS):
            if on + horizon >= past.days or learned.first[place] < 0:
                continue
            found.append(_compared(past.cases(on, horizon), learned.table, place))
    columns: list[np.ndarray] = [np.concatenate(column) for column in zip(*found, strict=True)] if found else []
    return Tested(*columns) if columns else Tested(*(np.zeros(0) for _name in Tested.__slots__))


def tested_days(past: Past, since: int = 0) -> Iterator[int]:
    """The days that are forecast: what is learned on them is learned from something, and something came after."""
    yield from range(max(since, SHORTEST + HORIZONS[0]), past.days - HORIZONS[0], TESTED_EVERY)


def _compared(cases: Cases, table: Table, place: int) -> list[np.ndarray]:
    rows = table.scores[place][cases.groups]
    low, middle, high = (rows[:, np.searchsorted(LEVELS, level)] for level in (LOW, MIDDLE, HIGH))
    return [
        np.full(len(cases), HORIZONS[place], np.int8),
        cases.groups,
        table.is_calibrated[place][cases.groups],
        (cases.scores >= low) & (cases.scores <= high),
        (np.abs(cases.scores - middle) * cases.spread).astype(np.float32),
        (np.abs(cases.scores) * cases.spread).astype(np.float32),
    ]


@dataclass(frozen=True, slots=True)
class Dates:
    """Days on which a number was foreseen beside the day on which it was reached, for ranges that say something."""

    is_held: np.ndarray
    days_off: np.ndarray  # of those with an expected day that were reached: later (+) or earlier (-)

    @property
    def coverage(self) -> float:
        return float(self.is_held.mean()) if len(self.is_held) else float("nan")


def back_test_dates(past: Past, edges: Sequence[int], *, since: int = 0) -> Dates:
    """For each account the next of ``edges`` is the number. Ranges that begin beyond 60 days are left out: that they
    hold is nothing to be proud of.
    """
    held, off = [np.zeros(0, bool)], [np.zeros(0)]
    steps = np.array(edges)
    for on in tested_days(past, since):
        if on + BEYOND >= past.days:
            break
        places, shapes = past.shapes_on(on)
        inside = np.flatnonzero(shapes.followers < steps[-1])
        places, shapes = places[inside], shapes.at(inside)
        goals = steps[np.searchsorted(steps, shapes.followers, side="right")]
        found = chances(shapes, goals - shapes.followers, past.learned(on).table)
        first, expected, last = (day_of(found, level) for level in (LOW, MIDDLE, HIGH))
        came = past.reached(places, on, goals)
        says = ~np.isnan(first)
        held.append(((came >= first) & (came <= np.where(np.isnan(last), np.inf, last)))[says])
        dated = says & ~np.isnan(expected) & np.isfinite(came)
        off.append((came - expected)[dated])
    return Dates(np.concatenate(held), np.concatenate(off))
