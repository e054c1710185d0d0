"""A house of its own for fault tests: PostgreSQL, Valkey, the platform simulator and workers, all of which may die."""

import contextlib
import itertools
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import redis
from django.db import DatabaseError, OperationalError, connection
from django.utils import timezone
from kombu import pools
from kombu.exceptions import OperationalError as BrokerAway

from incubator.celery import app
from incubator.demo.simulator.consents import Consent
from incubator.embedded import PROJECT_DIR, cache_url_of
from incubator.embedded.postgres import EmbeddedPostgres
from incubator.embedded.valkey import EmbeddedValkey
from incubator.jobs.models import Job
from incubator.jobs.tasks import sweep_jobs
from incubator.metrics.choices import AccountState, Platform
from incubator.metrics.models import Authorisation, CreatorAccount, RefreshRun
from incubator.metrics.services import start_refresh
from tests.factories import SHANGHAI, region
from tests.platform import SimulatedPlatform
from trainees.models import Trainee

USER_INFO, REFRESH = "/openapi/user_info", "/oauth2/refresh_token"
DAY = date(2026, 9, 1)
AT = datetime(2026, 9, 1, 10, 0, tzinfo=SHANGHAI)
LEASE_SECONDS = 4
SWEEP_SECONDS = 0.5
RATE = 100  # calls a second of the common workers: a run of some hundred accounts takes some seconds
CHILDREN = 4
TIME = 60.0  # seconds a run may take on a machine that is busy with other things
LOG_LINE = logging.Formatter("{asctime} {levelname} {name} {message}", style="{")


