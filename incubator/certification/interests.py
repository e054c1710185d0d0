"""Told to the refresh planner: the numbers at which a reading decides about a badge."""

from collections.abc import Iterable
from datetime import date

from incubator.certification.conditions import followers_in
from incubator.certification.services import current_rules
from incubator.metrics.interests import decides_at


@decides_at
def numbers_of_current_rules(day: date) -> Iterable[int]:
    """Followers that the rules which decide on a day ask for."""
    return [asked.least for rule in current_rules(day) for asked in followers_in(rule.conditions)]
