"""Every task run twice, and four times at once on connections of its own, leaves the tables as running it once does."""

import hashlib
import json
import threading
import time
from datetime import date, datetime, timedelta

import pytest
from django.apps import apps
from django.db import connection, connections, transaction
from django.db.models import AutoField
from django.utils import timezone
from django.utils.translation import override

from incubator.certification.models import Candidate
from incubator.certification.services import evaluate
from incubator.common.errors import Stale
from incubator.jobs import services as jobs
from incubator.jobs.models import Job
from incubator.metrics.choices import Platform, Source
from incubator.metrics.models import QuarantinedReading, RefreshRun, RegionDay
from incubator.metrics.partitions import ensure_partitions, months_there, partition_name
from incubator.metrics.reconciliation import differences
from incubator.metrics.services import start_refresh
from incubator.metrics.services.readings import Figures, Origin, accept_reading, hold_unusable, write_figures
from incubator.metrics.services.reconcile import put_right
from incubator.metrics.services.rollups import lock_writing, recount_regions
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

DAY = date(2026, 9, 1)
AT = datetime(2026, 9, 1, 3, 0, tzinfo=factories.SHANGHAI)
NOW = timezone.now()  # a refresh of another day than today is refused
ROOMS = ("metrics", "certification", "jobs")
# What the clock tells at the moment of writing. Every other column has to be equal, numbers that sequences give apart.
MOMENTS = {
    "metrics.QuarantinedReading": {"decided_at"},
    "certification.CandidateEvent": {"at"},
    "certification.Recheck": {"since"},
    "metrics.RefreshRun": {"finished_at"},
    "metrics.RefreshBatch": {"finished_at"},
    "jobs.Job": {"created_at", "resend_at", "not_before", "started_at", "finished_at"},
}


