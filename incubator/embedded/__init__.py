"""Where the embedded PostgreSQL and Valkey are found. Standard library only; these functions start nothing."""

import hashlib
import json
import os
import tempfile
from pathlib import Path
from urllib.parse import quote

PROJECT_DIR = Path(__file__).resolve().parents[2]
ROLE = "incubator"
RUNNER_FILE = "runner.json"
RUNNER_LOCK = "runner.lock"

# The kernel takes 107 bytes for a socket's path; PostgreSQL's lock file beside it needs a few more.
LONGEST_SOCKET_DIR = 80


def var_dir() -> Path:
    """The folder of everything that is made while running, as an absolute path: ``INCUBATOR_VAR`` or <project>/var."""
    return Path(os.environ.get("INCUBATOR_VAR") or PROJECT_DIR / "var").expanduser().absolute()


def socket_dir(var: Path) -> Path:
    """The folder of both sockets: ``var/run``, or a private one in the temporary folder when that path is too long.

    The same path and user always get the same folder, so that every process finds the sockets without being told.
    """
    run = var / "run"
    if len(os.fsencode(run)) <= LONGEST_SOCKET_DIR:
        return run
    digest = hashlib.sha256(os.fsencode(run)).hexdigest()[:16]
    return _temporary_dir() / f"incubator-{os.getuid()}-{digest}"


def _temporary_dir() -> Path:
    """``/tmp`` where it can be written, whatever TMPDIR says: two shells with different TMPDIRs must agree."""
    usual = Path("/tmp")  # noqa: S108 - the folder made in it is private and checked before use
    return usual if os.access(usual, os.W_OK | os.X_OK) else Path(tempfile.gettempdir())


def runner_environment(var: Path) -> dict[str, str]:
    """What the runner at work in ``var`` decided (public address, demo, platform address), as environment variables.

    A command typed beside ``make run`` then talks to the same platform. Empty when nothing runs.
    """
    from incubator.embedded.folders import is_locked

    try:
        decided = json.loads((var / "run" / RUNNER_FILE).read_text())
    except (OSError, ValueError):
        return {}
    return decided if is_locked(var / "run" / RUNNER_LOCK) else {}


def valkey_socket(var: Path) -> Path:
    """The file of Valkey's socket."""
    return socket_dir(var) / "valkey.sock"


def database_url(var: Path, name: str = "incubator") -> str:
    """The embedded database's address, in the form that libpq, psycopg and django-environ all take."""
    return f"postgres://{ROLE}@/{name}?host={quote(str(socket_dir(var)), safe='/')}"


def broker_url(var: Path) -> str:
    """Valkey's address in the form Celery takes."""
    return f"redis+socket://{quote(str(valkey_socket(var)))}"


def cache_url(var: Path) -> str:
    """Valkey's address in the form redis-py and Django's cache take."""
    return f"unix://{quote(str(valkey_socket(var)))}"


def cache_url_of(redis_url: str) -> str:
    """A broker's address in the form the cache takes."""
    return redis_url.replace("redis+socket://", "unix://")
