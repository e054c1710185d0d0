"""Who reached a rule."""

from datetime import date

from django.db import connection

from incubator.certification.models import Rule
from incubator.certification.services.rules import current_rules
from incubator.metrics.models import LOWEST_THRESHOLD
from incubator.programmes.choices import ParticipationState

# For every graduate the first day of the support period on which an account of theirs had the rule's number.
# Whoever is a candidate of this version already, or holds the badge, is left alone.
FIND_CANDIDATES = """
INSERT INTO certification_candidate
    (rule_id, participation_id, account_id, crossed_on, followers, found_on, state, reason)
SELECT DISTINCT ON (participation.id)
    rule.id, participation.id, account.id, reading.day, reading.followers, %(day)s, 'pending', ''
FROM certification_rule rule
CROSS JOIN programmes_participation participation
JOIN metrics_creatoraccount account ON account.trainee_id = participation.trainee_id
JOIN metrics_reading reading
    ON reading.account_id = account.id
    AND reading.day BETWEEN participation.support_starts_on AND least(participation.support_ends_on, %(day)s)
    AND reading.followers >= %(lowest)s
    AND reading.followers >= rule.followers + rule.is_strict::int
WHERE rule.id = %(rule)s
    AND participation.state IN (%(graduated)s, %(concluded)s)
    AND NOT EXISTS (
        SELECT FROM certification_award award
        WHERE award.trainee_id = participation.trainee_id
            AND award.badge_id = rule.badge_id AND award.withdrawn_at IS NULL
    )
ORDER BY participation.id, reading.day, reading.followers DESC
ON CONFLICT (rule_id, participation_id) DO NOTHING
"""


def evaluate(*, on: date) -> int:
    """Find who reached a current rule by ``on``; returns the number of new candidates. One statement per rule."""
    return sum(_evaluate(rule, on) for rule in current_rules())


def _evaluate(rule: Rule, on: date) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            FIND_CANDIDATES,
            {
                "rule": rule.pk,
                "day": on,
                "lowest": LOWEST_THRESHOLD,
                "graduated": ParticipationState.GRADUATED,
                "concluded": ParticipationState.CONCLUDED,
            },
        )
        return cursor.rowcount
