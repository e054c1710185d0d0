"""What higher rooms know that belongs beside somebody's followers: grants, classes and whatever else comes.

A room above registers a function here when it is loaded; this room knows none of them.
"""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from incubator.common.charts import Mark

Teller = Callable[[int, Any], Iterable[Mark]]
_tellers: list[Teller] = []


def tells_marks(function: Teller) -> Teller:
    """Decorator: the function tells marks of a trainee (by id) that a user may see."""
    _tellers.append(function)
    return function


def marks_of(trainee_id: int, *, user: Any, since: date, until: date) -> list[Mark]:
    """The marks that touch a span of days, in order."""
    found = [mark for tell in _tellers for mark in tell(trainee_id, user)]
    return sorted((m for m in found if m.day <= until and m.ends_on >= since), key=lambda m: (m.day, m.kind, m.label))
