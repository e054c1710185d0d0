"""What the fetch benchmarks run beside them: the platform simulator, Celery workers, and a database of their own."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from incubator.embedded import PROJECT_DIR
from tests.bench.world import run

MANY = 100_000_000  # calls a day: here nobody is to be refused
TEMPLATE = "migrated"  # what new databases are copied from
PATIENCE = 60.0  # seconds a program gets to begin


@contextmanager
def simulator(folder: Path) -> Iterator[str]:
    """The platform simulator as a process of its own, empty; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    (folder / "simulator" / "journal.jsonl").unlink(missing_ok=True)
    arguments = ["--port", str(port), "--state-dir", str(folder / "simulator")]
    with _program(folder / "simulator.log", "django", "simulate_platform", *arguments):
        _wait_for(lambda: _answers(url), "The simulator")
        post(f"{url}/_simulator/limits", {"app_calls_a_day": MANY, "user_calls_a_day": MANY})
        yield url


@contextmanager
def workers(folder: Path, app: str, processes: int, **environment: str) -> Iterator[None]:
    """Real Celery workers of ``app`` on this database and broker, ready to work."""
    flags = ["--concurrency", str(processes), "--without-mingle", "--without-gossip", "--loglevel", "INFO"]
    log = folder / "worker.log"
    log.unlink(missing_ok=True)
    with _program(log, "celery", "-A", app, "worker", *flags, **environment):
        _wait_for(lambda: b" ready." in log.read_bytes(), "The worker")
        yield


@contextmanager
def database(name: str, *, is_kept: bool = False) -> Iterator[str]:
    """A database with all tables on the same server, and Django turned to it; gives its address.

    It is new and gone afterwards, unless it ``is_kept`` for the next time, migrated further.
    """
    usual = connection.settings_dict["NAME"]
    if not is_kept:
        run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    if not (is_kept and _exists(name)):
        run(f"CREATE DATABASE {name} TEMPLATE {_migrated()}")
    _turn_to(name)
    try:
        call_command("migrate", verbosity=0)
        yield os.environ["DATABASE_URL"].replace(f"/{usual}?", f"/{name}?", 1)
    finally:
        _turn_to(usual)
        if not is_kept:
            run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _migrated() -> str:
    """An empty database with all tables, to be copied: migrating takes half a minute, copying next to nothing."""
    usual = connection.settings_dict["NAME"]
    if not _exists(TEMPLATE):
        run(f"CREATE DATABASE {TEMPLATE}")
    _turn_to(TEMPLATE)
    try:
        call_command("migrate", verbosity=0)
    finally:
        _turn_to(usual)
    return TEMPLATE


def _exists(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        return cursor.fetchone() is not None


def _turn_to(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name


def post(url: str, body: dict[str, Any]) -> Any:
    """What one of the simulator's switches answers."""
    request = urllib.request.Request(url, json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


@contextmanager
def _program(log: Path, module: str, *arguments: str, **environment: str) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "incubator.embedded.child", module, *arguments],
            cwd=PROJECT_DIR,
            env={**os.environ, **environment, "INCUBATOR_VAR": str(settings.VAR_DIR)},
            stdout=output,
            stderr=output,
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_simulator/clock", timeout=1):
            return True
    except OSError:
        return False


def _wait_for(true: Any, what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > end:
            raise RuntimeError(f"{what} did not begin within {PATIENCE:.0f} seconds.")
        time.sleep(0.05)
