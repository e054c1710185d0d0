"""``python -m incubator.embedded.runner``: the whole product on one machine, from one terminal.

Starts PostgreSQL and Valkey (unless DATABASE_URL and REDIS_URL name others), then web, worker, beat and, in the demo,
the platform simulator. Ctrl-C stops all in order; a second one ends everything at once.
"""

import argparse
import json
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from incubator.embedded import PROJECT_DIR, RUNNER_FILE, RUNNER_LOCK, cache_url_of, processes, socket_dir, var_dir
from incubator.embedded.errors import EmbeddedError, explained
from incubator.embedded.folders import is_locked, last_lines, private_dir, try_lock
from incubator.embedded.postgres import EmbeddedPostgres
from incubator.embedded.server import Server
from incubator.embedded.supervisor import Program, StopRequested, Supervisor
from incubator.embedded.valkey import EmbeddedValkey

STOP_ORDER = (("web", "worker", "beat", "simulator"), ("Valkey",), ("PostgreSQL",))
MARK = "INCUBATOR_RUNNER"  # in the environment of every program we start, so that a killed runner's are found again
SIMULATOR_PORT = 8400
CONNECT_SECONDS = 5


@dataclass
class Options:
    port: int = 8000
    demo: bool = True
    var: Path = field(default_factory=var_dir)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def say(text: str) -> None:
    """Print at once. A terminal that is gone must not end the servers."""
    with suppress(OSError):
        print(text, flush=True)


# --- What runs -------------------------------------------------------------------------------------------------------


def servers(var: Path) -> list[Server]:
    """The embedded servers that the environment does not replace."""
    found: list[Server] = []
    if not os.environ.get("REDIS_URL"):
        found.append(EmbeddedValkey(var / "valkey", socket_dir(var), log=var / "log" / "valkey.log"))
    if not os.environ.get("DATABASE_URL"):
        found.append(EmbeddedPostgres(var / "postgres", socket_dir(var), log=var / "log" / "postgres.log"))
    return found


def environment(options: Options, simulator_port: int) -> dict[str, str]:
    """What every program gets on top of the user's own environment."""
    technical = {
        "DJANGO_SETTINGS_MODULE": "incubator.settings",
        "INCUBATOR_VAR": str(options.var),
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        MARK: str(options.var),
    }
    return {**os.environ, **technical, **choices(options, simulator_port)}


def choices(options: Options, simulator_port: int) -> dict[str, str]:
    """What this run decided, for its programs and for commands typed beside it (``embedded.runner_environment``)."""
    decided = {"INCUBATOR_PUBLIC_URL": os.environ.get("INCUBATOR_PUBLIC_URL") or options.address}
    if options.demo:
        decided |= {"INCUBATOR_DEMO": "1", "KUAISHOU_BASE_URL": f"http://127.0.0.1:{simulator_port}"}
    return decided


class Programs:
    """The programs of the product, ready to be started."""

    def __init__(self, options: Options, simulator_port: int) -> None:
        self.options = options
        self.simulator_port = simulator_port
        self.environment = environment(options, simulator_port)

    def web(self) -> Program:
        bind = ["--bind", f"127.0.0.1:{self.options.port}", "--no-control-socket"]
        size = ["--worker-class", "gthread", "--workers", "2", "--threads", "4", "--preload"]
        patience = ["--timeout", "120", "--graceful-timeout", "2"]
        hurry = (signal.SIGTERM, signal.SIGQUIT)
        flags = [*bind, *size, *patience]
        return self._program("web", "gunicorn", "incubator.wsgi:application", *flags, stop_signals=hurry)

    def worker(self) -> Program:
        """Asked twice, it hands back the message of the task it is in."""
        flags = ["--concurrency", "2", "--without-mingle", "--without-gossip", "--loglevel", "INFO"]
        hurry = (signal.SIGTERM, signal.SIGQUIT)
        return self._program("worker", "celery", "-A", "incubator", "worker", *flags, stop_signals=hurry)

    def beat(self) -> Program:
        return self._program("beat", "celery", "-A", "incubator", "beat", "--pidfile=", "--loglevel", "INFO")

    def simulator(self) -> Program:
        return self._program("simulator", "django", "simulate_platform", "--port", str(self.simulator_port))

    def prepare(self) -> Program:
        return self._program("prepare", "django", "prepare")

    def seed(self) -> Program:
        return self._program("seed_demo", "django", "seed_demo", live=True)

    def _program(self, name: str, module: str, *arguments: str, **more: object) -> Program:
        command = [sys.executable, "-m", "incubator.embedded.child", module, *arguments]
        log = self.options.var / "log" / f"{name}.log"
        return Program(name, command, log, self.environment, PROJECT_DIR, **more)  # type: ignore[arg-type]


