"""Which accounts are read today, when there are ten times more accounts than calls.

Pure functions over columns, one value an account. The nightly plan and ``manage.py simulate_plan`` call the same one.

The day's calls go two ways. A fixed share goes round the whole list, those not read for longest first, so that everyone
is read at least every ``max_gap`` days whatever else happens. The rest goes where a reading could decide something:
followers are taken to wander by a share of their number a day (``WANDER``) around what they gained lately, and an
account is worth a call when within that wandering it may have reached the next threshold since it was read.
Support periods that end soon, running grants, fast growth and figures held back count on top. What the numbers below do
to detection and to calls is measured in docs/planning.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

MAX_GAP = 21  # days within which everyone is read
WANDER = 0.012  # share of the followers by which a number wanders in a day, and as much again ...
RESTLESS = 0.5  # ... as this part of what it gained lately: who grows fast is known less well
FAR = 3.5  # wanderings away from the next threshold beyond which a reading decides nothing
FAST = 0.02  # share of the followers gained a day that is fast
ENDS_SOON = 14  # days left of a support period
WITHIN_REACH = 0.3  # of the largest threshold's lower neighbour: who may still make it before support ends
BONUS_HELD, BONUS_SUPPORT, BONUS_GRANT, BONUS_FAST = 5.0, 4.0, 3.0, 2.0
STEEPEST = 0.3  # share a day; more than that is a leap, and no trend


class Reason(IntEnum):
    """Why an account is read today."""

    NEW = 0  # never read
    THRESHOLD = 1  # may have reached a threshold
    SUPPORT = 2  # in a support period that ends soon
    GRANT = 3  # under a running grant
    FAST = 4  # grows fast
    HELD = 5  # a figure is held back, the next one decides
    DUE = 6  # its turn


@dataclass(frozen=True, slots=True)
class Accounts:
    """Columns of equal length. Unknown followers are -1, unknown growth is NaN, no support period is -1."""

    followers: np.ndarray  # at the last reading
    age: np.ndarray  # days since the last reading; any number where there was none
    growth: np.ndarray  # followers a day, smoothed
    support_left: np.ndarray  # days
    granted: np.ndarray  # bool: under a running grant
    held: np.ndarray  # bool: a figure is held back

    def __len__(self) -> int:
        return len(self.followers)


@dataclass(frozen=True, slots=True)
class Choice:
    """Places in the columns, the most valuable first, and why each."""

    places: np.ndarray
    reasons: np.ndarray

    def counts(self) -> dict[Reason, int]:
        numbers = np.bincount(self.reasons, minlength=len(Reason))
        return {reason: int(numbers[reason]) for reason in Reason}


def choose(accounts: Accounts, budget: int, thresholds: Sequence[int], *, max_gap: int = MAX_GAP) -> Choice:
    """At most ``budget`` accounts. The same columns give the same choice."""
    count = len(accounts)
    # With calls enough for all the most valuable come first all the same: a platform may fail half-way.
    round_trip = 0 if count <= budget else min(budget, -(-count // max(1, max_gap - 1)))
    places, reasons = _valuable(accounts, budget - round_trip, thresholds)
    left = np.ones(count, bool)
    left[places] = False
    turn = _longest_unread(accounts, left, budget - len(places))
    why = np.where(accounts.followers[turn] < 0, Reason.NEW, Reason.DUE)
    return Choice(np.concatenate([places, turn]), np.concatenate([reasons, why]).astype(np.int8))


def _valuable(accounts: Accounts, most: int, thresholds: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Places whose reading could decide something, best first, with the reason of each."""
    worth, reason = value(accounts, thresholds)
    places = np.flatnonzero(worth > 0)
    if len(places) > most:
        places = places[np.argpartition(-worth[places], most - 1)[:most]] if most else places[:0]
    places = places[np.lexsort((places, -worth[places]))]
    return places, reason[places]


def value(accounts: Accounts, thresholds: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """What a reading of each account is worth today (0: nothing but its turn), and the main reason."""
    followers = np.maximum(accounts.followers, 1).astype(np.float64)
    drift = np.clip(np.nan_to_num(accounts.growth) / followers, -STEEPEST, STEEPEST)
    near = FAR - _wanderings_to_next(followers, drift, accounts.age, thresholds)
    goal = sorted(thresholds)[max(0, len(thresholds) - 2)] if thresholds else 0
    ends = (accounts.support_left >= 0) & (accounts.support_left <= ENDS_SOON) & (followers >= WITHIN_REACH * goal)
    fast = (drift >= FAST) & (followers >= WITHIN_REACH * min(thresholds, default=0))
    worth = np.maximum(near, 0) + BONUS_HELD * accounts.held + BONUS_SUPPORT * ends
    worth += BONUS_GRANT * accounts.granted + BONUS_FAST * fast
    worth += np.where((near > 0) & (accounts.support_left >= 0), 1.0, 0.0)
    reason = np.select(
        [accounts.held, near > 0, ends, accounts.granted, fast],
        [Reason.HELD, Reason.THRESHOLD, Reason.SUPPORT, Reason.GRANT, Reason.FAST],
        Reason.DUE,
    )
    worth[accounts.followers < 0] = 0
    return worth, reason


def _wanderings_to_next(
    followers: np.ndarray, drift: np.ndarray, age: np.ndarray, thresholds: Sequence[int]
) -> np.ndarray:
    """How many times the usual wandering the account is away from the next threshold; less than 0: expected beyond."""
    edges = np.array([*sorted(thresholds), np.inf])
    ahead = edges[np.searchsorted(edges, followers, side="right")]
    days = np.maximum(age, 1)
    wander = (WANDER + RESTLESS * np.abs(drift)) * np.sqrt(days)
    return (np.log(ahead / followers) - drift * days) / wander


def _longest_unread(accounts: Accounts, left: np.ndarray, most: int) -> np.ndarray:
    """Of those ``left``, the ones not read for longest; never read comes before everything."""
    places = np.flatnonzero(left)
    age = np.where(accounts.followers[places] < 0, np.iinfo(np.int32).max, accounts.age[places])
    if len(places) > most:
        some = np.argpartition(-age, most - 1)[:most] if most else np.array([], np.int64)
        places, age = places[some], age[some]
    return places[np.lexsort((places, -age))]
