"""Every morning: nobody meets a rule without having been found, and no valid award is without evidence."""

from datetime import date

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from incubator.certification.choices import ConditionKind
from incubator.certification.conditions import leaves
from incubator.certification.judging import WITHOUT_BADGE, Judging, values
from incubator.certification.models import Award, AwardCheck, Rule
from incubator.certification.services.rules import current_rules
from incubator.certification.services.verification import AwardFinding, awards_to_verify, verify_awards
from incubator.programmes.models import Participation, graduated_q
from incubator.regions.models import Region
from incubator.regions.scoping import within_q

NAMED = 100  # findings of each kind that are kept by number
NOT_GRADUATED = "not_graduated"
NO_CANDIDATE = """
AND NOT EXISTS (
    SELECT FROM certification_candidate candidate
    WHERE candidate.participation_id = participation.id AND candidate.rule_id = %(rule)s
)
"""


def eligible_without_award(*, on: date, within: str = "") -> list[tuple[Rule, Participation]]:
    """Who meets a rule that decides on a day, holds no award of its badge, and was no candidate of it in any state."""
    found: list[tuple[Rule, Participation]] = []
    people = Participation.objects.filter(_within(within, "trainee__county")).select_related("trainee")
    for rule in current_rules(on):
        judging = Judging(rule.conditions, scope=NO_CANDIDATE + WITHOUT_BADGE)
        with connection.cursor() as cursor:
            given = values(judging, on=on, rule=rule.pk, badge=rule.badge_id)
            cursor.execute(judging.who_meets, given)
            ids = [pk for (pk,) in cursor.fetchall()]
        found += [(rule, participation) for participation in people.filter(pk__in=ids).order_by("pk")]
    return found


def awards_without_graduation(*, within: str = "") -> QuerySet[Award]:
    """Valid awards that asked for a graduation which does not stand any more."""
    rules = [
        rule.pk
        for rule in Rule.objects.published()
        if any(leaf["kind"] == ConditionKind.GRADUATED for leaf in leaves(rule.conditions))
    ]
    held = Award.objects.live().filter(_within(within, "trainee__county"), candidate__rule__in=rules)
    return held.exclude(graduated_q("candidate__participation__")).order_by("pk")


def awards_without_evidence(*, within: str = "") -> tuple[list[tuple[str, str]], int, int]:
    """``(number, code)`` of each valid award that nothing proves; how many differences are explained; awards looked at.

    Withdrawn awards are not asked for any more: somebody has looked at them.
    """
    awards = awards_to_verify(county=within).filter(withdrawn_at=None)
    findings = list(verify_awards(awards))
    unproven = [(finding.number, finding.code) for finding in findings if not finding.is_explained]
    unproven += [(number, NOT_GRADUATED) for number in _numbers(awards_without_graduation(within=within))]
    return list(dict.fromkeys(unproven)), _explained(findings), awards.count()


@transaction.atomic
def check_awards(*, on: date) -> AwardCheck:
    """Look at everything and keep what was found of the day; done again it is kept anew."""
    eligible = eligible_without_award(on=on)
    unproven, explained, count = awards_without_evidence()
    named = {
        "eligible": [[participation.trainee.number, str(rule)] for rule, participation in eligible[:NAMED]],
        "unproven": [list(pair) for pair in unproven[:NAMED]],
    }
    check, _is_new = AwardCheck.objects.update_or_create(
        day=on,
        defaults={
            "at": timezone.now(),
            "awards": count,
            "eligible": len(eligible),
            "unproven": len({number for number, _code in unproven}),
            "explained": explained,
            "findings": named,
        },
    )
    return check


def _explained(findings: list[AwardFinding]) -> int:
    return sum(finding.is_explained for finding in findings)


def _numbers(awards: QuerySet[Award]) -> list[str]:
    return list(awards.values_list("number", flat=True))


def _within(code: str, path: str) -> Q:
    return within_q(Region.objects.get(pk=code), path) if code else Q()
