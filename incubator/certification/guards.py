"""What this room hears from the rooms below, and does not let happen there."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db import connection
from django.dispatch import receiver
from django.utils.translation import gettext as _

from courses.signals import graduation_taken_back, training_changed
from incubator.certification.models import Award
from incubator.common.errors import RuleBroken
from incubator.metrics.models import LOWEST_THRESHOLD
from incubator.metrics.signals import day_written, past_readings_written
from incubator.programmes.models import Participation


@receiver(graduation_taken_back)
def awards_rest_on_graduation(sender: Any, *, participation: Participation, **kwargs: Any) -> None:
    """Nobody holds a badge without having graduated: the award goes first, and says why."""
    held = Award.objects.live().filter(candidate__participation=participation).select_related("badge").first()
    if held is not None:
        raise RuleBroken(
            _("The award %(number)s (“%(badge)s”) rests on this graduation. Withdraw it first.")
            % {"number": held.number, "badge": held.badge.name}
        )


# Of readings at or behind the newest day: people whose account has, or had, a number that some rule may ask for.
PAST_READINGS = """
SELECT certification_people_changed(array_agg(DISTINCT account.trainee_id))
FROM metrics_creatoraccount account
WHERE account.id = ANY(%(accounts)s) AND (
    EXISTS (
        SELECT FROM metrics_reading reading
        WHERE reading.day = %(day)s AND reading.account_id = account.id AND reading.followers >= %(lowest)s
    )
    OR EXISTS (
        SELECT FROM certification_candidate candidate
        JOIN programmes_participation participation ON participation.id = candidate.participation_id
        WHERE participation.trainee_id = account.trainee_id
    )
)
HAVING count(*) > 0
"""

TRAINING = """
SELECT certification_look_again(%(participations)s::bigint[]) WHERE EXISTS (
    SELECT FROM certification_rule
    WHERE published_at IS NOT NULL AND jsonb_path_exists(conditions, '$.**.kind ? (@ == "class_hours")')
)
"""


@receiver(past_readings_written)
def look_again_at_late_readings(sender: Any, *, accounts: Sequence[int], day: date, **kwargs: Any) -> None:
    """A day that was filled in or corrected may make somebody a candidate, or take it away."""
    with connection.cursor() as cursor:
        cursor.execute(PAST_READINGS, {"accounts": list(accounts), "day": day, "lowest": LOWEST_THRESHOLD})


# A day that an evaluation had passed already; of today's and later days the next one looks at the readings themselves.
PAST_DAY = """
INSERT INTO certification_recheckday (day) SELECT %(day)s
WHERE %(day)s < (SELECT max(day) FROM certification_evaluation) ON CONFLICT DO NOTHING
"""


@receiver(day_written)
def look_again_at_a_day(sender: Any, *, day: date, **kwargs: Any) -> None:
    """An account's first reading may be of a day long past: nothing of it is late, and still it was not seen."""
    with connection.cursor() as cursor:
        cursor.execute(PAST_DAY, {"day": day})


@receiver(training_changed)
def look_again_at_training(sender: Any, *, participations: Sequence[int], **kwargs: Any) -> None:
    """Class hours decide where a published rule asks for them; else nothing is noted."""
    if participations:
        with connection.cursor() as cursor:
            cursor.execute(TRAINING, {"participations": list(participations)})