class Workers:
    """One Celery worker with some forked processes, and what it logs."""

    def __init__(self, house: "House", children: int, settings: dict[str, Any]) -> None:
        self.log = house.logs / f"worker{next(house.numbers)}.log"
        flags = ["--pool", "prefork", "--concurrency", str(children), "--without-mingle", "--loglevel", "DEBUG"]
        command = ["incubator.embedded.child", "celery", "-A", "tests.faults.celery_app", "worker", *flags]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=PROJECT_DIR,
                env=house.environment() | {name: str(value) for name, value in settings.items()},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._forked = children

    def wait_until_ready(self) -> None:
        until(lambda: " ready." in self.log.read_text(errors="replace"), 60)

    def children(self) -> list[int]:
        """Ids of the forked processes."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in listed.split()]

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        """``kill -9`` for the worker and the processes it forked."""
        if self.is_alive:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)


class House:
    """The servers of one test session, and the scheduler, which is whoever waits for something here."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.logs, self.orders = folder, folder / "logs", folder / "orders"
        for made in (folder, self.logs, self.orders):
            made.mkdir()
        self.postgres = EmbeddedPostgres(
            folder / "postgres", folder / "run", durable=False, log=self.logs / "postgres.log"
        )
        self.valkey = EmbeddedValkey(folder / "valkey", folder / "run", log=self.logs / "valkey.log")
        self.platform = SimulatedPlatform(folder / "platform")
        self.numbers = itertools.count(1)
        self._common: Workers | None = None
        self._started: list[Workers] = []
        self._swept_at = 0.0

    def start(self) -> None:
        self.postgres.start()
        self.valkey.start()
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(migrate, cwd=PROJECT_DIR, env=self.environment(), check=True)

    def stop(self) -> None:
        for workers in self._started:
            workers.kill()
        self.platform.stop()
        self.valkey.kill()
        self.postgres.kill()

    def environment(self) -> dict[str, str]:
        """What makes a program of the product one of this house; it logs all it can."""
        return os.environ | {
            "DATABASE_URL": self.postgres.url(),
            "DATABASE_CONN_MAX_AGE": "60",
            "REDIS_URL": self.valkey.url(),
            "KUAISHOU_BASE_URL": self.platform.url,
            "KUAISHOU_RATE_PER_SECOND": str(RATE),
            "JOB_LEASE_SECONDS": str(LEASE_SECONDS),
            "LOG_LEVEL": "DEBUG",
            "FAULTS_ORDERS": str(self.orders),
        }

    # --- Workers ---

    def start_workers(self, children: int, **settings: Any) -> Workers:
        workers = Workers(self, children, settings)
        self._started.append(workers)
        workers.wait_until_ready()
        return workers

    def common_workers(self) -> Workers:
        """Those that tests share which want no others; started anew where a test killed them."""
        if self._common is None or not self._common.is_alive:
            self._common = self.start_workers(CHILDREN)
        return self._common

    def rest_common_workers(self) -> None:
        """For a test that has its own."""
        if self._common is not None:
            self._common.kill()

    def order_death(self, step: str) -> None:
        """The next process of a worker that comes to this step is killed there."""
        (self.orders / step).touch()

    def has_died(self, step: str) -> bool:
        return (self.orders / f"{step} done").exists()

    # --- Waiting ---

    def wait(self, true: Callable[[], Any], seconds: float = TIME) -> None:
        """Wait until something is true, and be the scheduler meanwhile. A database that is away is no answer yet."""

        def is_true() -> bool:
            self.sweep_in_time()
            try:
                return bool(true())
            except DatabaseError:
                connection.close()
                return False

        until(is_true, seconds)

    def sweep_in_time(self) -> None:
        """What the scheduler does: put the sweeper's message on the broker, if there is one."""
        if time.monotonic() - self._swept_at > SWEEP_SECONDS:
            self._swept_at = time.monotonic()
            with contextlib.suppress(BrokerAway):
                sweep_jobs.apply_async(retry=False)

    def finish(self, run: RefreshRun, seconds: float = TIME) -> RefreshRun:
        """Wait until a run is done or says why it is not."""
        self.wait(lambda: is_over(run), seconds)
        return RefreshRun.objects.get(pk=run.pk)

    # --- Between tests ---

    def clear(self) -> None:
        """An empty database and broker, and a platform in order that has counted nothing yet."""
        with redis.Redis.from_url(cache_url_of(self.valkey.url())) as broker:
            for key in broker.scan_iter("platform:*"):
                broker.delete(key)
            broker.delete("celery")
        until(_emptied, 20)
        for order in self.orders.iterdir():
            order.unlink()
        self._clear_platform()

    def _clear_platform(self) -> None:
        state = self.platform.state
        self.platform.mend()
        self.platform.set_clock(AT)
        state.arrivals.clear()
        state.calls.clear()
        state._totals.clear()
        for consents in state.consents.values():
            consents.by_handle.clear()

    @contextlib.contextmanager
    def at_home(self) -> Iterator[None]:
        """Queries and messages of this process go to this house's servers."""
        usual, url = connection.settings_dict, os.environ.get("REDIS_URL", "")
        connection.close()
        connection.settings_dict = usual | {"HOST": str(self.folder / "run"), "NAME": "incubator"}
        send_by(self.valkey.url())
        yield
        connection.close()
        connection.settings_dict = usual
        send_by(url)

    # --- What is to be read ---

    def connect(self, count: int, *, is_due: bool = False) -> list[CreatorAccount]:
        """Connected accounts; with ``is_due`` their access tokens end within the hour, so that each is exchanged."""
        county = region("622927")
        trainees = Trainee.objects.bulk_create(
            Trainee(number=f"T{n:04d}", name=f"学员{n}", county=county) for n in range(count)
        )
        accounts = CreatorAccount.objects.bulk_create(
            CreatorAccount(trainee=trainee, handle=f"ks{n:04d}", state=AccountState.LINKED)
            for n, trainee in enumerate(trainees)
        )
        Authorisation.objects.bulk_create(self._authorisation(account, is_due) for account in accounts)
        return accounts

    def _authorisation(self, account: CreatorAccount, is_due: bool) -> Authorisation:
        consent = self.consents.give(account.handle)
        return Authorisation(
            account=account,
            external_id=consent.open_id,
            access_token=list(consent.access)[-1],
            refresh_token=consent.refresh_token,
            access_expires_at=AT + timedelta(minutes=10 if is_due else 2000),
            refresh_expires_at=AT + timedelta(days=180),
            scopes=["user_info"],
            granted_at=AT,
        )

    @property
    def consents(self) -> Any:
        return self.platform.state.consents["kuaishou"]

    def consent(self, handle: str) -> Consent:
        return self.consents.by_handle[handle]

    def begin(self) -> RefreshRun:
        """Begin the run of the day with the batches the product makes of it."""
        return start_refresh(platform=Platform.KUAISHOU, day=DAY, at=AT + (timezone.now() - self.began_at))

    @property
    def began_at(self) -> datetime:
        """The real instant that the simulated clock calls ``AT``."""
        return timezone.now() - timedelta(seconds=self.platform.state.now() - AT.timestamp())


def _emptied() -> bool:
    """Empty all tables; False where the last statement of a worker stood in the way."""
    tables = sorted(set(connection.introspection.table_names()) - {"django_migrations"})
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE")
    except OperationalError:
        return False
    return True


def is_over(run: RefreshRun) -> bool:
    """Done, and what follows a run too; or stopped, with nobody at work on it any more."""
    now = RefreshRun.objects.get(pk=run.pk)
    return bool(now.finished_at or now.has_stopped) and not Job.objects.live().exists()


def until(true: Callable[[], Any], seconds: float) -> None:
    """Wait until something is true. Fails when it does not become so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} seconds"
        time.sleep(0.05)


def send_by(url: str) -> None:
    """Let this process's Celery application send its messages to another broker."""
    pools.reset()
    app._pool = app.amqp._producer_pool = None
    app.conf.broker_url = app.conf.broker_write_url = app.conf.broker_read_url = url
