"""Follower histories for the tests of forecasts: the demo's curves, and a generator the method was never fitted to."""

from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np

from incubator.demo.cast import BOUGHT, CROSSERS, NEAR_MISSES
from incubator.demo.clock import DemoClock
from incubator.demo.rosters.make import SAMPLES
from incubator.demo.simulator.curves import Curve, followers_on
from incubator.demo.stage import creator
from incubator.metrics.choices import AccountState

BUILT_ON = date(2026, 11, 27)
PEOPLE = sum(sample.count for sample in SAMPLES)


def demo_history(*, first_key: int = 1, days: int | None = None) -> np.ndarray:
    """Followers by day of the demo county: as many people and the same curves as ``seed_demo`` casts.

    ``first_key`` is the key of the first account, from which the demo takes each creator's curve; with ``days`` the
    same curves are stretched over so many days in place of the demo's 90.
    """
    clock = DemoClock(BUILT_ON)
    since = clock.reading_days[0] if days is None else BUILT_ON - timedelta(days=days - 1)
    stretched = SimpleNamespace(built_on=BUILT_ON, reading_days=[since])
    shown = [since + timedelta(days=n) for n in range((BUILT_ON - since).days + 1)]
    special = _special(PEOPLE)
    rows = []
    for place in range(PEOPLE):
        trainee = SimpleNamespace(name="", sex="female")
        account = SimpleNamespace(pk=first_key + place, handle="x", trainee=trainee, state=AccountState.LINKED)
        curve = Curve.from_json(creator(account, stretched, special.get(place))["curve"])
        rows.append([followers_on(curve, day) for day in shown])
    return np.array(rows, float)


def _special(count: int) -> dict[int, tuple[str, int, int]]:
    """Who crosses, who nearly does and who buys, at the places ``stage.curves`` gives them."""
    step = max(1, count // (len(CROSSERS) + len(NEAR_MISSES) + 1))
    kinds = [("rise", *ends) for ends in CROSSERS] + [("plateau", *ends) for ends in NEAR_MISSES]
    found = {3 + n * step: kind for n, kind in enumerate(kinds)}
    return found | {3 + len(kinds) * step - 1: ("burst", *BOUGHT)}


# How a creator lives for a while: log-growth a day, and days it lasts on average.
REGIMES = {"asleep": (0.0, 60), "slow": (0.0008, 40), "growing": (0.005, 25), "hot": (0.02, 8), "waning": (-0.001, 30)}
NEXT = np.array(  # from a regime (row) to the next, in the order above
    [
        [0.0, 0.6, 0.3, 0.05, 0.05],
        [0.4, 0.0, 0.35, 0.05, 0.2],
        [0.1, 0.4, 0.0, 0.2, 0.3],
        [0.1, 0.4, 0.3, 0.0, 0.2],
        [0.5, 0.4, 0.1, 0.0, 0.0],
    ]
)


def restless_history(seed: int, *, accounts: int = 600, days: int = 260, unread: float = 0.25) -> np.ndarray:
    """Creators who change: regimes that switch, bursts that fade under traffic, growth with heavy tails, a week's
    season, purges that hit a third of all on one day, followers lost for good, and days that were not read (NaN).
    """
    rng = np.random.default_rng(seed)
    growth, lasts = (np.array(column) for column in zip(*REGIMES.values(), strict=True))
    logs = rng.normal(np.log(8_000), 1.4, accounts)
    regime = rng.integers(0, len(REGIMES), accounts)
    loudness = rng.lognormal(np.log(0.0025), 0.6, accounts)
    week = rng.uniform(0, 0.6, accounts)
    boost = np.zeros(accounts)
    purges = set(rng.choice(np.arange(20, days), size=days // 60, replace=False).tolist())
    found = np.empty((accounts, days))
    for day in range(days):
        switching = rng.random(accounts) < 1 / lasts[regime]
        for place in np.flatnonzero(switching):
            regime[place] = rng.choice(len(REGIMES), p=NEXT[regime[place]])
        begins = rng.random(accounts) < 1 / 120
        boost = boost * 0.8 + begins * rng.pareto(2.5, accounts) * 0.01
        season = 1 + week * np.sin(2 * np.pi * (day % 7) / 7)
        noise = loudness * rng.standard_t(3, accounts)
        logs += np.minimum(growth[regime] * season + boost + noise, 0.6)
        if day in purges:
            hit = rng.random(accounts) < 0.35
            logs -= hit * rng.uniform(0.005, 0.04, accounts)
        logs = np.clip(logs, np.log(50), np.log(20_000_000))
        found[:, day] = np.rint(np.exp(logs))
    found[rng.random(found.shape) < unread] = np.nan
    return found
