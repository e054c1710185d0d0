"""What can be wrong with an installation, each as one finding in words: the checks behind ``manage.py doctor``."""

import importlib.metadata
import os
import re
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from packaging.requirements import Requirement

from incubator import embedded
from incubator.common.encryption import index_fingerprint
from incubator.common.sealed import indexed_tables, keys_of_column, keys_of_files, sealed_columns, sealed_files
from incubator.embedded.binaries import postgres_dir, valkey_server
from incubator.embedded.errors import EmbeddedError
from incubator.embedded.privileges import launcher_for

FREE_BYTES_NEEDED = 200 * 1024 * 1024
FREE_BYTES_WANTED = 2 * 1024 * 1024 * 1024
OLDEST_POSTGRES = 15
PATIENCE_SECONDS = 3


@dataclass(frozen=True)
class Finding:
    """``level`` is ok, warning, problem or unknown (could not be looked at); ``text`` says what to do."""

    level: str
    text: str


def ok(text: str) -> Finding:
    return Finding("ok", text)


def warning(text: str) -> Finding:
    return Finding("warning", text)


def problem(text: str) -> Finding:
    return Finding("problem", text)


# --- The machine -----------------------------------------------------------------------------------------------------


def python_version() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < (3, 12):  # noqa: UP036 - finding that out is the point
        return problem(_("%(version)s is too old. Install Python 3.12 or newer.") % {"version": version})
    return ok(version)


def packages() -> Finding:
    """Compare what is installed with the lock file."""
    lock = settings.BASE_DIR / "requirements.lock"
    wrong = [name for name, wanted in _locked(lock.read_text(encoding="utf-8")) if _installed(name) != wanted]
    if wrong:
        names = ", ".join(wrong[:5])
        return problem(_("Not as in the lock file: %(names)s. Run: make venv") % {"names": names})
    return ok(_("as in the lock file"))


def _locked(text: str) -> Iterator[tuple[str, str]]:
    """Name and version of each line that applies to this Python and system."""
    for line in re.findall(r"^([a-zA-Z0-9][^\\\n]*?)\s*\\?$", text, re.MULTILINE):
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate():
            yield requirement.name, str(requirement.specifier).removeprefix("==")


def _installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def programs() -> Finding:
    """The server programs that the environment does not make needless."""
    found = []
    if not os.environ.get("DATABASE_URL"):
        found.append(str(postgres_dir()))
    if not os.environ.get("REDIS_URL"):
        found.append(str(valkey_server()))
    return ok(", ".join(found) or _("not needed: DATABASE_URL and REDIS_URL are set"))


