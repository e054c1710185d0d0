"""The runner as people meet it: started, killed, asked for the impossible."""

import json
import os
import signal
import socket
import subprocess
import sys

import psycopg
import pytest

from incubator import embedded
from incubator.embedded import PROJECT_DIR, processes
from incubator.embedded.errors import EmbeddedError
from incubator.embedded.runner import reserve_simulator_port
from tests.embedded.conftest import environment, free_port
from tests.embedded.test_postgres import sockets_of, tcp_listeners, tiny_disk  # noqa: F401

pytestmark = pytest.mark.broker


def test_everything_starts_survives_kills_and_stops(run, var):
    """One long story, because a start takes seconds: each kill is followed by a request that is answered."""
    first = run("--no-demo")
    first.wait_for("Ready:")
    assert first.status() == 200
    with psycopg.connect(embedded.database_url(var), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS number")
    assert only_the_web_listens(first)
    for part in ("worker", "web", "valkey", "postgresql", "beat"):
        killed = first.pid_of(part)
        os.kill(killed, signal.SIGKILL)
        assert processes.until(lambda killed=killed, part=part: first.pid_of(part) != killed, 60), first.printed()
    assert processes.until(lambda: answers(first), 60), first.printed()

    first.end()  # kill -9
    assert processes.until(lambda: first.survivors() == [], 8)

    second = run("--no-demo")
    second.wait_for("Ready:")
    assert second.status() == 200
    with psycopg.connect(embedded.database_url(var)) as connection:
        assert connection.execute("SELECT number FROM kept").fetchall() == [(1,)]
    third = run("--no-demo")
    assert third.finish() == 1
    assert "It runs already on http://127.0.0.1:" in third.printed()

    second.process.send_signal(signal.SIGINT)
    assert second.finish(5) == 0
    assert second.survivors() == []
    assert "Everything is stopped." in second.printed()


CREATORS = 300


def test_a_refresh_outlives_the_kill_of_everything_it_needs(run, var, platform):
    """Worker, broker, database and runner, each killed in turn while it reads: no reading is lost or doubled."""
    slow = {"KUAISHOU_BASE_URL": platform.url, "KUAISHOU_RATE_PER_SECOND": "30", "JOB_LEASE_SECONDS": "3"}
    first = run("--no-demo", **slow)
    first.wait_for("Ready:")
    beside(var, "tests.embedded.creators", consents=[consent(platform, f"ks{n}") for n in range(CREATORS)])
    beside(var, "incubator.embedded.child", "django", "refresh_followers", "--platform", "kuaishou", **slow)

    so_far = 0
    for part in ("worker", "valkey", "postgresql"):
        so_far = readings_beyond(var, so_far)
        assert so_far < CREATORS
        killed = first.pid_of(part)
        os.kill(killed, signal.SIGKILL)
        assert processes.until(lambda killed=killed, part=part: first.pid_of(part) != killed, 60), first.printed()
    assert readings_beyond(var, so_far) < CREATORS
    first.end()  # kill -9
    second = run("--no-demo", **slow)
    second.wait_for("Ready:")

    assert processes.until(lambda: rows(var, "SELECT 1 FROM metrics_refreshrun WHERE finished_at IS NOT NULL"), 60)
    told = {f"ks{n}": platform.state.followers(f"ks{n}") for n in range(CREATORS)}
    read = rows(var, "SELECT handle, followers FROM metrics_reading JOIN metrics_creatoraccount ON id = account_id")
    assert len(read) == CREATORS and dict(read) == told
    assert rows(var, "SELECT read, failed FROM metrics_refreshbatch") == [(CREATORS, 0)]


def consent(platform, handle):
    """A creator's consent as it would lie in our database: handle, open id, access and refresh token."""
    given = platform.state.consents["kuaishou"].give(handle)
    return handle, given.open_id, list(given.access)[-1], given.refresh_token


def beside(var, *module, consents=(), **more):
    """Run a module beside the runner, as somebody at another terminal does."""
    command = [sys.executable, "-m", *module]
    surroundings = environment(var, DJANGO_SETTINGS_MODULE="incubator.settings", **more)
    subprocess.run(command, cwd=PROJECT_DIR, env=surroundings, input=json.dumps(consents), text=True, check=True)


def rows(var, statement, *values):
    """What the database says; nothing while it is away."""
    try:
        with psycopg.connect(embedded.database_url(var), connect_timeout=2) as connection:
            return connection.execute(statement, values).fetchall()
    except psycopg.OperationalError:
        return []


def readings_beyond(var, count):
    """Wait until there are more readings than ``count``; how many."""
    assert processes.until(lambda: rows(var, "SELECT 1 FROM metrics_reading HAVING count(*) > %s", count), 60)
    return rows(var, "SELECT count(*) FROM metrics_reading")[0][0]


def answers(runner):
    try:
        return runner.status() == 200
    except OSError:
        return False


def only_the_web_listens(runner):
    """Whether no part of this run but the web server holds a listening TCP socket."""
    others = [runner.pid_of(part) for part in ("worker", "beat", "valkey", "postgresql")]
    return not tcp_listeners() & sockets_of(others) and bool(tcp_listeners() & sockets_of([runner.pid_of("web")]))


def one_sentence(runner, seconds=15):
    """What a failed start printed, which must be one line that begins with Error."""
    assert runner.finish(seconds) == 1
    errors = [line for line in runner.printed().splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1 and "Traceback" not in runner.printed(), runner.printed()
    return errors[0]


def test_a_port_in_use_is_one_sentence(run, var):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        runner = run("--no-demo", "--port", str(taken.getsockname()[1]))
        assert "is in use by another program" in one_sentence(runner)


def test_a_chosen_simulator_port_in_use_is_one_sentence(run, var):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        runner = run(SIMULATOR_PORT=str(taken.getsockname()[1]))
        assert "is in use by another program" in one_sentence(runner)


def test_a_reserved_simulator_port_is_kept_from_others_and_free_at_once_after(monkeypatch):
    monkeypatch.setenv("SIMULATOR_PORT", str(free_port()))
    with reserve_simulator_port() as reserved, socket.create_connection(reserved.getsockname()):
        reserved.accept()[0].close()  # the closing side is the one whose port lingers
        with pytest.raises(EmbeddedError, match="is in use by another program"):
            reserve_simulator_port()
    reserve_simulator_port().close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgres://user:hushhush@127.0.0.1:{port}/name", "Connection refused"),
        ("postgres://user:hushhush@/name?host=/nowhere", "No such file or directory"),
        ("sqlite:///file", "must begin with postgres://"),
        ("rubbish", "must begin with postgres://"),
    ],
)
def test_a_wrong_database_url_is_one_sentence_without_the_password(run, url, said):
    error = one_sentence(run("--no-demo", DATABASE_URL=url.format(port=free_port())))
    assert said in error and "DATABASE_URL" in error and "hushhush" not in error


