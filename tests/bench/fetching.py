"""Asking the platform: what one call costs our client, and how many accounts a run of refresh gets through."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from multiprocessing import get_context
from threading import local
from typing import Any

import requests
from django.conf import settings
from django.db import connections
from django.utils import timezone

from incubator.demo.simulator.curves import default_curve, followers_on
from incubator.metrics.batches import CONCURRENT_CALLS
from incubator.metrics.clients.base import Tokens
from incubator.metrics.limits import BrokerGate
from incubator.metrics.models import Authorisation, CreatorAccount, Reading, RefreshRun
from incubator.metrics.partitions import ensure_partitions
from incubator.metrics.platforms import client_for
from incubator.metrics.services import start_refresh
from incubator.metrics.services.readings import write_readings
from incubator.metrics.streaming import Stream, event_loop
from tests.bench.measure import Result, benchmark, rate, runs_at, timed
from tests.bench.one_by_one import read_one
from tests.bench.servers import database, post, simulator, workers
from tests.bench.world import people_and_accounts, run, say

PLATFORM = "kuaishou"
THREADS = 16  # of 4, 8, 16 and 40 the number makes no difference to the CPU of a call
WORKERS = 2
LONGEST_RUN = 600.0  # seconds
READ_AGAIN = (
    "DELETE FROM metrics_reading WHERE day = %(day)s",
    "DELETE FROM metrics_crossing WHERE day = %(day)s",
    "DELETE FROM metrics_spike WHERE day = %(day)s",
    "DELETE FROM metrics_quarantinedreading",
    "DELETE FROM metrics_refreshfailure",
    "DELETE FROM metrics_refreshbatch",
    "DELETE FROM metrics_refreshrun",
    "DELETE FROM jobs_job",
    "DELETE FROM metrics_callbudget",
    "DELETE FROM metrics_accountcalls",
    "TRUNCATE metrics_latestreading, metrics_regionday",
)


# --- The client -------------------------------------------------------------------------------------------------------


@benchmark("fetch_client")
def fetch_client(accounts: int) -> list[Result]:
    """Accounts a second of the client's own CPU: the simulator runs beside it and is not counted."""
    calls, runs = min(accounts // 10, 10_000), runs_at(accounts)
    ours: list[float] = []
    baseline: list[float] = []
    with simulator(settings.VAR_DIR) as url, _asking(url):
        tokens = _consents(url, [f"f{n}" for n in range(calls)])
        for n in range(runs + 1):
            say(f"fetch_client: measuring, run {n} of {runs}" if n else "fetch_client: warming up")
            ours.append(_cpu_seconds(lambda: ask_all(tokens)))
            baseline.append(_cpu_seconds(lambda: _ask_with_requests(url, tokens)))
    what = (
        f"{calls:,} follower counts from the simulator by the client as batches use it, gate included and rate not "
        f"limited; baseline: requests in {THREADS} threads, each with a session that it keeps."
    )
    return [Result("fetch_client", what, "accounts/CPU second", rate(calls, ours[1:]), rate(calls, baseline[1:]),
                   runs=runs)]  # fmt: skip


def _cpu_seconds(work: Callable[[], int]) -> float:
    """CPU seconds, user and system, that this process spends on the work."""
    began = time.process_time()
    work()
    return time.process_time() - began


def ask_all(tokens: Sequence[Tokens]) -> int:
    """One follower count of each, as a batch asks; returns their sum."""
    total = 0
    with event_loop() as runner:
        stack = AsyncExitStack()
        client = runner.run(_open(stack))
        stream: Stream[int] = Stream(runner, CONCURRENT_CALLS)
        for n, one in enumerate(tokens):
            stream.add(n, partial(client.fetch, one))
        for answer in stream:
            if answer is not None:
                [reading] = answer[1]
                total += reading.followers
        runner.run(stack.aclose())
    return total


async def _open(stack: AsyncExitStack) -> Any:
    gate = await stack.enter_async_context(BrokerGate(PLATFORM, 0))
    return await stack.enter_async_context(client_for(PLATFORM, gate=gate))


def _ask_with_requests(url: str, tokens: Sequence[Tokens]) -> int:
    """The usual way at its best: threads, each with a session that keeps its connection."""
    mine = local()

    def ask(one: Tokens) -> int:
        if not hasattr(mine, "session"):
            mine.session = requests.Session()
        query = {"app_id": settings.KUAISHOU_APP_ID, "access_token": one.access_token}
        answer = mine.session.get(f"{url}/openapi/user_info", params=query, timeout=10)
        answer.raise_for_status()
        return answer.json()["user_info"]["fan"]

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(ask, tokens))


