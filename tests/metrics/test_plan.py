"""The plan of a day from the tables."""

from datetime import date, timedelta

import pytest

from incubator.grants.services import approve_grant, propose_grant
from incubator.metrics.choices import AccountState, Platform
from incubator.metrics.interests import thresholds_on
from incubator.metrics.models import LatestReading
from incubator.metrics.planning import Reason
from incubator.metrics.services.plan import compare_budgets, load_accounts, plan_day
from incubator.metrics.services.readings import write_readings
from tests.factories import CreatorAccountFactory, RuleFactory, TrafficPoolFactory, UserFactory, graduate_row, reading

pytestmark = pytest.mark.django_db

DAY = date(2026, 9, 1)


def account(followers=None, *, age=1, growth=0.0, **more):
    made = CreatorAccountFactory(**more)
    if followers is not None:
        reading(made, DAY - timedelta(days=age), followers)
        LatestReading.objects.filter(account=made).update(growth=growth)
    return made


def plan(budget=100):
    return plan_day(Platform.KUAISHOU, day=DAY, budget=budget)


def test_columns_are_what_the_tables_hold(django_assert_num_queries):
    known = account(5_000, age=4, growth=12.5)
    graduate_row(DAY - timedelta(days=10), days=30, trainee=known.trainee)
    unknown = account()

    ids, columns = load_accounts(Platform.KUAISHOU, day=DAY)

    assert ids.tolist() == [known.pk, unknown.pk]
    assert columns.followers.tolist() == [5_000, -1] and columns.age.tolist()[0] == 4
    assert columns.growth.tolist()[0] == 12.5 and columns.support_left.tolist() == [19, -1]
    assert columns.granted.tolist() == columns.held.tolist() == [False, False]


def test_only_connected_accounts_of_the_platform_are_planned():
    linked = account(100)
    account(100, state=AccountState.NEEDS_CONSENT)
    account(100, platform=Platform.DOUYIN)

    assert plan().account_ids == [linked.pk]


def test_running_grants_and_figures_held_back_are_known():
    pool, by = TrafficPoolFactory(), UserFactory()
    granted, held = account(3_000), account(3_000)
    participation = graduate_row(DAY - timedelta(days=20), trainee=granted.trainee)
    on = DAY - timedelta(days=5)
    approve_grant(propose_grant(pool, participation=participation, impressions=1_000, by=by, on=on), by=by, on=on)
    write_readings([(held.pk, DAY, 90_000, None)], source="api", at=LatestReading.objects.first().fetched_at)

    reasons = plan().reasons

    assert (reasons[Reason.GRANT], reasons[Reason.HELD]) == (1, 1)


def test_rules_say_which_numbers_decide():
    RuleFactory(followers=30_000, is_strict=True)
    near = account(29_900)

    assert 30_001 in thresholds_on(DAY)
    assert plan(1).account_ids == [near.pk] and plan(1).reasons[Reason.THRESHOLD] == 1


def test_the_plan_is_one_statement_whatever_the_number(django_assert_max_num_queries):
    for _n in range(5):
        account(100)
    with django_assert_max_num_queries(4):
        assert plan().cost == 5


def test_more_budget_buys_more_and_says_what():
    for n in range(40):
        account(1_000 + n)
    for _n in range(4):
        account(99_500, growth=200)

    small, enough = compare_budgets(Platform.KUAISHOU, day=DAY, budgets=[5, 100])

    assert (small.cost, small.missed, enough.cost, enough.missed) == (5, 2, 44, 0)
    assert small.everyone_within > 10 and enough.everyone_within == 1


def test_without_accounts_the_plan_is_empty():
    assert plan().cost == 0 and compare_budgets(Platform.KUAISHOU, day=DAY, budgets=[10])[0].cost == 0
