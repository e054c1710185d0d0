"""How root starts a program that refuses to run as root, without making an operating-system user."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from incubator.embedded.errors import EmbeddedError
from incubator.embedded.folders import own

NOBODY = 65534
UNSHARE = ("unshare", f"--map-user={NOBODY}", f"--map-group={NOBODY}")


@dataclass(frozen=True)
class Launcher:
    """A command prefix, and the user who then owns the files."""

    name: str
    prefix: tuple[str, ...]
    uid: int


def _candidates() -> list[Launcher]:
    """Ways down from root, the one that leaves the files root's own first."""
    # A change of user clears the wish to end with the parent, so it is said again: INT is PostgreSQL's fast shutdown.
    nobody = ("--pdeathsig=INT", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    # Below folders that only root can enter, nobody keeps the one right to pass permissions by; without
    # no_setuid_fixup access() would still refuse.
    caps = "-all,+dac_override"
    passing = ("--securebits=+no_setuid_fixup", *nobody, f"--inh-caps={caps}", f"--ambient-caps={caps}")
    return [
        Launcher("unshare", UNSHARE, 0),
        Launcher("setpriv", ("setpriv", *nobody), NOBODY),
        Launcher("setpriv with dac_override", ("setpriv", *passing), NOBODY),
    ]


def launcher_for(program: Path, folders: list[Path]) -> Launcher:
    """The first way that can run ``program`` and write to ``folders``, which are given to the user it runs as.

    Raises EmbeddedError where root has no way down.
    """
    if os.getuid() != 0:
        return _ordinary(program)
    for candidate in _candidates():
        if _starts(candidate, program) and _reaches(candidate, folders):
            return candidate
    raise EmbeddedError(
        "PostgreSQL refuses to run as root, and neither unshare nor setpriv may change the user here. "
        "Start as an ordinary user, or set DATABASE_URL to a running server."
    )


def _ordinary(program: Path) -> Launcher:
    """An ordinary user starts it as it is. One without a name, as containers have them, borrows that of nobody."""
    uid = os.getuid()
    if _has_name(uid):
        return Launcher("this user", (), uid)
    borrowed = Launcher("unshare", UNSHARE, uid)
    if _starts(borrowed, program):
        return borrowed
    raise EmbeddedError(
        f"PostgreSQL wants its user to have a name, and user {uid} has none. Add one to /etc/passwd, "
        "or set DATABASE_URL to a running server."
    )


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _starts(launcher: Launcher, program: Path) -> bool:
    """Through a shell: setpriv itself keeps root's rights until it has started something."""
    return _runs([*launcher.prefix, "sh", "-c", 'test -r "$0" && "$0" --version', str(program)])


def _reaches(launcher: Launcher, folders: list[Path]) -> bool:
    for folder in folders:
        own(folder, launcher.uid)
    test = 'for folder; do test -r "$folder" && test -w "$folder" && test -x "$folder" || exit 1; done'
    return _runs([*launcher.prefix, "sh", "-c", test, "sh", *map(str, folders)])


def _runs(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
