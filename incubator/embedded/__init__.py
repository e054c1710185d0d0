"""Where the embedded PostgreSQL and Valkey are found. Standard library only; these functions start nothing."""

import os
from pathlib import Path
from urllib.parse import quote


def var_dir() -> Path:
    """The folder of everything that is made while running."""
    return Path(os.environ.get("INCUBATOR_VAR") or Path(__file__).resolve().parents[2] / "var")


def database_url(var: Path, name: str = "incubator") -> str:
    return f"postgres://incubator@/{name}?host={quote(str(var / 'run'))}"


def broker_url(var: Path) -> str:
    return f"redis+socket://{var / 'run' / 'valkey.sock'}"


def cache_url(var: Path) -> str:
    return f"unix://{var / 'run' / 'valkey.sock'}"


def cache_url_of(redis_url: str) -> str:
    """The broker's address in the form the cache takes."""
    return redis_url.replace("redis+socket://", "unix://")
