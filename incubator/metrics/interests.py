"""What higher rooms know that makes a reading matter: numbers that decide something, and people under a running grant;
and what they compare and are alarmed by, so that one command and one list tell everything that is wrong.

A room above registers a function here when it is loaded; this room knows none of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import BooleanField, Exists, OuterRef, QuerySet, Value

from incubator.metrics.rollups import THRESHOLDS

_thresholds: list[Callable[[date], Iterable[int]]] = []
_granted: list[Callable[[date], Iterable[int]]] = []
_traffic: list[Callable[[Any, Any], QuerySet]] = []
_reconciled: list[Callable[[date, str], Iterable[tuple[Any, str]]]] = []


@dataclass(frozen=True, slots=True)
class Watched:
    """An alarm of a higher room. ``find`` tells the facts of what is wrong at an instant, None where nothing is;
    ``sentence`` takes them, and ``url_name`` and ``place`` are where one acts.
    """

    kind: str
    sentence: Any
    url_name: str
    place: Any
    find: Callable[[datetime], Mapping[str, Any] | None]


_watched: dict[str, Watched] = {}


def decides_at(function: Callable[[date], Iterable[int]]) -> Callable[[date], Iterable[int]]:
    """Decorator: the function tells followers that decide something on a day."""
    _thresholds.append(function)
    return function


def under_grant(function: Callable[[date], Iterable[int]]) -> Callable[[date], Iterable[int]]:
    """Decorator: the function tells ids of trainees who run under a grant on a day."""
    _granted.append(function)
    return function


def explains_leaps(function: Callable[[Any, Any], QuerySet]) -> Callable[[Any, Any], QuerySet]:
    """Decorator: the function gives the rows by which a trainee (an id) ran under a grant on a day.

    Both may be values or expressions of an outer query, so that a list asks about all its rows at once.
    """
    _traffic.append(function)
    return function


def reconciles(
    function: Callable[[date, str], Iterable[tuple[Any, str]]],
) -> Callable[[date, str], Iterable[tuple[Any, str]]]:
    """Decorator: the function tells ``(key, sentence)`` of what should not be so on a day within a region ("": all)."""
    _reconciled.append(function)
    return function


def watch(watched: Watched) -> None:
    """An alarm of a higher room is raised, kept up to date and cleared with the others."""
    _watched[watched.kind] = watched


def watched_by_others() -> Mapping[str, Watched]:
    return _watched


def reconciled_by_others(day: date, within: str) -> Iterator[tuple[Any, str]]:
    for tell in _reconciled:
        yield from tell(day, within)


def thresholds_on(day: date) -> list[int]:
    """The numbers that decide something, in order."""
    return sorted({*THRESHOLDS, *(number for tell in _thresholds for number in tell(day))})


def trainees_under_grant(day: date) -> list[int]:
    return sorted({pk for tell in _granted for pk in tell(day)})


def ran_traffic(trainee: str, day: str) -> Any:
    """An expression: whether the trainee of an outer row ran under a grant on its day; both by their field names."""
    nobody = Value(False, output_field=BooleanField())
    rows = [Exists(tell(OuterRef(trainee), OuterRef(day))) for tell in _traffic]
    return reduce(or_, rows) if rows else nobody
