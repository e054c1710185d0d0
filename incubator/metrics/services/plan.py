"""The plan of a day: which accounts are read, in what order, why, and what another budget would buy."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from django.db import connection
from psycopg import sql

from incubator.metrics.choices import AccountState
from incubator.metrics.interests import thresholds_on, trainees_under_grant
from incubator.metrics.planning import Accounts, Choice, Reason, choose
from incubator.metrics.platforms import daily_budget
from incubator.programmes.choices import ParticipationState

# Every column a number, none of them NULL: so each row of the binary answer is equally long, and all are read at once.
COLUMNS = """
COPY (
    SELECT account.id, coalesce(latest.followers, -1), coalesce({day} - latest.day, 0),
        coalesce(latest.growth, 'NaN'), coalesce(support.days_left, -1),
        (account.trainee_id = ANY ({granted}))::int, (held.account_id IS NOT NULL)::int
    FROM metrics_creatoraccount account
    LEFT JOIN metrics_latestreading latest ON latest.account_id = account.id
    LEFT JOIN (
        SELECT trainee_id, max(support_ends_on - {day}) AS days_left FROM programmes_participation
        WHERE {day} BETWEEN support_starts_on AND support_ends_on AND state IN ({states})
        GROUP BY trainee_id
    ) AS support ON support.trainee_id = account.trainee_id
    LEFT JOIN (
        SELECT DISTINCT account_id FROM metrics_quarantinedreading WHERE state = 'open' AND followers IS NOT NULL
    ) AS held ON held.account_id = account.id
    WHERE account.state = {linked} AND account.platform = {platform}
    ORDER BY account.id
) TO STDOUT (FORMAT binary)
"""
HEADER = 19  # bytes before the first row of PostgreSQL's binary COPY format; two behind the last
ROW = np.dtype(
    [
        ("fields", ">i2"),
        *(
            item
            for name, kind in (
                ("account", ">i8"),
                ("followers", ">i4"),
                ("age", ">i4"),
                ("growth", ">f8"),
                ("support_left", ">i4"),
                ("granted", ">i4"),
                ("held", ">i4"),
            )
            for item in ((f"{name}_size", ">i4"), (name, kind))
        ),
    ]
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Accounts in the order in which they are read, and how many for which reason."""

    day: date
    budget: int
    accounts: int  # connected ones, of which the plan chooses
    account_ids: list[int]
    reasons: dict[Reason, int]

    @property
    def cost(self) -> int:
        """Calls, one an account."""
        return len(self.account_ids)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a budget would buy: calls by reason, and how many days lie between two readings of an account.

    ``missed`` accounts would be worth a call for what it could decide, and get none; ``everyone_within`` is the number
    of days in which the whole list has been round, None where the budget does not go round at all.
    """

    budget: int
    cost: int
    reasons: dict[Reason, int]
    missed: int
    everyone_within: int | None


def plan_day(platform: str, *, day: date, budget: int) -> Plan:
    """Choose the accounts to read on a day, within a number of calls."""
    ids, accounts = load_accounts(platform, day=day)
    choice = choose(accounts, budget, thresholds_on(day))
    return Plan(day, budget, len(accounts), ids[choice.places].tolist(), choice.counts())


def compare_budgets(platform: str, *, day: date, budgets: Sequence[int]) -> list[Offer]:
    """The same day under several budgets."""
    _ids, accounts = load_accounts(platform, day=day)
    thresholds = thresholds_on(day)
    wanted = _deciding(choose(accounts, len(accounts), thresholds))
    return [_offer(accounts, budget, thresholds, wanted) for budget in budgets]


def what_budgets_buy(platform: str, *, day: date, other: int | None = None) -> tuple[Plan, list[Offer]]:
    """The plan of the day under its whole budget, and offers of half, the same, twice and ``other`` as many calls."""
    budget = daily_budget(platform)
    sizes = sorted({budget // 2, budget, budget * 2, *([other] if other else [])})
    return plan_day(platform, day=day, budget=budget), compare_budgets(platform, day=day, budgets=sizes)


def _offer(accounts: Accounts, budget: int, thresholds: Sequence[int], wanted: int) -> Offer:
    choice = choose(accounts, budget, thresholds)
    reasons = choice.counts()
    turn = reasons[Reason.DUE] + reasons[Reason.NEW]
    rest = len(accounts) - _deciding(choice)
    within = max(1, -(-rest // turn)) if turn else (None if rest else 1)
    return Offer(budget, len(choice.places), reasons, wanted - _deciding(choice), within)


def _deciding(choice: Choice) -> int:
    """Accounts chosen for what a reading could decide, not because it is their turn."""
    return sum(count for reason, count in choice.counts().items() if reason not in (Reason.NEW, Reason.DUE))


def load_accounts(platform: str, *, day: date) -> tuple[np.ndarray, Accounts]:
    """Ids and columns of the platform's connected accounts, in one statement."""
    states = [ParticipationState.GRADUATED, ParticipationState.CONCLUDED]
    with connection.cursor() as cursor:
        statement = COLUMNS.format(
            day=f"{_quoted(cursor, day)}::date",
            granted=f"{_quoted(cursor, trainees_under_grant(day))}::bigint[]",
            states=", ".join(_quoted(cursor, state.value) for state in states),
            linked=_quoted(cursor, AccountState.LINKED.value),
            platform=_quoted(cursor, str(platform)),
        )
        with cursor.copy(statement) as copy:
            answer = b"".join(_blocks(copy))
    rows = np.frombuffer(answer, ROW, offset=HEADER, count=(len(answer) - HEADER - 2) // ROW.itemsize)
    return rows["account"].astype(np.int64), Accounts(
        rows["followers"].astype(np.int64),
        rows["age"].astype(np.int32),
        rows["growth"].astype(np.float64),
        rows["support_left"].astype(np.int32),
        rows["granted"] == 1,
        rows["held"] == 1,
    )


def _blocks(copy: Any) -> Iterable[bytes]:
    return (bytes(block) for block in copy)


def _quoted(cursor: Any, value: Any) -> str:
    """A literal; COPY takes no parameters."""
    return sql.Literal(value).as_string(cursor.connection)
