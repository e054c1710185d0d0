"""Rows as the lines of JSON that go to the parent."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any


def _plain(value: Any) -> Any:
    """What JSON does not know: dates, and times as texts."""
    if isinstance(value, datetime):
        return {"d": value.date().isoformat()}
    if isinstance(value, date):
        return {"d": value.isoformat()}
    return str(value)


encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_plain).encode


def line_of(number: int, cells: Sequence[Any]) -> str:
    return f"[{number},{encode(cells)}]"
