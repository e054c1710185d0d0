"""A pool never promises more than it has, at any concurrency, and every way out gives back."""

import threading
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.db.models import Sum

from incubator.common.errors import RuleBroken, Stale
from incubator.grants.models import Grant, GrantMove, LedgerEntry, TrafficPool
from incubator.grants.services import approve_grant, cancel_grant, propose_grant, refuse_grant
from tests import factories

TODAY = date(2026, 7, 1)


@pytest.fixture
def staff(db):
    return factories.UserFactory()


def proposed(pool, impressions, by):
    return propose_grant(pool, participation=factories.graduate_row(TODAY), impressions=impressions, by=by, on=TODAY)


def assert_consistent(pool):
    """The row says what the ledger and the approved grants say, and no more than there is."""
    pool.refresh_from_db()
    ledger = LedgerEntry.objects.filter(pool=pool).aggregate(n=Sum("impressions"))["n"] or 0
    approved = Grant.objects.filter(pool=pool, state="approved").aggregate(n=Sum("impressions"))["n"] or 0
    assert pool.promised == ledger == approved
    assert pool.promised <= pool.impressions


def in_parallel(*works):
    """Run each in a thread with a connection of its own, all starting at once; what each returned or raised."""
    gate, results = threading.Barrier(len(works)), [None] * len(works)

    def run(index, work):
        try:
            gate.wait(timeout=10)
            results[index] = work()
        except Exception as error:
            results[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(3))
def test_of_two_approvals_of_the_last_impressions_one_wins(attempt):
    staff = factories.UserFactory()
    pool = factories.TrafficPoolFactory(impressions=100)
    grants = [proposed(pool, 60, staff) for _ in range(2)]
    results = in_parallel(
        *(lambda g=grant: approve_grant(Grant.objects.get(pk=g.pk), by=staff, on=TODAY) for grant in grants)
    )
    refused = [r for r in results if isinstance(r, RuleBroken)]
    assert len(refused) == 1, results
    assert "40" in str(refused[0])
    assert "60" in str(refused[0])
    assert sorted(Grant.objects.values_list("state", flat=True)) == ["approved", "proposed"]
    assert LedgerEntry.objects.count() == 1
    assert GrantMove.objects.count() == 1
    assert_consistent(pool)


@pytest.mark.django_db(transaction=True)
def test_of_two_approvals_of_one_grant_one_wins():
    staff = factories.UserFactory()
    pool = factories.TrafficPoolFactory(impressions=1000)
    grant = proposed(pool, 60, staff)
    results = in_parallel(
        *(lambda g=copy: approve_grant(g, by=staff, on=TODAY) for copy in (grant, Grant.objects.get(pk=grant.pk)))
    )
    assert len([r for r in results if isinstance(r, Stale)]) == 1, results
    assert_consistent(pool)


@pytest.mark.django_db(transaction=True)
def test_many_approvals_and_returns_at_once_leave_the_pool_consistent():
    staff = factories.UserFactory()
    pool = factories.TrafficPoolFactory(impressions=100)
    held = [proposed(pool, 20, staff) for _ in range(3)]
    for grant in held:
        approve_grant(grant, by=staff, on=TODAY)
    waiting = [proposed(pool, 30, staff) for _ in range(3)]
    in_parallel(
        *(lambda g=grant: cancel_grant(g, by=staff, reason="x") for grant in held),
        *(lambda g=grant: approve_grant(g, by=staff, on=TODAY) for grant in waiting),
    )
    assert_consistent(pool)


def test_last_impression_can_be_given(staff):
    pool = factories.TrafficPoolFactory(impressions=100)
    approve_grant(proposed(pool, 100, staff), by=staff, on=TODAY)
    pool.refresh_from_db()
    assert pool.left == 0
    with pytest.raises(RuleBroken):
        approve_grant(proposed(pool, 1, staff), by=staff, on=TODAY)
    assert_consistent(pool)


def test_refused_approval_leaves_no_trace(staff):
    pool = factories.TrafficPoolFactory(impressions=10)
    grant = proposed(pool, 11, staff)
    with pytest.raises(RuleBroken):
        approve_grant(grant, by=staff, on=TODAY)
    assert Grant.objects.get().state == "proposed"
    assert not GrantMove.objects.exists()
    assert_consistent(pool)


def test_cancelling_gives_back(staff):
    pool = factories.TrafficPoolFactory(impressions=100)
    grant = approve_grant(proposed(pool, 80, staff), by=staff, on=TODAY)
    cancel_grant(grant, by=staff, reason="退出项目")
    assert_consistent(pool)
    assert pool.left == 100
    assert list(LedgerEntry.objects.order_by("pk").values_list("kind", "impressions")) == [
        ("promise", 80),
        ("return", -80),
    ]
    with pytest.raises(RuleBroken):
        cancel_grant(grant, by=staff, reason="again")
    assert_consistent(pool)


def test_refused_grant_promises_nothing_and_stays_refused(staff):
    pool = factories.TrafficPoolFactory()
    grant = refuse_grant(proposed(pool, 80, staff), by=staff, reason="重复")
    assert_consistent(pool)
    with pytest.raises(RuleBroken):
        approve_grant(grant, by=staff, on=TODAY)


@pytest.mark.parametrize("service", [refuse_grant, cancel_grant])
def test_no_without_a_reason_is_refused(staff, service):
    grant = proposed(factories.TrafficPoolFactory(), 80, staff)
    if service is cancel_grant:
        approve_grant(grant, by=staff, on=TODAY)
    with pytest.raises(RuleBroken):
        service(grant, by=staff, reason="  ")
    assert Grant.objects.get().state == grant.state


@pytest.mark.parametrize(
    ("days_before", "is_allowed"),
    [(-1, False), (0, True), (179, True), (180, False)],
)
def test_grants_are_for_people_in_their_support_period(staff, days_before, is_allowed):
    person = factories.graduate_row(TODAY - timedelta(days=days_before))
    pool = factories.TrafficPoolFactory()
    if is_allowed:
        assert propose_grant(pool, participation=person, impressions=1, by=staff, on=TODAY).state == "proposed"
    else:
        with pytest.raises(RuleBroken):
            propose_grant(pool, participation=person, impressions=1, by=staff, on=TODAY)


@pytest.mark.parametrize("impressions", [0, -5])
def test_grant_gives_something(staff, impressions):
    with pytest.raises(RuleBroken):
        proposed(factories.TrafficPoolFactory(), impressions, staff)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE grants_ledgerentry SET impressions = 1",
        "UPDATE grants_ledgerentry SET by_id = by_id",
        "DELETE FROM grants_ledgerentry",
    ],
)
def test_ledger_entries_are_never_changed_or_deleted(staff, statement):
    approve_grant(proposed(factories.TrafficPoolFactory(), 10, staff), by=staff, on=TODAY)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    with pytest.raises(IntegrityError), transaction.atomic():
        LedgerEntry.objects.all().delete()
    assert LedgerEntry.objects.get().impressions == 10


def test_database_refuses_a_pool_that_promises_too_much(staff):
    pool = factories.TrafficPoolFactory(impressions=10)
    with pytest.raises(IntegrityError), transaction.atomic():
        TrafficPool.objects.filter(pk=pool.pk).update(promised=11)
