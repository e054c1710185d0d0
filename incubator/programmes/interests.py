"""What higher rooms know that makes the end of a support period matter to nobody any more.

A room above registers a function here when it is loaded; this room knows none of them.
"""

from collections.abc import Callable
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import BooleanField, Exists, OuterRef, QuerySet, Value

_settled: list[Callable[[Any], QuerySet]] = []


def settles_support(function: Callable[[Any], QuerySet]) -> Callable[[Any], QuerySet]:
    """Decorator: of a participation (its key, or an expression of an outer query) the function gives rows if it has
    reached everything that its support period was for, and none if not."""
    _settled.append(function)
    return function


def is_settled(participation: str) -> Any:
    """An expression: whether the participation of an outer row has reached everything; by the name of its field."""
    nobody = Value(False, output_field=BooleanField())
    rows = [Exists(tell(OuterRef(participation))) for tell in _settled]
    return reduce(or_, rows) if rows else nobody
