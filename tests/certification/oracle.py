"""An oracle of certification in plain Python: it knows the rule's words only and shares no code with the product.

A history is one participation with its person's accounts; readings are what is finally known of each day.
"""

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

DAY = timedelta(days=1)
FIRST = date(2028, 2, 20)  # the period runs over 29 February
NUMBER = 100_000
AROUND = (9_999, 10_000, 99_998, 99_999, 100_000, 100_000, 100_001, 100_001, 150_000, 50_000)


@dataclass
class History:
    state: str = "graduated"
    graduated_on: date | None = FIRST
    support: tuple[date, date] | None = None  # as it is, after extensions and pauses
    given: tuple[date, int] | None = None  # first day, and days given at graduation
    extensions: list[int] = field(default_factory=list)  # days
    pauses: list[tuple[date, date]] = field(default_factory=list)
    cohort: int = 0  # which of the cohorts
    accounts: list[dict[date, int]] = field(default_factory=list)
    minutes: dict[str, int] = field(default_factory=dict)  # of teaching, by kind; of general at most 8 hours count
    works: list[tuple[date, bool]] = field(default_factory=list)  # published on, taken back
    flags: list[tuple[int, date, bool]] = field(default_factory=list)  # account, day, cleared
    ids: list[int] = field(default_factory=list)  # of the accounts, once they are entered


COHORTS = [(FIRST - 5 * DAY, FIRST + 9 * DAY), (FIRST, FIRST)]


# --- The rule's words -------------------------------------------------------------------------------------------------


def meets(tree: dict, history: History, on: date) -> bool:
    if "all" in tree:
        return all(meets(node, history, on) for node in tree["all"])
    if "any" in tree:
        return any(meets(node, history, on) for node in tree["any"])
    return leaf(tree, history, on)


def is_judged(history: History) -> bool:
    return history.state in ("admitted", "training", "graduated", "concluded")


def leaf(node: dict, history: History, on: date) -> bool:
    kind = node["kind"]
    if kind == "graduated":
        when = history.graduated_on
        return history.state in ("graduated", "concluded") and when is not None and when <= on
    if kind == "followers":
        return any(held(node, history, account, on) is not None for account in history.accounts)
    if kind == "class_hours":
        counted = min(history.minutes.get("general", 0), 8 * 45) + history.minutes.get("professional", 0)
        return Decimal(counted) >= Decimal(node["number"]) * 45
    if kind == "published":
        first, last = COHORTS[history.cohort][0], min(history.support[1], on) if history.support else on
        return sum(1 for day, is_back in history.works if not is_back and first <= day <= last) >= node["number"]
    assert kind == "no_open_flag"
    return not [1 for _account, day, is_cleared in history.flags if not is_cleared and day <= on]


def last_day(first: date, days: int, extensions: list[int], pauses: list[tuple[date, date]]) -> date:
    """Of a support period, counted on the calendar: a day that is paused uses up none of the days there are."""
    day, left = first, days + sum(extensions)
    while True:
        if not any(starts <= day <= ends for starts, ends in pauses):
            left -= 1
            if left == 0:
                return day
        day += DAY


def window(node: dict, history: History) -> tuple[date, date] | None:
    if node["when"] == "support":
        return history.support
    return COHORTS[history.cohort] if node["when"] == "cohort" else (date.min, date.max)


def held(node: dict, history: History, account: dict[date, int], on: date) -> tuple[date, date] | None:
    """``(day reached, day since when it was held long enough)`` of one account, walking from day to day."""
    ends = window(node, history)
    if ends is None:
        return None
    began = seen = None
    for day in sorted(account):
        if day < ends[0] or day > on:
            continue
        enough = account[day] > node["number"] if node["strict"] else account[day] >= node["number"]
        if not enough:
            began = seen = None
            continue
        if seen is None or (day - seen).days > 7:
            began = day
        seen = day
        if began > ends[1]:
            return None
        if (day - began).days >= node["held_days"] - 1:
            return began, day
    return None


