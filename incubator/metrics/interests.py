"""What higher rooms know that makes a reading matter: numbers that decide something, and people under a running grant.

A room above registers a function here when it is loaded; this room knows none of them.
"""

from collections.abc import Callable, Iterable
from datetime import date
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import BooleanField, Exists, OuterRef, QuerySet, Value

from incubator.metrics.rollups import THRESHOLDS

_thresholds: list[Callable[[date], Iterable[int]]] = []
_granted: list[Callable[[date], Iterable[int]]] = []
_traffic: list[Callable[[Any, Any], QuerySet]] = []


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
