"""Embedded servers in folders of their own, ended whatever happens."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psycopg
import pytest

from incubator.embedded import PROJECT_DIR, processes, socket_dir
from incubator.embedded.postgres import EmbeddedPostgres
from incubator.embedded.runner import MARK
from incubator.embedded.valkey import EmbeddedValkey


@pytest.fixture
def var(tmp_path):
    folder = tmp_path / "var"
    folder.mkdir()
    yield folder
    processes.end(lambda: processes.marked(MARK, str(folder)))
    EmbeddedPostgres(folder / "postgres", socket_dir(folder)).kill()
    EmbeddedValkey(folder / "valkey", socket_dir(folder)).kill()


@pytest.fixture
def postgres(var):
    server = EmbeddedPostgres(var / "postgres", socket_dir(var))
    yield server
    server.kill()


@pytest.fixture
def valkey(var):
    server = EmbeddedValkey(var / "valkey", socket_dir(var))
    yield server
    server.kill()


def sql(server: EmbeddedPostgres, statement: str) -> list[tuple]:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(var: Path, **more: str) -> dict[str, str]:
    """The surroundings of a person at a terminal: this test run's own servers are not known there."""
    ours = ("DATABASE_URL", "REDIS_URL", "INCUBATOR_VAR", "SIMULATOR_PORT")
    return {**{key: value for key, value in os.environ.items() if key not in ours}, "INCUBATOR_VAR": str(var), **more}


class RunnerProcess:
    """``python -m incubator.embedded.runner`` as a person starts it, with what it printed."""

    def __init__(self, var: Path, *arguments: str, **more: str) -> None:
        self.var = var
        self.port = free_port()
        self.output = var.parent / f"runner-{time.monotonic_ns()}.txt"
        command = [sys.executable, "-m", "incubator.embedded.runner", "--port", str(self.port), *arguments]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                command, stdout=output, stderr=output, cwd=PROJECT_DIR, env=environment(var, **more)
            )

    def printed(self) -> str:
        return self.output.read_text()

    def wait_for(self, text: str, seconds: float = 180) -> None:
        found = processes.until(lambda: text in self.printed() or self.process.poll() is not None, seconds)
        assert found and text in self.printed(), self.printed()

    def finish(self, seconds: float = 30) -> int:
        return self.process.wait(seconds)

    def pid_of(self, part: str) -> int:
        return int((self.var / "run" / f"{part}.pid").read_text())

    def status(self) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=10) as answer:
            return answer.status

    def survivors(self) -> list[int]:
        """Every process that belongs to this run's folder and still lives."""
        folders = [("postgres", EmbeddedPostgres.programs), ("valkey", EmbeddedValkey.programs)]
        servers = [pid for name, programs in folders for pid in processes.living_in(self.var / name, programs)]
        return [*processes.marked(MARK, str(self.var)), *servers]

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def run(var):
    """Start the runner; what is still there at the end of the test is killed."""
    started: list[RunnerProcess] = []

    def start(*arguments: str, **more: str) -> RunnerProcess:
        started.append(RunnerProcess(var, *arguments, **more))
        return started[-1]

    yield start
    for runner in started:
        runner.end()
