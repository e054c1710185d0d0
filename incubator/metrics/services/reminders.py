"""What the calendar does to consents: their end is told in time, and comes."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from incubator.metrics.choices import ReminderEnd
from incubator.metrics.consents import LONGEST_NOTICE, REMINDER_DAYS, midnight
from incubator.metrics.models import ConsentReminder

LENGTHENED_BY = timedelta(days=7)  # an end that moves by less is the same end

# One row for the newest stage that is due, never for those before it: a run missed for days reminds once.
REMIND = """
INSERT INTO metrics_consentreminder (account_id, ends_on, stage, due_on, made_at, outcome)
SELECT ending.account_id, ending.ends_on, due.stage, ending.ends_on - due.stage, %(at)s, ''
FROM (
    SELECT consent.account_id, account.platform, (consent.refresh_expires_at AT TIME ZONE %(zone)s)::date AS ends_on
    FROM metrics_authorisation consent
    JOIN metrics_creatoraccount account ON account.id = consent.account_id AND account.state = 'linked'
    WHERE consent.refresh_expires_at >= %(since)s AND consent.refresh_expires_at < %(until)s
) AS ending
CROSS JOIN LATERAL (
    SELECT min(days) AS stage FROM unnest(%(platforms)s::text[], %(stages)s::int[]) AS stage (platform, days)
    WHERE stage.platform = ending.platform AND days >= ending.ends_on - %(on)s
) AS due
WHERE due.stage IS NOT NULL AND NOT EXISTS (
    SELECT FROM metrics_consentreminder made
    WHERE made.account_id = ending.account_id AND made.closed_at IS NULL AND made.stage <= due.stage
)
ON CONFLICT (account_id, ends_on, stage) DO NOTHING
"""
END = """
WITH ended AS (
    UPDATE metrics_creatoraccount account SET state = 'needs_consent'
    FROM metrics_authorisation consent
    WHERE consent.account_id = account.id AND account.state = 'linked' AND consent.refresh_expires_at <= %(at)s
    RETURNING account.id, consent.refresh_expires_at
), noted AS (
    INSERT INTO metrics_consentevent (account_id, what, why, at)
    SELECT id, 'lost', 'over', refresh_expires_at FROM ended
), closed AS (
    UPDATE metrics_consentreminder reminder SET closed_at = %(at)s, outcome = 'lost'
    FROM ended WHERE reminder.account_id = ended.id AND reminder.closed_at IS NULL
)
SELECT count(*) FROM ended
"""


@transaction.atomic
def remind_consents(*, on: date, at: datetime) -> int:
    """Remind those whose consents end within the days of ``REMINDER_DAYS`` from ``on``; how many reminders were made.

    One statement for any number of accounts. Done twice or late it makes no second reminder of a consent and stage,
    and only the newest stage that is due.
    """
    most = on + timedelta(days=LONGEST_NOTICE + 1)
    _close_lengthened(at=at)
    stages = [(platform, days) for platform, due in REMINDER_DAYS.items() for days in due]
    return _execute(
        REMIND,
        on=on,
        at=at,
        since=midnight(on),
        until=midnight(most),
        platforms=[platform for platform, _days in stages],
        stages=[days for _platform, days in stages],
        zone=timezone.get_default_timezone_name(),
    )


def _close_lengthened(*, at: datetime) -> None:
    """A platform may lengthen a consent when its tokens are renewed; then it does not end soon any more."""
    later = F("ends_on") + LENGTHENED_BY
    longer = ConsentReminder.objects.open().filter(account__authorisation__refresh_expires_at__gte=later)
    longer.update(closed_at=at, outcome=ReminderEnd.RENEWED)


def end_consents(*, at: datetime) -> int:
    """Accounts whose consent is over need it again and are not read any more; how many. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(END, {"at": at})
        return int(cursor.fetchone()[0])


def _execute(statement: str, **values: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.rowcount


def mark_reminders_seen(accounts: Collection[int], *, at: datetime) -> None:
    """The trainee has the notices of these accounts before them; the first time counts."""
    ConsentReminder.objects.open().filter(account_id__in=accounts, seen_at=None).update(seen_at=at)
