"""The number of followers that decides: the one place where this room reads certification's rules and awards."""

from collections.abc import Collection
from typing import NamedTuple

from incubator.certification.models import Award
from incubator.certification.services import current_rules


class Goal(NamedTuple):
    """A badge and the followers it takes; the count itself is enough."""

    followers: int
    badge_id: int


def current_goals() -> list[Goal]:
    """What each badge takes by its current rule, the lowest number first; badges that ask for none are left out."""
    asked = [(rule.least_followers, rule.badge_id) for rule in current_rules()]
    return sorted(Goal(followers, badge) for followers, badge in asked if followers is not None)


def held_badges(trainees: Collection[int]) -> set[tuple[int, int]]:
    """Pairs of a trainee and a badge that they hold."""
    return set(Award.objects.live().filter(trainee__in=trainees).values_list("trainee_id", "badge_id"))
