"""When calls arrived, by the simulator's own steady clock, so that a rate limit can be checked by whom it protects."""

import time
from collections import deque
from collections.abc import Sequence

MOST_KEPT = 2_000_000  # instants of one path: 64 MB


class Arrivals:
    """When every call of every path arrived, the newest ``MOST_KEPT`` of each; seconds of a steady clock."""

    def __init__(self) -> None:
        self._instants: dict[str, deque[float]] = {}

    def note(self, path: str) -> None:
        """A call of ``path`` has arrived this instant."""
        instants = self._instants.get(path)
        if instants is None:
            instants = self._instants[path] = deque(maxlen=MOST_KEPT)
        instants.append(time.monotonic())

    def of(self, path: str = "") -> list[float]:
        """Instants in their order, of one path or of all."""
        if path:
            return list(self._instants.get(path, ()))
        return sorted(instant for instants in self._instants.values() for instant in instants)

    def clear(self) -> None:
        self._instants.clear()


def most_within(instants: Sequence[float], seconds: float = 1.0) -> int:
    """The largest number of instants in any window of that length, its end not included. Exact: every window counts."""
    most = first = 0
    for last, instant in enumerate(instants):
        while instants[first] + seconds <= instant:
            first += 1
        most = max(most, last - first + 1)
    return most