@contextmanager
def _asking(url: str) -> Iterator[None]:
    """The settings of the platform turned to the simulator, without limits, for this process."""
    wanted = {"KUAISHOU_BASE_URL": url, "KUAISHOU_RATE_PER_SECOND": 0.0, "KUAISHOU_DAILY_BUDGET": 10_000_000}
    before = {name: getattr(settings, name) for name in wanted}
    for name, value in wanted.items():
        setattr(settings, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(settings, name, value)


def _consents(url: str, handles: Sequence[str]) -> list[Tokens]:
    """What the simulator gives for creators who consent, a thousand at a time."""
    given = []
    for start in range(0, len(handles), 1000):
        given += post(f"{url}/_simulator/consents", {"handles": handles[start : start + 1000]})
    return [_tokens(consent) for consent in given]


def _tokens(consent: dict[str, Any]) -> Tokens:
    access, until = next(reversed(consent["access"].items()))
    return Tokens(
        consent["open_id"],
        access,
        consent["refresh_token"],
        datetime.fromtimestamp(until, UTC),
        datetime.fromtimestamp(consent["refresh_until"], UTC),
        ("user_info",),
    )


# --- A run of refresh -------------------------------------------------------------------------------------------------


@benchmark("refresh_celery")
def refresh_celery(accounts: int) -> list[Result]:
    """Accounts a second from the plan to the last reading written, through Celery."""
    runs, accounts = runs_at(accounts), max(600, accounts // 50)
    some = accounts // 10
    folder = settings.VAR_DIR
    ours: list[float] = []
    baseline: list[float] = []
    limit: list[float] = []
    with database("refresh") as database_url, simulator(folder) as url, _asking(url):
        tokens = _connected(url, accounts)
        environment = {
            "DATABASE_URL": database_url,
            "KUAISHOU_BASE_URL": url,
            "KUAISHOU_RATE_PER_SECOND": "0",
            "KUAISHOU_DAILY_BUDGET": "10000000",
        }
        for n in range(1, runs + 1):
            say(f"refresh_celery: measuring, run {n} of {runs}")
            with timed(limit):
                _ask_from_processes(url, tokens)
            _as_of_yesterday()
            with workers(folder, "incubator", WORKERS, **environment):
                ours.append(_refresh(accounts))
            _as_of_yesterday()
            with workers(folder, "tests.bench.one_by_one", WORKERS, **environment):
                baseline.append(_one_by_one(some))
    what = (
        f"a refresh run of {accounts:,} accounts over {WORKERS} worker processes: planned, calls spent, fetched, "
        f"written with newest readings, crossings and regions; baseline: a task an account that fetches and writes "
        f"by update_or_create, {some:,} accounts; limit: the simulator, asked by {WORKERS} processes that write "
        "nothing."
    )
    return [Result("refresh_celery", what, "accounts/s", rate(accounts, ours), rate(some, baseline),
                   rate(accounts, limit), runs=runs)]  # fmt: skip


def _connected(url: str, accounts: int) -> list[Tokens]:
    """That many linked accounts whose creators consented at the simulator."""
    people_and_accounts(accounts)
    handles = dict(CreatorAccount.objects.order_by("pk").values_list("pk", "handle"))
    tokens = _consents(url, list(handles.values()))
    now = timezone.now()
    Authorisation.objects.bulk_create(
        (
            Authorisation(
                account_id=pk,
                external_id=one.external_id or "",
                access_token=one.access_token,
                refresh_token=one.refresh_token,
                access_expires_at=one.access_expires_at,
                refresh_expires_at=one.refresh_expires_at,
                scopes=list(one.scopes),
                granted_at=now,
            )
            for pk, one in zip(handles, tokens, strict=True)
        ),
        batch_size=1000,
    )
    return tokens


def _as_of_yesterday() -> None:
    """Nobody has been read today, everybody yesterday; the simulator's curves say with which figure."""
    today = timezone.localdate()
    yesterday = today - timedelta(days=1)
    for day in (yesterday, today):
        ensure_partitions(on=day)
        run(READ_AGAIN[0], day=day)
    for statement in READ_AGAIN:
        run(statement, day=today)
    write_readings(_figures_of(yesterday), source="api", at=timezone.now() - timedelta(days=1))
    run("VACUUM ANALYZE")


def _figures_of(day: date) -> Iterator[tuple[int, date, int, None]]:
    for pk, handle in CreatorAccount.objects.order_by("pk").values_list("pk", "handle"):
        yield pk, day, followers_on(default_curve(handle), day), None


def _refresh(accounts: int) -> float:
    """Seconds from asking for the run until it is finished with a reading of every account."""
    began = time.perf_counter()
    asked = start_refresh(platform=PLATFORM, day=timezone.localdate(), at=timezone.now())
    _until(lambda: RefreshRun.objects.get(pk=asked.pk).finished_at is not None)
    seconds = time.perf_counter() - began
    _all_read(accounts)
    return seconds


def _one_by_one(accounts: int) -> float:
    """Seconds from the first message until the last of that many accounts has a reading."""
    ids = list(CreatorAccount.objects.order_by("pk").values_list("pk", flat=True)[:accounts])
    began = time.perf_counter()
    for pk in ids:
        read_one.delay(pk)
    _until(lambda: _read_today() == accounts)
    return time.perf_counter() - began


def _read_today() -> int:
    return Reading.objects.filter(day=timezone.localdate()).count()


def _all_read(accounts: int) -> None:
    if _read_today() != accounts:
        raise RuntimeError(f"{_read_today()} of {accounts} accounts have a reading")


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + LONGEST_RUN
    while not true():
        if time.monotonic() > end:
            raise RuntimeError(f"not done within {LONGEST_RUN:.0f} seconds")
        time.sleep(0.05)


def _ask_from_processes(url: str, tokens: Sequence[Tokens]) -> None:
    connections.close_all()
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("fork")) as pool:
        list(pool.map(ask_all, (tokens[n::WORKERS] for n in range(WORKERS))))
