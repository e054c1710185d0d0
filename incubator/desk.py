"""How the staff desk (Django admin with unfold) is arranged: names and groups of its menu."""

from typing import Any

UNFOLD: dict[str, Any] = {}
