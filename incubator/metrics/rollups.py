"""What a region's followers come to at the end of a day: the histogram's edges, and reading the kept figures.

Medians cannot be added up, so a region keeps how many people stand in each bin. Bins are a tenth to a third of a decade
wide; a threshold that is an edge is counted exactly.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date

from incubator.metrics.models import RegionDay

COUNTRY = "000000"
STEPS = (10, 12, 15, 20, 25, 30, 40, 50, 60, 70, 80, 90)
# 10, 12, 15, 20 … 90, 100, 120 … 900,000,000. Bin 0 is below the first edge, bin n from the n-th edge on.
EDGES: tuple[int, ...] = tuple(step * 10**power for power in range(8) for step in STEPS)
BINS = len(EDGES) + 1
THRESHOLDS = (10_000, 100_000, 1_000_000)


@dataclass(frozen=True, slots=True)
class Standing:
    """A region at the end of a day. ``day`` is the last day on which anything changed."""

    day: date
    accounts: int
    followers: int
    people: tuple[int, ...]

    def people_over(self, threshold: int) -> int:
        """People with at least that many followers. Raises ``ValueError`` for a number that is no edge."""
        if threshold not in EDGES:
            raise ValueError(f"{threshold} is not an edge of the histogram")
        return sum(self.people[bisect_right(EDGES, threshold) :])

    @property
    def median(self) -> int | None:
        """Followers of the person in the middle, to the width of a bin; None without people."""
        half, seen = sum(self.people) / 2, 0
        for number, count in enumerate(self.people):
            if count and seen + count >= half:
                return _within(number, (half - seen) / count)
            seen += count
        return None


def _within(number: int, share: float) -> int:
    """The value ``share`` of the way through a bin."""
    low = EDGES[number - 1] if number else 0
    high = EDGES[number] if number < len(EDGES) else low
    return round(low + (high - low) * share)


def standing_of(code: str, *, on: date) -> Standing | None:
    """A region (or ``COUNTRY``) at the end of a day, by one row; None before its first reading."""
    row = RegionDay.objects.filter(code=code, day__lte=on).order_by("-day").first()
    return Standing(row.day, row.accounts, row.followers, tuple(row.people)) if row else None
