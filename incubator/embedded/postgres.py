"""An embedded PostgreSQL on a unix socket: made, started, stopped and found again, as root or as anybody."""

import os
import shutil
import signal
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from incubator.embedded import ROLE, processes
from incubator.embedded.binaries import postgres_dir, postgres_dirs
from incubator.embedded.errors import EmbeddedError, disk_full, explained
from incubator.embedded.folders import private_dir
from incubator.embedded.privileges import Launcher, launcher_for
from incubator.embedded.server import Server

DATABASE = "incubator"

# For tests: nothing is kept, so nothing needs to reach the disk.
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres(Server):
    """A PostgreSQL of our own, with the superuser role and the database ``incubator``.

    Several processes may start it at once: one does, the others find it running.
    """

    name = "PostgreSQL"
    programs = ("postgres",)
    stop_signal = signal.SIGINT  # "fast": running transactions are rolled back, nobody is waited for
    stop_seconds = 1.5
    error_marks = ("FATAL:", "PANIC:", "ERROR:", "error:")
    socket_name: ClassVar[str] = ".s.PGSQL.5432"

    def __init__(
        self,
        data_dir: Path,
        socket_dir: Path,
        *,
        durable: bool = True,
        log: Path | None = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(data_dir, socket_dir, log=log)
        self.durable = durable
        self.options = {**({} if durable else FORGETFUL), **(options or {})}

    def url(self, name: str = DATABASE) -> str:
        """The address of one database, as libpq, psycopg and django-environ take it."""
        return f"postgres://{ROLE}@/{name}?host={quote(str(self.socket_dir), safe='/')}"

    def ready(self) -> bool:
        client = [self._program("pg_isready"), "-q", "-h", str(self.socket_dir), "-U", ROLE, "-d", "postgres"]
        return processes.run(client).returncode == 0

    def major_version(self) -> int | None:
        """The major version that wrote the data folder; None for a folder that has yet to be made."""
        try:
            return int((self.data_dir / "PG_VERSION").read_text())
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None

    @cached_property
    def bin_dir(self) -> Path:
        return postgres_dir(self.major_version())

    def _program(self, name: str) -> str:
        return str(self.bin_dir / name)

    def _environment(self) -> dict[str, str]:
        """English messages, whatever the user speaks: ``explain`` reads them. PGDATA and friends stay out."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        return {**kept, "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8"}

    # --- Making the folder ---------------------------------------------------------------------------------------

    def _command(self) -> list[str]:
        with explained(self.data_dir):
            self._wipe_half_made()
            if not self.data_dir.exists():
                self._initialise()
        launcher = self._launcher(self.data_dir)
        settings = {"recovery_init_sync_method": "syncfs", "unix_socket_permissions": "0700", **self.options}
        flags = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        where = ["-D", str(self.data_dir), "-k", str(self.socket_dir), "-h", "", "-p", "5432"]
        return [*launcher.prefix, self._program("postgres"), *where, *flags]

    def _launcher(self, folder: Path) -> Launcher:
        return launcher_for(self.bin_dir / "postgres", [folder, self.socket_dir])

    def _wipe_half_made(self) -> None:
        """Remove what an interrupted ``initdb`` left; a folder that holds anything else is refused.

        A whole folder appears by one rename, so one without its control file was never used.
        """
        processes.end(lambda: processes.living_in(self._unfinished, self.programs))
        shutil.rmtree(self._unfinished, ignore_errors=True)
        if not self.data_dir.exists() or self._is_whole():
            return
        content = {entry.name for entry in self.data_dir.iterdir()}
        if content and not content & {"PG_VERSION", "base", "global", "pg_wal"}:
            raise EmbeddedError(f"{self.data_dir} holds something that is no database. Move it away and start again.")
        self.__dict__.pop("bin_dir", None)
        shutil.rmtree(self.data_dir)

    def _is_whole(self) -> bool:
        return self.major_version() is not None and (self.data_dir / "global" / "pg_control").is_file()

    @property
    def _unfinished(self) -> Path:
        return self.data_dir.with_name(f"{self.data_dir.name}.unfinished")

    def _initialise(self) -> None:
        """Run ``initdb`` beside the folder and move the result into place, all or nothing."""
        private_dir(self._unfinished)
        launcher = self._launcher(self._unfinished)
        command = [*launcher.prefix, self._program("initdb"), "-D", str(self._unfinished), *self._initdb_flags()]
        done = processes.run(command, environment=self._environment())
        if done.returncode:
            raise EmbeddedError(self._initdb_failure(done.stdout))
        self._unfinished.rename(self.data_dir)

    def _initdb_flags(self) -> list[str]:
        """Byte order for sorting, UTF-8 for letters: the same everywhere, and the wheel brings no ICU."""
        flags = [f"--username={ROLE}", "--encoding=UTF8", "--auth=trust"]
        if self._program_version() < 17:
            return [*flags, "--locale=C.UTF-8"]
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--lc-collate=C", "--lc-ctype=C.UTF-8"]
        return [*flags, *locale, "--sync-method=syncfs" if self.durable else "--no-sync"]

    def _program_version(self) -> int:
        return next(major for major, folder in postgres_dirs().items() if folder == self.bin_dir)

    def _initdb_failure(self, output: str) -> str:
        if "No space left on device" in output:
            return disk_full(self.data_dir)
        lines = [line for line in output.splitlines() if line.strip()] or ["it said nothing"]
        said = [line for line in lines if "error:" in line or "FATAL:" in line] or lines[-1:]
        return f"The database folder {self.data_dir} could not be made: {said[0].strip()}"

    def _after_start(self) -> None:
        """Make the database, where this start is the first."""
        exists = f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"  # noqa: S608 - a constant
        if not self._sql(exists):
            self._sql(f"CREATE DATABASE {DATABASE}")

    def _sql(self, statement: str) -> str:
        client = [self._program("psql"), "-XqAt", "-h", str(self.socket_dir), "-U", ROLE, "-d", "postgres"]
        done = processes.run([*client, "-c", statement], environment=self._environment())
        if done.returncode:
            full = "No space left on device" in done.stdout
            raise EmbeddedError(disk_full(self.data_dir) if full else f"PostgreSQL refused: {done.stdout.strip()}")
        return done.stdout.strip()

    def _remove_traces(self) -> None:
        """The pid file of a killed server names a pid that may be a zombie or somebody else's by now."""
        socket = self.socket_dir / self.socket_name
        for trace in (self.data_dir / "postmaster.pid", socket, socket.with_name(f"{socket.name}.lock")):
            with explained(trace):
                trace.unlink(missing_ok=True)