def test_a_database_that_never_answers_is_one_sentence_within_seconds(run):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"postgres://user@127.0.0.1:{silent.getsockname()[1]}/name"
        assert "timeout" in one_sentence(run("--no-demo", DATABASE_URL=url))


def test_a_wrong_redis_url_is_one_sentence_without_the_password(run):
    error = one_sentence(run("--no-demo", REDIS_URL=f"redis://:hushhush@127.0.0.1:{free_port()}/0"))
    assert "REDIS_URL" in error and "hushhush" not in error


def test_a_full_disk_is_one_sentence(tiny_disk):  # noqa: F811
    command = [sys.executable, "-m", "incubator.embedded.runner", "--no-demo", "--port", str(free_port())]
    done = subprocess.run(
        command, cwd=PROJECT_DIR, env=environment(tiny_disk / "var"), capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 1
    assert "is full. Free at least 200 MB and start again." in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_stop_says_so_when_nothing_runs(var):
    command = [sys.executable, "-m", "incubator.embedded.runner", "--stop"]
    done = subprocess.run(command, cwd=PROJECT_DIR, env=environment(var), capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (0, "Nothing runs.\n")


def test_what_a_runner_decided_is_known_only_while_it_runs(var):
    (var / "run").mkdir()
    (var / "run" / embedded.RUNNER_FILE).write_text('{"KUAISHOU_BASE_URL": "http://127.0.0.1:8400"}')
    assert embedded.runner_environment(var) == {}
    from incubator.embedded.folders import try_lock

    with try_lock(var / "run" / embedded.RUNNER_LOCK):
        assert embedded.runner_environment(var) == {"KUAISHOU_BASE_URL": "http://127.0.0.1:8400"}
