"""Told to lower rooms: the numbers at which a reading decides about a badge, and who holds every badge there is."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from incubator.certification.conditions import followers_in
from incubator.certification.models import Award, Badge
from incubator.certification.services import current_rules
from incubator.metrics.interests import decides_at
from incubator.programmes.interests import settles_support
from incubator.programmes.models import Participation


@decides_at
def numbers_of_current_rules(day: date) -> Iterable[int]:
    """Followers that the rules which decide on a day ask for."""
    return [asked.least for rule in current_rules(day) for asked in followers_in(rule.conditions)]


@settles_support
def holds_every_badge(participation: Any) -> QuerySet:
    """The participation, where its trainee holds every badge that a published rule gives: the deadline is moot.

    Whoever holds the lower of two badges is still reminded: the higher one can be reached until the last day.
    """
    live = Award.objects.live().filter(trainee=OuterRef("trainee"))
    held = Award.objects.live().filter(badge=OuterRef("pk"), trainee=OuterRef(OuterRef("trainee")))
    missing = Badge.objects.filter(~Exists(held), rules__published_at__isnull=False)
    return Participation.objects.filter(Exists(live), ~Exists(missing), pk=participation)
