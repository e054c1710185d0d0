"""How higher rooms help to find people: by what only they know, such as an account's handle.

A room above registers a function here when it is loaded; this room knows none of them.
"""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet

Finder = Callable[[str], QuerySet[Any, Any] | None]
_finders: list[Finder] = []


def finds_people(function: Finder) -> Finder:
    """Decorator: the function gives the trainees' ids (one column) that a word names, None where it cannot be meant.

    The word is half-width and trimmed, in the case it was typed in. One index must answer.
    """
    _finders.append(function)
    return function


def found_by_others(word: str) -> list[QuerySet[Any, Any]]:
    return [rows for find in _finders if (rows := find(word)) is not None]
