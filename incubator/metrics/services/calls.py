"""Calls are spent before they are made: per platform and day, and per account and day. In PostgreSQL, so that neither a
killed worker nor an emptied broker forgets what was spent. Given back is only what was certainly never made.
"""

from collections.abc import Sequence
from datetime import date

from django.db import connection, transaction
from django.db.models import F

from incubator.metrics.models import AccountCalls, CallBudget
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


@transaction.atomic
def give_back_calls(platform: str, day: date, accounts: Sequence[int]) -> None:
    """Take back calls that were spent and certainly not made: one for each account, which is named once."""
    if accounts:
        budget = CallBudget.objects.select_for_update().filter(platform=platform, day=day)
        budget.update(spent=F("spent") - len(accounts))
        AccountCalls.objects.filter(day=day, account_id__in=accounts).update(calls=F("calls") - 1)


def calls_left(platform: str, day: date) -> int:
    """Calls the day's budget still holds."""
    spent = CallBudget.objects.filter(platform=platform, day=day).values_list("spent", flat=True).first()
    return max(0, daily_budget(platform) - (spent or 0))
