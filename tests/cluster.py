"""A throw-away PostgreSQL and Valkey for one test run, loaded with ``-p tests.cluster`` before any settings are read.

The addresses are set when this module is imported; the servers start with the session, so that ``--help`` and
``--collect-only`` start nothing. TEST_DATABASE_URL (and, for the broker, TEST_REDIS_URL) name servers to use instead.
"""

import contextlib
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import IO

import pytest

from incubator.embedded.errors import EmbeddedError
from incubator.embedded.folders import locked, private_dir, try_lock
from incubator.embedded.postgres import EmbeddedPostgres
from incubator.embedded.server import Server
from incubator.embedded.valkey import EmbeddedValkey

PREFIX = f"incubator-test-{os.getuid()}-"


class Cluster:
    """The servers of this run, in a folder of their own whose lock says that the run is alive."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.gettempdir()) / f"{PREFIX}{os.getpid()}-{secrets.token_hex(3)}"
        self.postgres = EmbeddedPostgres(self.folder / "postgres", self.folder / "run", durable=False)
        self.valkey = EmbeddedValkey(self.folder / "valkey", self.folder / "run", durable=False)
        self.used: list[Server] = []
        self._lock: IO[str] | None = None

    def set_addresses(self) -> None:
        """Point the settings that are read next at this run's servers, or at those the environment names."""
        # Files that the product writes while it is tested stay out of the project's own var folder.
        os.environ["INCUBATOR_VAR"] = str(self.folder)
        # A server thread must not hold a connection when the test database is taken down.
        os.environ["DATABASE_CONN_MAX_AGE"] = "0"
        if given := os.environ.get("TEST_DATABASE_URL"):
            os.environ["DATABASE_URL"] = given
        else:
            os.environ["DATABASE_URL"] = self.postgres.url()
            self.used.append(self.postgres)
        if given := os.environ.get("TEST_REDIS_URL"):
            os.environ["REDIS_URL"] = given
        else:
            os.environ["REDIS_URL"] = self.valkey.url()
            self.used.append(self.valkey)

    def start(self) -> None:
        with locked(Path(tempfile.gettempdir()) / f"{PREFIX}lock"):
            remove_stale()
            private_dir(self.folder)
            self._lock = try_lock(self.folder / "alive")
        for server in self.used:
            server.start()

    def stop(self) -> None:
        if self._lock is None:
            return
        for server in self.used:
            server.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()
        self._lock = None


def remove_stale() -> None:
    """Remove the folders of test runs that were killed, and what may still live in them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        with contextlib.suppress(OSError):
            lock = try_lock(folder / "alive")
            if lock is None:
                continue
            for kind in (EmbeddedPostgres, EmbeddedValkey):
                kind(folder / kind.__name__.removeprefix("Embedded").lower(), folder / "run").kill()
            shutil.rmtree(folder, ignore_errors=True)
            lock.close()


CLUSTER = Cluster()
CLUSTER.set_addresses()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    if session.config.option.collectonly:
        return
    try:
        CLUSTER.start()
    except EmbeddedError as error:
        raise pytest.UsageError(str(error)) from error


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    CLUSTER.stop()