def storage() -> Finding:
    var = settings.VAR_DIR
    existing = next(folder for folder in (var, *var.parents) if folder.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        return problem(
            _("%(path)s cannot be written. Give it to this user, or set INCUBATOR_VAR.") % {"path": existing}
        )
    free = shutil.disk_usage(existing).free
    said = {"path": var, "free": free // 1024 // 1024}
    if free < FREE_BYTES_NEEDED:
        return problem(_("Only %(free)d MB are free for %(path)s. Free some space.") % said)
    if free < FREE_BYTES_WANTED:
        return warning(_("Only %(free)d MB are free for %(path)s. It will soon be full.") % said)
    return ok(_("%(path)s, %(free)d MB free") % said)


def socket_path() -> Finding:
    var, used = settings.VAR_DIR, embedded.socket_dir(settings.VAR_DIR)
    if used == var / "run":
        return ok(str(used))
    return ok(_("%(path)s, because the path of the project is too long for a socket") % {"path": used})


def privileges() -> Finding:
    """As whom PostgreSQL is started: it refuses root, and users without a name."""
    if os.environ.get("DATABASE_URL"):
        return ok(_("not needed: DATABASE_URL is set"))
    return ok(launcher_for(postgres_dir() / "postgres", []).name)


# --- The servers -----------------------------------------------------------------------------------------------------


def database() -> Finding:
    """PostgreSQL answers, is new enough and speaks UTF-8."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), current_setting('server_encoding'), datcollate, datctype"
            " FROM pg_database WHERE datname = current_database()"
        )
        version, encoding, collate, ctype = cursor.fetchone()
    said = {"version": version, "encoding": encoding, "locale": f"{collate}/{ctype}"}
    if connection.pg_version // 10000 < OLDEST_POSTGRES:  # type: ignore[attr-defined]
        return problem(_("PostgreSQL %(version)s is too old. Use 15 or newer.") % said)
    if encoding != "UTF8":
        return problem(_("The database stores text as %(encoding)s. Make a new one with the encoding UTF8.") % said)
    if not ctype.upper().startswith("C."):
        return warning(_("PostgreSQL %(version)s with the locale %(locale)s; C.UTF-8 is what the tests use.") % said)
    return ok(_("PostgreSQL %(version)s, %(locale)s") % said)


def migrations() -> Finding:
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if missing:
        return problem(_("%(count)d migrations are not applied. Run: manage.py prepare") % {"count": missing})
    return ok(_("all applied"))


def divisions() -> Finding:
    count = apps.get_model("regions", "Region").objects.count()
    if not count:
        return problem(_("There are no divisions yet. Run: manage.py load_divisions"))
    return ok(_("%(count)d loaded") % {"count": count})


def broker() -> Finding:
    cache.set("doctor", "well", 10)
    if cache.get("doctor") != "well":
        return problem(_("It answers, but forgets what it is told. Is its memory full?"))
    return ok(_("answers"))


def worker() -> Finding:
    """Ask all workers for a sign of life."""
    from incubator.celery import app

    answers = app.control.ping(timeout=PATIENCE_SECONDS / 2) or []
    if not answers:
        return problem(_("No worker answers, so nothing happens in the background. Start it with: make run"))
    return ok(", ".join(name for answer in answers for name in answer))


def platform() -> Finding:
    """Whether the address can be reached, without a proxy, as the client does; the answer itself does not matter."""
    url = embedded.runner_environment(settings.VAR_DIR).get("KUAISHOU_BASE_URL", settings.KUAISHOU_BASE_URL)
    try:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=PATIENCE_SECONDS).close()
    except urllib.error.HTTPError:
        pass
    except (OSError, ValueError) as error:
        said = {"url": url, "reason": getattr(error, "reason", error)}
        return warning(_("%(url)s does not answer (%(reason)s). Followers cannot be refreshed until it does.") % said)
    return ok(url)


# --- The settings ----------------------------------------------------------------------------------------------------


def secrets() -> Finding:
    if settings.PRODUCTION:
        return ok(_("set by the environment"))
    return warning(_("Development values are in use. In production set DJANGO_PRODUCTION=1 and every secret."))


def time_zone() -> Finding:
    try:
        ZoneInfo(settings.TIME_ZONE)
    except ZoneInfoNotFoundError:
        return problem(_("%(zone)s is unknown here. Install tzdata.") % {"zone": settings.TIME_ZONE})
    if settings.TIME_ZONE != "Asia/Shanghai" or not settings.USE_TZ:
        return problem(_("Days are counted in %(zone)s instead of Asia/Shanghai.") % {"zone": settings.TIME_ZONE})
    return ok(settings.TIME_ZONE)


def personal_data() -> Finding:
    """Everything sealed opens with a key we have, and people are found by the key they were indexed with."""
    keys = [keys_of_column(column) for column in sealed_columns()] + [keys_of_files(files) for files in sealed_files()]
    unknown, old = sum(one.unknown for one in keys), sum(one.old for one in keys)
    if unknown:
        return problem(
            _(
                "%(count)d values were sealed with a key that is not among PERSONAL_DATA_KEY and "
                "PERSONAL_DATA_OLD_KEYS, and cannot be read. Give that key back."
            )
            % {"count": unknown}
        )
    if any(table.made_with() not in (None, index_fingerprint()) for table in indexed_tables()):
        return problem(
            _(
                "People are found by another key than PERSONAL_INDEX_KEY, so nobody can be entered. "
                "Give the former key back, or run: manage.py rotate_keys --index"
            )
        )
    if old:
        return warning(
            _("%(count)d values are still sealed with an old key. Run: manage.py rotate_keys") % {"count": old}
        )
    if settings.PERSONAL_DATA_OLD_KEYS:
        return ok(_("all of the present key; PERSONAL_DATA_OLD_KEYS is needed for older backups only"))
    return ok(_("all of the present key"))


CHECKS: list[tuple[object, Callable[[], Finding]]] = [
    (gettext_lazy("Python"), python_version),
    (gettext_lazy("Packages"), packages),
    (gettext_lazy("Server programs"), programs),
    (gettext_lazy("Data folder"), storage),
    (gettext_lazy("Sockets"), socket_path),
    (gettext_lazy("Started as"), privileges),
    (gettext_lazy("Database"), database),
    (gettext_lazy("Tables"), migrations),
    (gettext_lazy("Divisions"), divisions),
    (gettext_lazy("Personal data"), personal_data),
    (gettext_lazy("Broker"), broker),
    (gettext_lazy("Worker"), worker),
    (gettext_lazy("Platform"), platform),
    (gettext_lazy("Secrets"), secrets),
    (gettext_lazy("Time zone"), time_zone),
]
# What cannot be looked at when an earlier check failed.
NEEDS = {migrations: database, divisions: migrations, personal_data: migrations, worker: broker}


def examine() -> Iterator[tuple[object, Finding]]:
    """Each check's title and finding, in order, as soon as it is known."""
    failed: set[Callable[[], Finding]] = set()
    for title, check in CHECKS:
        if NEEDS.get(check) in failed:
            finding = Finding("unknown", _("not looked at, because an earlier check failed"))
        else:
            finding = _explained(check)
        if finding.level in ("problem", "unknown"):
            failed.add(check)
        yield title, finding


def _explained(check: Callable[[], Finding]) -> Finding:
    """Run one check; whatever it raises is a finding too."""
    try:
        return check()
    except EmbeddedError as error:
        return problem(str(error))
    except DatabaseError as error:
        return problem(_("%(reason)s. Start it with make run, or correct DATABASE_URL.") % {"reason": _one_line(error)})
    except Exception as error:
        if check in (broker, worker):
            said = {"reason": _one_line(error)}
            return problem(_("%(reason)s. Start it with make run, or correct REDIS_URL.") % said)
        return problem(f"{type(error).__name__}: {_one_line(error)}")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".?")
