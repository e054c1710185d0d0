"""Calls are spent before they are made: per platform and day, and per account and day. In PostgreSQL, so that neither a
killed worker nor an emptied broker forgets what was spent. What is not used in the end is not given back.
"""

from collections.abc import Sequence
from datetime import date

from django.db import connection, transaction

from incubator.metrics.models import CallBudget
from incubator.metrics.platforms import calls_per_account, daily_budget

SPEND = """
INSERT INTO metrics_accountcalls AS spent (day, account_id, calls)
SELECT %(day)s, account_id, 1 FROM unnest(%(accounts)s::bigint[]) AS account_id
ON CONFLICT (day, account_id) DO UPDATE SET calls = spent.calls + 1 WHERE spent.calls < %(most)s
RETURNING account_id
"""


def spend_calls(platform: str, day: date, accounts: Sequence[int]) -> set[int]:
    """Take one call for each account; those that may be called, in the order given as far as the day's budget goes."""
    if not accounts:
        return set()
    CallBudget.objects.get_or_create(platform=platform, day=day)
    with transaction.atomic():
        budget = CallBudget.objects.select_for_update().get(platform=platform, day=day)
        some = list(accounts[: max(0, daily_budget(platform) - budget.spent)])
        with connection.cursor() as cursor:
            cursor.execute(SPEND, {"day": day, "accounts": some, "most": calls_per_account(platform)})
            allowed = {pk for (pk,) in cursor.fetchall()}
        budget.spent += len(allowed)
        budget.save(update_fields=["spent"])
    return allowed


def calls_left(platform: str, day: date) -> int:
    """Calls the day's budget still holds."""
    spent = CallBudget.objects.filter(platform=platform, day=day).values_list("spent", flat=True).first()
    return max(0, daily_budget(platform) - (spent or 0))
