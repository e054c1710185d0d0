"""A year of followers replayed against ways to spend a day's calls: how late is a crossing seen, how old is a figure.

The planner knows what readings tell it and nothing else: the number read last, when, and the growth smoothed over its
own readings by the same formula as in the database. What the accounts truly have is hidden from it.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from incubator.metrics.planning import MAX_GAP, Accounts, choose
from incubator.metrics.reading_sql import MEMORY

SETTLED = 30  # days at the start that are not judged: nobody has been read yet, or only once
Strategy = Callable[["Knowledge", int, int], np.ndarray]


@dataclass
class Truth:
    """How many followers each account really has, day by day. Kinds and their shares are stated in docs/planning.md."""

    count: int
    rng: np.random.Generator
    harshness: float = 1.0
    logs: np.ndarray = field(init=False)
    drift: np.ndarray = field(init=False)
    noise: np.ndarray = field(init=False)
    until: np.ndarray = field(init=False)
    bursts: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        n, rng = self.count, self.rng
        self.logs = np.clip(rng.normal(np.log(1_500), 1.6, n), 0, np.log(3_000_000)).astype(np.float32)
        kind = rng.choice(5, n, p=[0.70, 0.20, 0.06, 0.035, 0.005])  # still, steady, rising, in bursts, viral
        low = np.array([0.0, 0.001, 0.006, 0.0005, 0.0005])[kind]
        high = np.array([0.0006, 0.006, 0.02, 0.002, 0.002])[kind]
        self.drift = (rng.uniform(low, high) * self.harshness).astype(np.float32)
        self.noise = np.array([0.001, 0.003, 0.005, 0.006, 0.006], np.float32)[kind]
        self.until = np.where(kind == 2, rng.integers(40, 200, n), 10_000)  # a rise ends
        chance = np.array([0, 0, 0, 1 / 90, 1 / 240])
        self.bursts = np.minimum(0.2, chance[kind] * self.harshness).astype(np.float32)
        self.push = np.zeros(n, np.float32)

    def next_day(self, day: int) -> np.ndarray:
        """Followers at the end of the next day. A burst adds 10 to 40 per cent, fading by a third a day."""
        begins = np.flatnonzero(self.rng.random(self.count, dtype=np.float32) < self.bursts)
        self.push *= 0.67
        self.push[begins] += self.rng.uniform(0.03, 0.13, len(begins)).astype(np.float32) * self.harshness
        step = np.where(day < self.until, self.drift, 0) + self.push
        step += self.noise * self.rng.standard_normal(self.count, dtype=np.float32)
        self.logs += step
        np.minimum(self.logs, np.float32(18.4), out=self.logs)
        return np.exp(self.logs).astype(np.int64)


@dataclass
class Knowledge:
    """What one way of planning has read so far."""

    count: int
    support_left: np.ndarray
    granted: np.ndarray
    followers: np.ndarray = field(init=False)
    read_on: np.ndarray = field(init=False)
    growth: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.followers = np.full(self.count, -1, np.int64)
        self.read_on = np.full(self.count, -1, np.int32)
        self.growth = np.full(self.count, np.nan, np.float32)

    def take(self, places: np.ndarray, figures: np.ndarray, day: int) -> None:
        """Readings of a day, and growth as ``reading_sql.WRITE`` smooths it."""
        old, gap = self.followers[places], day - self.read_on[places]
        pace = (figures - old) / np.maximum(gap, 1)
        before = self.growth[places]
        smoothed = np.where(np.isnan(before), pace, pace + MEMORY**gap * (before - pace))
        self.growth[places] = np.where(old < 0, np.nan, smoothed)
        self.followers[places], self.read_on[places] = figures, day

    def columns(self, day: int) -> Accounts:
        left = np.where(self.support_left >= 0, self.support_left - day, -1)
        return Accounts(self.followers, day - self.read_on, self.growth, left, self.granted, np.zeros(self.count, bool))


@dataclass
class Outcome:
    """How one way of planning did. Delays and ages in days, calls a day."""

    name: str
    crossings: int
    delay_median: float
    delay_p95: float
    delay_max: int
    within_2_days: float  # share
    oldest: int
    age_mean: float
    calls_a_day: float


def planned(thresholds: Sequence[int]) -> Strategy:
    def strategy(known: Knowledge, budget: int, day: int) -> np.ndarray:
        return choose(known.columns(day), budget, thresholds).places

    return strategy


def round_robin(known: Knowledge, budget: int, day: int) -> np.ndarray:
    start = (day * budget) % known.count
    return np.arange(start, start + min(budget, known.count)) % known.count


def largest_first(known: Knowledge, budget: int, day: int) -> np.ndarray:
    """The unread first, then those with most followers, every day."""
    size = np.where(known.followers < 0, np.iinfo(np.int64).max, known.followers)
    if budget >= known.count:
        return np.arange(known.count)
    return np.argpartition(-size, budget - 1)[:budget]


@dataclass
class Watch:
    """Follows one way of planning through the days and keeps what is judged."""

    name: str
    strategy: Strategy
    known: Knowledge
    thresholds: Sequence[int]
    seen: dict[int, np.ndarray] = field(default_factory=dict)
    oldest: int = 0
    age_sum: float = 0.0
    calls: int = 0

    def __post_init__(self) -> None:
        self.seen = {t: np.full(self.known.count, -1, np.int32) for t in self.thresholds}

    def live(self, day: int, budget: int, true: np.ndarray) -> None:
        places = self.strategy(self.known, budget, day)
        figures = true[places]
        self.known.take(places, figures, day)
        self.calls += len(places)
        for threshold, seen in self.seen.items():
            news = places[(figures >= threshold) & (seen[places] < 0)]
            seen[news] = day
        if day >= SETTLED:
            age = day - self.known.read_on
            self.oldest = max(self.oldest, int(age.max()))
            self.age_sum += float(age.mean())

    def outcome(self, crossed: dict[int, np.ndarray], days: int) -> Outcome:
        """Judged are crossings from SETTLED on; one not seen by the end counts as seen on the day after it."""
        delays = []
        for threshold, on in crossed.items():
            judged = np.flatnonzero((on >= SETTLED) & (on < days - MAX_GAP))
            seen = np.where(self.seen[threshold][judged] < 0, days, self.seen[threshold][judged])
            delays.append(np.maximum(seen - on[judged], 0))
        delay = np.concatenate(delays) if delays else np.zeros(0)
        if not len(delay):
            delay = np.zeros(1)
        return Outcome(
            self.name,
            int(sum(len(d) for d in delays)),
            float(np.median(delay)),
            float(np.percentile(delay, 95)),
            int(delay.max()),
            float((delay <= 2).mean()),
            self.oldest,
            self.age_sum / max(1, days - SETTLED),
            self.calls / days,
        )


def simulate(
    *,
    accounts: int,
    days: int,
    budget: int,
    thresholds: Sequence[int],
    seed: int = 1,
    harshness: float = 1.0,
    names: Sequence[str] = ("planner", "round-robin", "largest-first"),
    say: Callable[[str], None] = lambda line: None,
) -> list[Outcome]:
    """The same growth before each way of planning. ``harshness`` multiplies growth and bursts."""
    rng = np.random.default_rng(seed)
    truth = Truth(accounts, rng, harshness)
    support = np.where(rng.random(accounts) < 0.15, rng.integers(0, max(1, days), accounts), -1)
    granted = rng.random(accounts) < 0.002
    ways = {"planner": planned(thresholds), "round-robin": round_robin, "largest-first": largest_first}
    watches = [Watch(name, ways[name], Knowledge(accounts, support, granted), thresholds) for name in names]
    crossed = {t: np.full(accounts, -1, np.int32) for t in thresholds}
    for day in range(days):
        true = truth.next_day(day)
        for threshold, on in crossed.items():
            on[(true >= threshold) & (on < 0)] = day
        for watch in watches:
            watch.live(day, budget, true)
        if day % 30 == 29:
            say(f"  {day + 1} of {days} days")
    return [watch.outcome(crossed, days) for watch in watches]


def as_rows(outcomes: Sequence[Outcome]) -> list[dict]:
    return [asdict(outcome) for outcome in outcomes]
