"""Told to lower rooms: numbers at which a reading decides, who holds every badge, and what to be alarmed by."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from incubator.certification.conditions import followers_in
from incubator.certification.models import Award, AwardCheck, Badge
from incubator.certification.services import current_rules
from incubator.certification.services.checks import awards_without_evidence, eligible_without_award
from incubator.metrics.choices import AlarmKind
from incubator.metrics.interests import Watched, decides_at, reconciles, watch
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


@reconciles
def awards_and_those_who_have_none(day: date, within: str) -> Iterator[tuple[Any, str]]:
    """Who meets a rule and was never found; awards that nothing proves."""
    for rule, participation in eligible_without_award(on=day, within=within):
        told = {"number": participation.trainee.number, "rule": rule}
        yield participation.pk, _("%(number)s meets %(rule)s, and is no candidate: evaluate.") % told
    unproven, _explained, _count = awards_without_evidence(within=within)
    for number, code in unproven:
        yield (
            number,
            _("The award %(number)s is not proved (%(code)s): see manage.py verify_awards.")
            % {
                "number": number,
                "code": code,
            },
        )


def _newest(count: str) -> Callable[[datetime], dict[str, Any] | None]:
    """Facts of the newest check, as far as it counted any."""

    def find(at: datetime) -> dict[str, Any] | None:
        check = AwardCheck.objects.order_by("-day").first()
        found = check and getattr(check, count)
        return {"day": check.day.isoformat(), "count": found} if check and found else None

    return find


watch(
    Watched(
        AlarmKind.NOT_AWARDED,
        gettext_lazy(
            "In the morning of %(day)s %(count)s people met a rule and were no candidates. Evaluate everybody "
            "(manage.py evaluate_certification) and see why the nightly evaluation did not find them."
        ),
        "admin:certification_candidate_changelist",
        gettext_lazy("See the candidates"),
        _newest("eligible"),
    )
)
watch(
    Watched(
        AlarmKind.UNPROVEN,
        gettext_lazy(
            "In the morning of %(day)s %(count)s valid awards were not proved by their dossier and the readings. Run "
            "manage.py verify_awards: it says what differs. Withdraw what was given wrongly."
        ),
        "admin:certification_awardcheck_changelist",
        gettext_lazy("See the checks of awards"),
        _newest("unproven"),
    )
)
