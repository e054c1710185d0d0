"""What a dossier proves by itself, read by a small function that knows neither the database nor today's rules.

An auditor who holds nothing but the JSON of an award comes to the same answers with these lines.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from incubator.certification.choices import ConditionKind, Window
from incubator.certification.conditions import LONGEST_GAP, Followers, Tree, followers_of, leaves

Dossier = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Proof:
    """What a dossier says of its rule. ``by_word`` are the conditions, counted from 1, of which it keeps no figures but
    only that they were met; ``unmet`` those that its own figures refute.
    """

    is_met: bool
    unmet: tuple[int, ...] = ()
    by_word: tuple[int, ...] = ()


def prove(dossier: Dossier) -> Proof:
    """Decide the rule of a dossier from its facts alone. Raises ``KeyError`` or ``ValueError`` where it is none."""
    if "form" not in dossier:
        return _prove_first_form(dossier)
    tree, told = dossier["rule"]["conditions"], dossier["met"]
    conditions = list(leaves(tree))
    if len(told) != len(conditions):
        raise ValueError("as many answers as conditions")
    several = sum(node["kind"] == ConditionKind.FOLLOWERS for node in conditions) > 1
    shown = [_shown(node, dossier, several=several) for node in conditions]
    decided = [bool(word) if figures is None else figures for figures, word in zip(shown, told, strict=True)]
    # A condition said to be unmet needs no figures: the rule is met by others.
    refuted = tuple(
        n for n, (figures, word) in enumerate(zip(shown, told, strict=True), 1) if word and figures is False
    )
    by_word = tuple(n for n, (figures, word) in enumerate(zip(shown, told, strict=True), 1) if word and figures is None)
    return Proof(_holds(tree, iter(decided)), refuted, by_word)


def _holds(node: Tree, answers: Any) -> bool:
    if "kind" in node:
        return bool(next(answers))
    some = [_holds(child, answers) for child in node.get("all", node.get("any", []))]
    return all(some) if "all" in node else any(some)


def _shown(node: Tree, dossier: Dossier, *, several: bool) -> bool | None:
    """Whether the dossier's figures show a condition; None where it keeps none about it."""
    kind, on = node["kind"], date.fromisoformat(dossier["decided"]["on"])
    person = dossier["participation"]
    if kind == ConditionKind.GRADUATED:
        return bool(person["graduated_on"]) and date.fromisoformat(person["graduated_on"]) <= on
    if kind == ConditionKind.FOLLOWERS:
        is_shown = _followers(followers_of(node), dossier, on)
        return is_shown or (None if several else False)  # readings are kept around one crossing
    if kind == ConditionKind.CLASS_HOURS:
        hours = dossier.get("graduation", {}).get("counted_hours")
        return True if hours is not None and Decimal(hours) >= Decimal(node["number"]) else None
    return None


def _followers(asked: Followers, dossier: Dossier, on: date) -> bool:
    first, last = _window(asked.when, dossier["participation"])
    readings = [(date.fromisoformat(r["day"]), r["followers"]) for r in dossier["readings"]]
    for began, ended in runs(readings, asked.least, first=first, until=on):
        if (last is None or began <= last) and (ended - began).days + 1 >= asked.held_days:
            return True
    return False


def runs(
    readings: Iterable[tuple[date, int]], least: int, *, first: date | None, until: date
) -> Iterable[tuple[date, date]]:
    """First and last day of every run of readings at or above a number, from a day until a day, both included."""
    began = before = None
    for day, followers in sorted(readings):
        if (first is not None and day < first) or day > until:
            continue
        is_broken = followers < least or (before is not None and day - before > timedelta(days=LONGEST_GAP))
        if is_broken and began is not None and before is not None:
            yield began, before
            began = None
        if followers >= least:
            began = began or day
            before = day
    if began is not None and before is not None:
        yield began, before


def _window(when: str, person: Mapping[str, str]) -> tuple[date | None, date | None]:
    if when == Window.EVER:
        return None, None
    if not person[f"{when}_starts_on"] or not person[f"{when}_ends_on"]:
        raise ValueError("a period without its days")
    return date.fromisoformat(person[f"{when}_starts_on"]), date.fromisoformat(person[f"{when}_ends_on"])


def _prove_first_form(dossier: Dossier) -> Proof:
    """Dossiers from before rules were data: one number, one reading, the support period."""
    rule, reading, person = dossier["rule"], dossier["reading"], dossier["participation"]
    day = date.fromisoformat(reading["day"])
    has_number = reading["followers"] >= rule["followers"] + bool(rule.get("strict"))
    is_within = person["support_starts_on"] <= day.isoformat() <= person["support_ends_on"]
    is_met = has_number and is_within and bool(person["graduated_on"])
    return Proof(is_met, () if is_met else (1,))