# --- Before anything starts ------------------------------------------------------------------------------------------


def claim(var: Path) -> IO[str]:
    """The lock that says: this runner owns ``var``. Raises EmbeddedError while another one does."""
    with explained(var):
        var.mkdir(mode=0o711, parents=True, exist_ok=True)  # nobody lists it, PostgreSQL's user may pass through
    private_dir(var / "run")
    lock = try_lock(var / "run" / RUNNER_LOCK)
    if lock is None:
        said = (var / "run" / "runner.pid").read_text().split() if (var / "run" / "runner.pid").exists() else []
        where = f" on {said[1]}" if len(said) > 1 else ""
        raise EmbeddedError(f"It runs already{where}. Stop it with Ctrl-C there, or with: make stop")
    return lock


def end_leftovers(var: Path) -> None:
    """End what a killed runner left behind, and take its servers down in order."""
    processes.end(lambda: processes.marked(MARK, str(var)))
    for server in servers(var):
        if server.is_running():
            server.stop(timeout=10)


def check_port(port: int, how: str) -> None:
    if not port_is_free(port):
        raise EmbeddedError(f"Port {port} is in use by another program. Stop it, or choose another port: {how}")


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def reserve_simulator_port() -> socket.socket:
    """A socket that keeps the simulator's port from others until the simulator starts, which is seconds later.

    The port is SIMULATOR_PORT, which must be free; or the first free one from 8400 on.
    """
    wanted = os.environ.get("SIMULATOR_PORT")
    if wanted and not wanted.isdigit():
        raise EmbeddedError(f"SIMULATOR_PORT must be a port number, not {wanted!r}.")
    for port in [int(wanted)] if wanted else range(SIMULATOR_PORT, SIMULATOR_PORT + 100):
        reserved = socket.socket()
        # Connections of a simulator that has just stopped linger for a minute; they do not hold its port.
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            reserved.bind(("127.0.0.1", port))
            reserved.listen()  # only a listening socket keeps out others that reuse addresses too
        except OSError:
            reserved.close()
        else:
            return reserved
    tried = wanted or f"{SIMULATOR_PORT} to {SIMULATOR_PORT + 99}"
    raise EmbeddedError(f"Port {tried} is in use by another program. Choose another: SIMULATOR_PORT=8600 make run")


def check_database_url(url: str) -> None:
    """Raises EmbeddedError with one sentence, without the password, unless a PostgreSQL answers there."""
    import psycopg

    scheme, _, rest = url.partition("://")
    if scheme not in ("postgres", "postgresql", "psql", "pgsql"):
        raise EmbeddedError("DATABASE_URL must begin with postgres:// and name a PostgreSQL database.")
    try:
        psycopg.connect(f"postgresql://{rest}", connect_timeout=CONNECT_SECONDS).close()
    except psycopg.Error as error:
        reason = " ".join(str(error).split())
        shown = urlsplit(url)._replace(netloc=urlsplit(url).netloc.rpartition("@")[2]).geturl()
        raise EmbeddedError(
            f"The database of DATABASE_URL ({shown}) cannot be used: {reason} "
            "Correct the address, or unset it to use the embedded server."
        ) from error


def check_redis_url(url: str) -> None:
    """Raises EmbeddedError with one sentence, without the password, unless a Redis or Valkey answers there."""
    import redis

    try:
        patience = {"socket_connect_timeout": CONNECT_SECONDS, "socket_timeout": CONNECT_SECONDS}
        redis.Redis.from_url(cache_url_of(url), **patience).ping()
    except (redis.RedisError, ValueError, OSError) as error:
        raise EmbeddedError(
            f"The broker of REDIS_URL cannot be used: {' '.join(str(error).split())} "
            "Correct the address, or unset it to use the embedded server."
        ) from error


# --- The run ---------------------------------------------------------------------------------------------------------


