"""What the writer of readings will do with a figure, told beforehand for the preview.

The rule is the writer's (``metrics.services.readings``), told a second time because a preview must not write; tests
hold the two against each other on the edges. Days are looked at from the oldest to the newest, as they will be written.
"""

from dataclasses import dataclass, field
from datetime import date

from incubator.figures.choices import RowStatus
from incubator.figures.queries import Held
from incubator.metrics.reading_sql import PLAUSIBLE_BELOW


@dataclass(slots=True)
class Outlook:
    """One account: its newest reading, the readings of the days in question, and what was held back."""

    last_day: date | None = None
    last_followers: int | None = None
    there: dict[date, tuple[int, bool]] = field(default_factory=dict)  # followers, and whether the platform told them
    held: list[Held] = field(default_factory=list)

    def take(self, day: date, followers: int) -> str:
        """The fate of one more figure, a ``RowStatus``; it is then part of what the next one is judged by."""
        known = self.there.get(day)
        if known and (known[1] or known[0] == followers):
            return RowStatus.SAME if known[0] == followers else RowStatus.KEPT
        self._settle(day, followers)
        if self.last_followers is not None and is_doubtful(followers, self.last_followers):
            if any(held.day == day for held in self.held):
                return RowStatus.HELD
            self.held.append(Held(day, followers, self.last_followers))
            return RowStatus.DOUBTFUL
        self._learn(day, followers)
        return RowStatus.CORRECTED if known else RowStatus.NEW

    def _settle(self, day: date, followers: int) -> None:
        """A figure decides about those held back before: near what went before contradicts, near them confirms."""
        for held in list(self.held):
            if held.is_open and held.day < day:
                if is_near(followers, held.last_followers):
                    self.held.remove(held)
                elif held.may_confirm and is_near(followers, held.followers):
                    self.held.remove(held)
                    self._learn(held.day, held.followers)

    def _learn(self, day: date, followers: int) -> None:
        if self.last_day is None or self.last_day <= day:
            self.last_day, self.last_followers = day, followers


def is_doubtful(followers: int, last: int) -> bool:
    """Whether a figure fell by half or rose tenfold, small numbers aside."""
    if max(followers, last) < PLAUSIBLE_BELOW:
        return False
    return followers <= last // 2 or followers // 10 >= last


def is_near(followers: int, other: int) -> bool:
    return followers > other // 2 and followers // 10 < max(other, 1)