def fingerprints():
    """A hash of every table of the rooms by its name, and one of the months of readings and their indexes."""
    runs = {run.pk: str(run) for run in RefreshRun.objects.all()}
    found = {
        model._meta.label: _hash(_row(model, values, runs) for values in model._base_manager.values())
        for room in ROOMS
        for model in apps.get_app_config(room).get_models()
        if model._meta.label not in LOGS
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename, indexname FROM pg_indexes WHERE tablename LIKE 'metrics_reading%%'")
        return found | {"months": _hash(map(list, cursor.fetchall()))}


def _row(model, values, runs):
    passing = MOMENTS.get(model._meta.label, set())
    passing = passing | {field.name for field in model._meta.concrete_fields if isinstance(field, AutoField)}
    named = {name: value for name, value in values.items() if name not in passing and name != "pk"}
    return named | ({"run_id": runs.get(named["run_id"])} if "run_id" in named else {})


def _hash(rows):
    lines = sorted(json.dumps(row, default=str, sort_keys=True) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def four_at_once(task):
    """Run it by four threads that begin at the same instant; whatever one of them raises is raised here."""
    gate, errors = threading.Barrier(4), []

    def work():
        try:
            connection.ensure_connection()
            gate.wait(timeout=30)
            with override("en"):  # titles of jobs are in the language of whoever asks; a thread begins without one
                task()
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    if errors:
        raise errors[0]


@pytest.fixture(autouse=True)
def months_of_this_test():
    """Months are tables: those that a test made do not stay for the next."""
    before = months_there()
    yield
    with connection.cursor() as cursor:
        for month in months_there() - before:
            cursor.execute(f"DROP TABLE {partition_name(month)}")


@pytest.fixture(autouse=True)
def one_language():
    """Whatever language a page of an earlier test was in."""
    with override("en"):
        yield


@pytest.fixture(autouse=True)
def nothing_sent(monkeypatch, settings):
    settings.READINGS_KEEP_MONTHS = 0
    monkeypatch.setattr(jobs, "_send_now", lambda job_id: None)


# --- Tasks: each makes its world and gives back what is to be done in it ----------------------------------------------


def _people():
    """Five people of two counties, the first with two accounts; all have been read on ``DAY``."""
    counties = [factories.region("622927"), factories.region("520526")]
    people = [factories.TraineeFactory(county=counties[n % 2]) for n in range(5)]
    accounts = [factories.CreatorAccountFactory(trainee=people[n % 5]) for n in range(6)]
    write(accounts, [9_000, 60_000, 10_000, 10_000, 40_000, 9_500])
    return accounts


def write(accounts, followers, *, days=0, at=AT):
    rows = [(a.pk, DAY + timedelta(days=days), f, None) for a, f in zip(accounts, followers, strict=True)]
    write_figures(Figures.of(rows), Origin(Source.API, at))


def writing():
    """Three days at once: one that corrects, odd figures that the next day confirms and contradicts, a crossing."""
    accounts = _people()
    hold_unusable([(accounts[0].pk, "missing", "")], day=DAY + timedelta(days=1), origin=Origin(Source.API, AT))
    days = (
        (0, [9_100, 60_000, 10_000, 10_000, 40_000, 9_500]),
        (1, [9_990, 60_100, 200_000, 3, 40_100, 9_600]),
        (2, [10_400, 60_200, 210_000, 10_050, 90_000, 700]),
    )
    rows = [
        (a.pk, DAY + timedelta(days=n), f, 5) for n, figures in days for a, f in zip(accounts, figures, strict=True)
    ]
    return lambda: write_figures(Figures.of(rows), Origin(Source.API, AT + timedelta(hours=1)))


def holding_unusable():
    accounts = _people()
    answers = [(accounts[0].pk, "missing", "null"), (accounts[1].pk, "negative", "-5")]
    hold_unusable(answers[:1], day=DAY + timedelta(days=1), origin=Origin(Source.API, AT))
    return lambda: hold_unusable(answers, day=DAY + timedelta(days=2), origin=Origin(Source.API, AT))


def accepting():
    accounts, staff = _people(), factories.UserFactory()
    write(accounts, [9_000, 6, 10_000, 10_000, 400_000, 9_500], days=1)
    held = list(QuarantinedReading.objects.order_by("pk"))
    assert len(held) == 2

    def accept():
        for row in held:
            try:
                accept_reading(QuarantinedReading.objects.get(pk=row.pk), by=staff, remark="seen")
            except Stale:
                continue

    return accept


def recounting():
    write(_people(), [9_000, 60_000, 10_000, 10_000, 40_000, 9_500], days=1)
    RegionDay.objects.update(followers=1)
    return lambda: recount_regions(["622927", "520526"], since=DAY)


def putting_right():
    write(_people(), [10_500, 60_000, 10_000, 10_000, 40_000, 9_500], days=1)
    RegionDay.objects.filter(code="620000").delete()
    return lambda: put_right(differences(since=DAY, until=DAY + timedelta(days=1)))


def evaluating():
    factories.RuleFactory()
    for n in range(5):
        person = factories.graduate_row(DAY)
        account = factories.CreatorAccountFactory(trainee=person.trainee)
        write([account], [99_998 + n], days=3)
    return lambda: evaluate(on=DAY + timedelta(days=4))


def making_months():
    """A reading whose month has no table moves to it; the months ahead are made, a closed one gets its index."""
    [account, *_others] = _people()
    write([account], [9_100], days=1_600)
    ensure_partitions(on=DAY)
    return lambda: ensure_partitions(on=DAY + timedelta(days=1_600))


def starting_a_refresh():
    _people()
    return lambda: start_refresh(platform=Platform.KUAISHOU, day=timezone.localdate(NOW), at=NOW)


def sweeping():
    past = NOW - timedelta(minutes=5)
    Job.objects.create(kind="test", key="message lost", resend_at=past)
    Job.objects.create(kind="test", key="worker lost", state="running", lease_until=past, attempts=1)
    Job.objects.create(kind="test", key="given up", state="running", lease_until=past, attempts=5)
    Job.objects.create(kind="test", key="well", state="running", lease_until=NOW + timedelta(minutes=5), attempts=1)
    return lambda: jobs.sweep(at=NOW)


TASKS = {
    writing: "metrics.Reading",
    holding_unusable: "metrics.QuarantinedReading",
    accepting: "metrics.Reading",
    recounting: "metrics.RegionDay",
    putting_right: "metrics.RegionDay",
    evaluating: "certification.Candidate",
    making_months: "months",
    starting_a_refresh: "metrics.RefreshRun",
    sweeping: "jobs.Job",
}


def empty():
    """Tables as before the world was made, numbers of sequences and tables of months included."""
    tables = [
        model._meta.db_table for model in apps.get_models() if model._meta.managed and model._meta.label not in KEPT
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE")
        for month in months_there():
            cursor.execute(f"DROP TABLE {partition_name(month)}")


KEPT = {"contenttypes.ContentType", "auth.Permission"}
LOGS = {"certification.Evaluation"}  # each time it is done is a row


@pytest.mark.parametrize("make", TASKS, ids=lambda make: make.__name__)
def test_twice_and_four_times_at_once_leave_what_once_leaves(make):
    factories.reset_sequences()
    empty()
    task = make()
    before = fingerprints()
    task()
    once = fingerprints()
    assert once[TASKS[make]] != before[TASKS[make]], "the task does nothing that could be doubled"

    task()
    assert fingerprints() == once

    factories.reset_sequences()
    empty()
    task = make()
    assert fingerprints() == before
    four_at_once(task)
    assert fingerprints() == once


def test_the_hashes_see_one_changed_figure():
    _people()
    before = fingerprints()
    RegionDay.objects.filter(code="622927").update(growth=1)
    changed = {name for name, value in fingerprints().items() if value != before[name]}
    assert changed == {"metrics.RegionDay"} and not Candidate.objects.exists()


def test_accepting_a_figure_waits_for_the_writer_without_holding_the_row():
    """A night's batch takes the lock of writers and then the row; the other way round the two would wait for ever."""
    account = factories.CreatorAccountFactory()
    write_figures(Figures.of([(account.pk, DAY - timedelta(days=1), 90_000, None)]), Origin(Source.API, AT))
    write_figures(Figures.of([(account.pk, DAY, 30_000, None)]), Origin(Source.API, AT))
    row = QuarantinedReading.objects.get()
    user = factories.UserFactory()

    def accept():
        try:
            accept_reading(row, by=user)
        finally:
            connections.close_all()

    thread = threading.Thread(target=accept)
    with transaction.atomic():
        with connection.cursor() as cursor:
            lock_writing(cursor)
            thread.start()
            wait_for_a_waiter(cursor)
        QuarantinedReading.objects.select_for_update(nowait=True).get(pk=row.pk)
    thread.join()

    assert QuarantinedReading.objects.get().state == "accepted"


def wait_for_a_waiter(cursor):
    """Until another connection waits for the lock of writers."""
    deadline = time.monotonic() + 30
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    while not cursor.execute(waiting).fetchone()[0]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