def first_held(node: dict, history: History, on: date) -> tuple[date, int, int] | None:
    """``(day reached, followers that day, account)`` by the earliest day, then most followers, then first account."""
    found = []
    for place, account in enumerate(history.accounts):
        if (when := held(node, history, account, on)) is not None:
            found.append((when[0], -account[when[0]], place))
    return (min(found)[0], -min(found)[1], min(found)[2]) if found else None


# --- Generated histories ----------------------------------------------------------------------------------------------


def generate(seed: int) -> History:
    """A history with everything that decides: edges of the period, gaps, plateaus about the number, two accounts."""
    chance = random.Random(seed)
    first = FIRST + chance.choice([0, 0, 0, 1, 9]) * DAY
    length = chance.choice([1, 3, 8, 10, 12])
    state = chance.choice(["graduated"] * 8 + ["concluded", "training", "admitted", "withdrawn", "nominated"])
    has_period = state in ("graduated", "concluded", "withdrawn")
    extensions, pauses = _changes(chance, first, length) if state == "graduated" else ([], [])
    given = (first, length)
    last = last_day(*given, extensions, pauses)
    length = (last - first).days + 1
    history = History(
        state=state,
        # A day that says nothing: of somebody whose graduation does not stand.
        graduated_on=first if has_period or chance.random() < 0.5 else None,
        support=(first, last) if has_period else None,
        given=given if has_period else None,
        extensions=extensions,
        pauses=pauses,
        cohort=chance.randrange(2),
        accounts=[_account(chance, first, length) for _n in range(chance.choice([0, 1, 1, 1, 1, 2, 2]))],
        minutes={
            "professional": chance.choice([0, 719, 720, 721, 360]),
            "general": chance.choice([0, 300, 360, 400, 1_000]),
        },
    )
    for _n in range(chance.choice([0, 0, 1, 2, 3])):
        history.works.append((FIRST + chance.randrange(-7, 16) * DAY, chance.random() < 0.2))
    if history.accounts and chance.random() < 0.3:
        day = FIRST + chance.randrange(0, 14) * DAY
        history.flags.append((chance.randrange(len(history.accounts)), day, chance.random() < 0.5))
    return history


def _changes(chance: random.Random, first: date, length: int) -> tuple[list[int], list[tuple[date, date]]]:
    """Extensions and pauses: from the first day, over the leap day, on the last day, one behind the other."""
    extensions = [chance.choice([1, 2, 3]) for _n in range(chance.choice([0, 0, 0, 1, 2]))]
    pauses: list[tuple[date, date]] = []
    for _n in range(chance.choice([0, 0, 0, 1, 1, 2])):
        end = last_day(first, length, extensions, pauses)
        starts = chance.choice([first, end, first + chance.randrange((end - first).days + 1) * DAY])
        ends = starts + chance.choice([0, 1, 3]) * DAY
        if not any(one <= ends and starts <= other for one, other in pauses):
            pauses.append((starts, ends))
    return extensions, pauses


def _account(chance: random.Random, first: date, length: int) -> dict[date, int]:
    kind = chance.choice(["edges", "rise", "plateau", "wild", "sparse", "dip"])
    days = [first + n * DAY for n in range(-3, length + 6)]
    base = chance.choice(AROUND)
    readings = {}
    for place, day in enumerate(days):
        value = {
            "edges": chance.choice(AROUND) if day in (first, first + (length - 1) * DAY) else 50_000,
            "rise": 99_990 + place * chance.choice([1, 2]),
            "plateau": base,
            "wild": chance.choice(AROUND),
            "sparse": chance.choice([100_000, 120_000]),
            "dip": 100_000 if place != len(days) // 2 else chance.choice([9_999, 99_999, 500]),
        }[kind]
        missing = {"sparse": 0.75, "dip": 0.1}.get(kind, 0.15)
        if chance.random() >= missing:
            readings[day] = value
    if kind == "sparse" and chance.random() < 0.5:  # nothing for nearly, or for more than a week
        gap = chance.choice([6, 7, 8])
        readings = {first: 100_000, first + gap * DAY: 100_000}
    return readings