class Runner:
    """One run of everything, from the first check to the last process gone."""

    def __init__(self, options: Options, began_at: float) -> None:
        self.options = options
        self.began_at = began_at
        self.supervisor = Supervisor(say, options.var / "run")

    def run(self) -> int:
        """Returns the exit code: 0 after a stop that was asked for, 1 when something prevented the start."""
        try:
            self._start()
            while True:
                self.supervisor.until(lambda: False, 3600)
        except StopRequested:
            say("\nStopping…")
            return 0
        except EmbeddedError as error:
            if self.supervisor.requests:
                return 0
            say(f"Error: {error}")
            return 1
        finally:
            (self.options.var / "run" / RUNNER_FILE).unlink(missing_ok=True)
            if self.supervisor.watched:
                self.supervisor.stop(STOP_ORDER)
                say("Everything is stopped.")

    def _start(self) -> None:
        self._check()
        with reserve_simulator_port() if self.options.demo else nullcontext() as reserved:
            programs = Programs(self.options, reserved.getsockname()[1] if reserved else 0)
            self._bring_up_web(programs)
        for program in [programs.simulator()] * self.options.demo + [programs.worker(), programs.beat()]:
            self.supervisor.start(program)
        if self.options.demo:
            self._seed(programs)
        say(f"Ready: {self.options.address}  (Ctrl-C stops everything)")

    def _bring_up_web(self, programs: Programs) -> None:
        """The web program loads while the servers come up; whatever the first page does not need comes later."""
        decided = choices(self.options, programs.simulator_port)
        (self.options.var / "run" / RUNNER_FILE).write_text(json.dumps(decided))
        self.supervisor.start(programs.web())
        for server in servers(self.options.var):
            self.supervisor.start(server)
        self._prepare(programs.prepare())
        self._await_web()

    def _check(self) -> None:
        end_leftovers(self.options.var)
        check_port(self.options.port, "make run PORT=8001")
        if url := os.environ.get("DATABASE_URL"):
            check_database_url(url)
        if url := os.environ.get("REDIS_URL"):
            check_redis_url(url)

    def _prepare(self, program: Program) -> None:
        since = program.log.stat().st_size if program.log.exists() else 0
        if self.supervisor.run(program):
            said = "\n    ".join(last_lines(program.log, since=since))
            raise EmbeddedError(f"The database could not be made ready (whole log: {program.log}):\n    {said}")

    def _await_web(self) -> None:
        """Until the front page comes. A web server that has died three times will not come up by waiting."""
        web = self.supervisor.watched["web"]
        self.supervisor.until(lambda: web.failures > 2 or answers(self.options.address), 120)
        if web.failures > 2 or not answers(self.options.address):
            raise EmbeddedError(f"The web server does not answer. Its log is {web.part.log}")
        say(f"Open {self.options.address}  (answered {time.time() - self.began_at:.1f} s after the start)")

    def _seed(self, programs: Programs) -> None:
        simulator = self.supervisor.watched["simulator"]
        up = self.supervisor.until(lambda: simulator.is_back and not port_is_free(programs.simulator_port), 60)
        if not up:
            say("The platform simulator does not answer, so the demo county is not built. All else keeps running.")
        elif self.supervisor.run(programs.seed()):
            say("The demo county could not be built; the reason stands above. Everything else keeps running.")


def answers(address: str) -> bool:
    """Whether the front page, redirects followed, comes with status 200."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(address, timeout=2) as answer:
            return answer.status == 200
    except (OSError, urllib.error.HTTPError):
        return False


def stop_other(var: Path) -> int:
    """Stop the runner of ``var``, wherever it was started."""
    lock = var / "run" / RUNNER_LOCK
    if not is_locked(lock):
        end_leftovers(var)
        say("Nothing runs.")
        return 0
    pid = int((var / "run" / "runner.pid").read_text().split()[0])
    processes.send(pid, signal.SIGTERM)
    if not processes.until(lambda: not is_locked(lock), 10):
        say(f"Process {pid} does not stop. End it with: kill -9 {pid}")
        return 1
    say("Stopped.")
    return 0


def main() -> int:
    arguments = parse_arguments()
    options = Options(arguments.port, not arguments.no_demo)
    try:
        if arguments.stop:
            return stop_other(options.var)
        if arguments.with_parent:
            processes.die_with_parent(signal.SIGTERM)
        lock = claim(options.var)
        (options.var / "run" / "runner.pid").write_text(f"{os.getpid()} {options.address}\n")
        with lock:
            return Runner(options, arguments.since or time.time()).run()
    except EmbeddedError as error:
        say(f"Error: {error}")
        return 1


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m incubator.embedded.runner", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="the web server's port on 127.0.0.1 (default: 8000)")
    parser.add_argument("--no-demo", action="store_true", help="neither the demo county nor the platform simulator")
    parser.add_argument("--stop", action="store_true", help="stop what runs, and end")
    parser.add_argument("--with-parent", action="store_true", help="stop as well when the starting process ends")
    parser.add_argument("--since", type=float, help="when the start began, in seconds since 1970 (for the time shown)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
