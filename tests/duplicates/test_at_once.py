"""Several at once: one wins, nobody waits for ever, nothing is lost. Threads with connections of their own."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from incubator.common.errors import RuleBroken, Stale
from incubator.duplicates import services
from incubator.duplicates.models import DuplicatePair, Merge
from incubator.duplicates.services import ask_about, merge_people, undo_merge
from incubator.metrics.models import CreatorAccount
from incubator.metrics.services import register_accounts
from incubator.metrics.services.readings import write_readings
from incubator.programmes.models import Participation
from incubator.programmes.services import nominate_trainees
from incubator.rosters import services as rosters
from incubator.rosters.services import apply_roster, check_roster, upload_roster
from tests import factories
from tests.duplicates.world import ID_ONE, ID_OTHER, TODAY, furnish, pair_of, record
from tests.grants.test_services import in_parallel
from tests.metrics.test_readings import assert_regions_are_true
from tests.rosters.test_import import HEADERS
from trainees.models import FormerNumber, Trainee

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def staff():
    return factories.superuser()


@pytest.fixture
def two(staff):
    one, other = record("T2026-9000001", id_number=ID_ONE), record("T2026-9000002", id_number=ID_OTHER)
    furnish(one, staff, "one", followers=[15_000])
    furnish(other, staff, "other", followers=[120_000])
    return one, other


def faults(results):
    """What was raised and is no sentence for people."""
    return [result for result in results if isinstance(result, Exception) and not isinstance(result, RuleBroken)]


@pytest.mark.parametrize("attempt", range(3))
def test_of_two_who_merge_one_pair_one_wins(two, staff, attempt):
    one, other = two
    pair = pair_of(one, other)

    results = in_parallel(
        lambda: merge_people(DuplicatePair.objects.get(pk=pair.pk), stays=one.pk, by=staff),
        lambda: merge_people(DuplicatePair.objects.get(pk=pair.pk), stays=other.pk, by=staff),
    )

    assert sorted(type(result).__name__ for result in results) == ["Merge", "Stale"]
    [merge] = Merge.objects.all()
    assert list(Trainee.objects.all()) == [merge.survivor]
    assert Participation.objects.filter(trainee=merge.survivor).count() == 2
    assert_regions_are_true()


def test_of_two_who_undo_one_wins(two, staff):
    pair = merge_people(pair_of(*two), stays=two[0].pk, by=staff).pair

    results = in_parallel(*[lambda: undo_merge(pair, by=staff, reason="sisters")] * 2)

    assert sorted(type(result).__name__ for result in results) == ["Merge", "Stale"]
    assert Trainee.objects.count() == 2
    assert_regions_are_true()


class Held:
    """A piece of work that stops in the middle, inside its transaction, until it is let go."""

    def __init__(self, monkeypatch, where, name):
        self.reached, self.let_go = threading.Event(), threading.Event()
        original = getattr(where, name)

        def stopping(*args, **kwargs):
            done = original(*args, **kwargs)
            self.reached.set()
            assert self.let_go.wait(timeout=20)
            return done

        monkeypatch.setattr(where, name, stopping)


def in_background(workers, work):
    def run():
        try:
            return work()
        except Exception as error:
            return error
        finally:
            connections.close_all()

    return workers.submit(run)


def roster_of(other, staff):
    """A checked roster that names the other record by its ID number, and a new account of theirs."""
    from io import BytesIO

    import xlsxwriter

    file = BytesIO()
    book = xlsxwriter.Workbook(file)
    sheet = book.add_worksheet()
    for row, cells in enumerate([HEADERS, ["1", "马小兰", "女", ID_OTHER, "13800000002", "", "吹麻滩镇", "ks-new"]]):
        for column, cell in enumerate(cells):
            sheet.write_string(row, column, cell)
    book.close()
    file.seek(0)
    roster = upload_roster(file, cohort=factories.CohortFactory(), region=other.county, by=staff, name="名册.xlsx")
    check_roster(roster, on=TODAY)
    roster.refresh_from_db()
    assert roster.matched_count == 1, [str(finding) for finding in roster.findings.all()]
    return roster


def test_a_merge_waits_for_no_import_that_writes_to_one_of_the_two(two, staff, monkeypatch):
    """The import was first: the merge is told to come again, and then takes along what the import wrote."""
    one, other = two
    pair, roster = pair_of(one, other), roster_of(other, staff)
    held = Held(monkeypatch, rosters, "write_rows")
    with ThreadPoolExecutor(1) as workers:
        applied = in_background(workers, lambda: apply_roster(roster, by=staff, on=TODAY))
        assert held.reached.wait(timeout=20)
        began = time.monotonic()
        with pytest.raises(Stale):
            merge_people(pair, stays=one.pk, by=staff)
        assert time.monotonic() - began < 15
        held.let_go.set()
        assert applied.result(timeout=20).state == "applied"

    merge_people(pair, stays=one.pk, by=staff)

    assert Participation.objects.filter(trainee=one).count() == 3
    assert CreatorAccount.objects.get(handle="ks-new").trainee_id == one.pk


def test_an_import_that_meets_a_merge_loses_nothing(two, staff, monkeypatch):
    """The merge was first: the import waits for it and writes to the person who stays, or is to be checked again."""
    one, other = two
    pair, roster = pair_of(one, other), roster_of(other, staff)
    held = Held(monkeypatch, services, "recount_joined")
    kept = {"id_number": other.pk}
    with ThreadPoolExecutor(2) as workers:
        merged = in_background(workers, lambda: merge_people(pair, stays=one.pk, by=staff, kept=kept))
        assert held.reached.wait(timeout=20)
        applied = in_background(workers, lambda: apply_roster(roster, by=staff, on=TODAY))
        time.sleep(1.5)  # longer than it takes to notice a deadlock
        held.let_go.set()
        assert isinstance(merged.result(timeout=20), Merge)
        result = applied.result(timeout=20)

    roster.refresh_from_db()
    if isinstance(result, Stale):
        assert roster.state == "checked" and Participation.objects.count() == 2
        check_roster(roster, on=TODAY)
        result = apply_roster(roster, by=staff, on=TODAY)
    assert result.state == "applied"
    assert Participation.objects.filter(trainee=one).count() == 3
    assert CreatorAccount.objects.get(handle="ks-new").trainee_id == one.pk


def test_whoever_adds_to_a_person_who_is_being_merged_away_is_told(two, staff, monkeypatch):
    one, other = two
    pair, cohort, third = pair_of(one, other), factories.CohortFactory(), record("T2026-9000003")
    held = Held(monkeypatch, services, "recount_joined")
    with ThreadPoolExecutor(4) as workers:
        merged = in_background(workers, lambda: merge_people(pair, stays=one.pk, by=staff))
        assert held.reached.wait(timeout=20)
        late = [
            in_background(workers, lambda: nominate_trainees([other], cohort=cohort, on=TODAY, by=staff)),
            in_background(workers, lambda: register_accounts([(other, "ks-late")])),
        ]
        asked = in_background(workers, lambda: ask_about([(other.pk, third.pk, "phone")]))
        time.sleep(0.5)
        held.let_go.set()
        assert isinstance(merged.result(timeout=20), Merge)
        assert [type(one.result(timeout=20)) for one in late] == [Stale, Stale]
        assert asked.result(timeout=20) == 0

    assert Participation.objects.count() == CreatorAccount.objects.count() == 2


def test_a_reading_that_comes_during_a_merge_is_counted(two, staff, monkeypatch):
    one, other = two
    pair, accounts = pair_of(one, other), list(CreatorAccount.objects.order_by("pk"))
    held = Held(monkeypatch, services, "plan_merge")
    day = TODAY + timedelta(days=1)
    rows = [(account.pk, day, 130_000, None) for account in accounts]
    with ThreadPoolExecutor(2) as workers:
        merged = in_background(workers, lambda: merge_people(pair, stays=one.pk, by=staff))
        assert held.reached.wait(timeout=20)
        read = in_background(workers, lambda: write_readings(rows, source="api", at=timezone.now()))
        time.sleep(0.5)
        held.let_go.set()
        assert isinstance(merged.result(timeout=20), Merge)
        assert read.result(timeout=20).written + read.result().quarantined == 2

    assert_regions_are_true()


@pytest.mark.parametrize("seed", range(2))
def test_a_crowd_leaves_everybody_somewhere_and_nobody_twice(staff, seed):
    """Six people, each a question with each, merged, undone, nominated and read by eight threads at once."""
    dice = random.Random(seed)
    people = [record(f"T2026-900000{n}") for n in range(6)]
    for n, person in enumerate(people):
        furnish(person, staff, f"n{n}", followers=[10_000 + n])
    pairs = [pair_of(a, b).pk for i, a in enumerate(people) for b in people[i + 1 :]]
    cohorts = [factories.CohortFactory() for _n in range(3)]
    accounts = list(CreatorAccount.objects.values_list("pk", flat=True))

    def busy(seed):
        own = random.Random(seed)
        raised = []
        for n in range(6):
            try:
                act(own, own.choice(["merge", "merge", "undo", "nominate", "read"]), n)
            except (RuleBroken, Trainee.DoesNotExist, DuplicatePair.DoesNotExist):
                pass  # told so, or gone before the look
            except Exception as error:
                raised.append(error)
        return raised

    def act(own, what, n):
        if what == "merge":
            pair = DuplicatePair.objects.get(pk=own.choice(pairs))
            merge_people(pair, stays=own.choice([pair.first_id, pair.second_id]) or 0, by=staff)
        elif what == "undo":
            undo_merge(DuplicatePair.objects.get(pk=own.choice(pairs)), by=staff, reason="no")
        elif what == "nominate":
            person = Trainee.objects.get(pk=own.choice(people).pk)
            nominate_trainees([person], cohort=own.choice(cohorts), on=TODAY, by=staff)
        else:
            day = TODAY + timedelta(days=1 + n % 2)
            rows = [(pk, day, 11_000 + pk % 50, None) for pk in own.sample(accounts, 3)]
            write_readings(rows, source="api", at=timezone.now())

    results = in_parallel(*[partial(busy, dice.random()) for _n in range(8)])

    assert [raised for raised in results if raised] == []
    gone = set(FormerNumber.objects.values_list("former_id", flat=True))
    there = set(Trainee.objects.values_list("pk", flat=True))
    assert gone.isdisjoint(there) and gone | there == {person.pk for person in people}
    assert Merge.objects.in_force().count() == len(gone)
    assert CreatorAccount.objects.count() == 6
    assert set(CreatorAccount.objects.values_list("trainee", flat=True)) <= there
    assert Participation.objects.count() >= 6
    assert_regions_are_true()


def test_a_held_row_is_not_waited_for(two, staff):
    """Somebody else holds a participation of one of the two: the merge says so after a while and changes nothing."""
    one, other = two
    pair = pair_of(one, other)
    held, let_go = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            Participation.objects.select_for_update().get(trainee=other)
            held.set()
            let_go.wait(timeout=30)

    with ThreadPoolExecutor(1) as workers:
        holding = in_background(workers, hold)
        assert held.wait(timeout=10)
        with pytest.raises(Stale):
            merge_people(pair, stays=one.pk, by=staff)
        let_go.set()
        assert holding.result(timeout=20) is None

    assert Trainee.objects.count() == 2
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)
