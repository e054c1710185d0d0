"""The embedded PostgreSQL survives every kind of death, and says in one sentence what it cannot survive."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from incubator import embedded
from incubator.embedded import PROJECT_DIR, folders, privileges, processes, socket_dir
from incubator.embedded.binaries import postgres_dir
from incubator.embedded.errors import EmbeddedError
from incubator.embedded.postgres import EmbeddedPostgres
from tests.embedded.conftest import sql

as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root has privileges to drop")


def test_postgres_starts_with_its_role_database_and_locale(postgres):
    postgres.start()
    assert postgres.is_running() and postgres.ready()
    assert sql(postgres, "SELECT current_user::text, current_database()::text") == [("incubator", "incubator")]
    assert sql(postgres, "SHOW server_encoding") == [("UTF8",)]
    assert sql(postgres, "SELECT datctype FROM pg_database WHERE datname = 'incubator'") == [("C.UTF-8",)]
    assert sql(postgres, "SELECT upper('é'), 'Z' < 'a'") == [("É", True)]


def test_postgres_stopped_and_started_again_keeps_its_rows(postgres):
    postgres.start()
    sql(postgres, "CREATE TABLE kept AS SELECT 1 AS number")
    postgres.stop()
    assert not postgres.is_running()
    postgres.start()
    assert sql(postgres, "SELECT number FROM kept") == [(1,)]


def test_postgres_killed_while_it_writes_keeps_every_acknowledged_row(postgres):
    postgres.start()
    sql(postgres, "CREATE TABLE kept (number int)")
    acknowledged = 0
    with psycopg.connect(postgres.url(), autocommit=True) as connection, pytest.raises(psycopg.OperationalError):
        for number in range(1_000_000):
            if number == 300:
                os.kill(postgres.process.pid, signal.SIGKILL)
            connection.execute("INSERT INTO kept VALUES (%s)", (number,))
            acknowledged = number + 1
    postgres.start()
    kept = sql(postgres, "SELECT count(*), count(DISTINCT number) FROM kept")[0]
    assert kept[0] == kept[1] >= acknowledged >= 300


def test_postgres_starts_beside_the_zombie_of_a_killed_one(postgres, var):
    postgres.start()
    zombie = postgres.process.pid
    os.kill(zombie, signal.SIGKILL)  # this process does not bury it before the next one starts
    processes.until(lambda: ") Z " in Path(f"/proc/{zombie}/stat").read_text(), 5)
    second = EmbeddedPostgres(var / "postgres", socket_dir(var))
    second.start()
    assert sql(second, "SELECT 1") == [(1,)]
    second.stop()


def test_postgres_starts_over_a_pid_file_that_names_somebody_else(postgres):
    postgres.start()
    pid_file = postgres.data_dir / "postmaster.pid"
    text = pid_file.read_text()
    postgres.stop()
    with subprocess.Popen(["sleep", "60"]) as stranger:
        pid_file.write_text("\n".join([str(stranger.pid), *text.splitlines()[1:]]))
        (postgres.socket_dir / ".s.PGSQL.5432.lock").write_text(f"{stranger.pid}\n")
        postgres.start()
        assert sql(postgres, "SELECT 1") == [(1,)]
        assert stranger.poll() is None
        stranger.kill()


@pytest.mark.parametrize("content", [[], ["PG_VERSION"], ["PG_VERSION", "base/1/112", "global/1213"]])
def test_postgres_makes_a_half_made_folder_anew(postgres, content):
    for name in content:
        (postgres.data_dir / name).parent.mkdir(parents=True, exist_ok=True)
        (postgres.data_dir / name).write_text("18\n")
    postgres.data_dir.mkdir(exist_ok=True)
    postgres.start()
    assert sql(postgres, "SELECT 1") == [(1,)]


def test_postgres_started_after_an_interrupted_initdb_begins_anew(postgres):
    unfinished = postgres.data_dir.with_name("postgres.unfinished")
    (unfinished / "base").mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    postgres.start()
    assert not unfinished.exists() and postgres.ready()


def test_postgres_refuses_a_folder_that_holds_something_else(postgres):
    postgres.data_dir.mkdir()
    (postgres.data_dir / "photo.jpg").write_text("not ours")
    with pytest.raises(EmbeddedError, match="holds something that is no database"):
        postgres.start()
    assert (postgres.data_dir / "photo.jpg").read_text() == "not ours"


def test_postgres_refuses_the_folder_of_another_major_version(postgres):
    postgres.start()
    postgres.stop()
    (postgres.data_dir / "PG_VERSION").write_text("9\n")
    later = EmbeddedPostgres(postgres.data_dir, postgres.socket_dir)
    with pytest.raises(EmbeddedError, match="written by PostgreSQL 9"):
        later.start()


def test_postgres_below_a_long_path_gets_its_socket_in_a_private_folder(tmp_path):
    var = tmp_path / ("long-" * 20) / "var"
    sockets = socket_dir(var)
    assert len(str(sockets)) < 90 and not sockets.is_relative_to(tmp_path)
    server = EmbeddedPostgres(var / "postgres", sockets)
    server.start()
    try:
        with psycopg.connect(embedded.database_url(var)) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert sockets.stat().st_mode & 0o777 == 0o700
    finally:
        server.kill()
        folders_left = [sockets / ".s.PGSQL.5432", sockets / ".s.PGSQL.5432.lock"]
        for left in folders_left:
            left.unlink(missing_ok=True)
        sockets.rmdir()


def test_a_socket_folder_that_is_a_link_is_refused(tmp_path):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "theirs")
    with pytest.raises(EmbeddedError, match="belongs to another user"):
        folders.private_dir(tmp_path / "run")


def test_postgres_started_by_several_processes_at_once_runs_once(postgres, var):
    script = (
        "import sys, time; from pathlib import Path; from incubator.embedded.postgres import EmbeddedPostgres\n"
        "server = EmbeddedPostgres(Path(sys.argv[1]), Path(sys.argv[2])); server.start(); print(server.ready())\n"
        "time.sleep(3)"
    )
    command = [sys.executable, "-c", script, str(postgres.data_dir), str(postgres.socket_dir)]
    many = [subprocess.Popen(command, cwd=PROJECT_DIR, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.stdout.readline().strip() for process in many] == ["True"] * 3
    pids = processes.living_in(postgres.data_dir, ["postgres"])
    parents = {parent for pid in pids if (parent := parent_of(pid))}
    assert len([pid for pid in pids if pid in parents]) == 1
    for process in many:
        process.communicate(timeout=20)


def test_postgres_ends_with_the_process_that_started_it(postgres):
    script = (
        "import os, sys; from pathlib import Path; from incubator.embedded.postgres import EmbeddedPostgres\n"
        "EmbeddedPostgres(Path(sys.argv[1]), Path(sys.argv[2])).start(); os.kill(os.getpid(), 9)"
    )
    command = [sys.executable, "-c", script, str(postgres.data_dir), str(postgres.socket_dir)]
    assert subprocess.run(command, cwd=PROJECT_DIR).returncode == -signal.SIGKILL
    assert processes.until(lambda: not postgres.is_running(), 5)


@as_root
@pytest.mark.parametrize("number", range(3))
def test_root_starts_postgres_by_each_way_down(reachable, monkeypatch, number):
    candidate = privileges._candidates()[number]
    monkeypatch.setattr(privileges, "_candidates", lambda: [candidate])
    server = EmbeddedPostgres(reachable / "postgres", reachable / "run")
    try:
        server.start()
    except EmbeddedError as error:
        pytest.skip(f"not possible here: {error}")
    try:
        assert sql(server, "SELECT 1") == [(1,)]
        assert server.data_dir.stat().st_uid == candidate.uid
    finally:
        server.stop()


@pytest.fixture
def reachable():
    """A folder that every user may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="incubator-reachable-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@as_root
def test_root_starts_the_same_folder_by_one_way_after_another(postgres, monkeypatch):
    unshare, _, override = privileges._candidates()
    for candidate in (unshare, override, unshare):
        monkeypatch.setattr(privileges, "_candidates", lambda found=candidate: [found])
        postgres.start()
        assert sql(postgres, "SELECT 1") == [(1,)]
        postgres.stop()


@as_root
def test_root_below_a_folder_of_its_own_passes_the_plain_way_by(postgres, monkeypatch, tmp_path):
    programs = tmp_path / "private" / "programs"
    programs.parent.mkdir(mode=0o700)
    shutil.copytree(postgres.bin_dir.parent, programs, symlinks=True)
    plain = privileges._candidates()[1]
    monkeypatch.setattr(privileges, "_candidates", lambda: [plain])
    with pytest.raises(EmbeddedError, match="refuses to run as root"):
        privileges.launcher_for(programs / "bin" / "postgres", [])


@as_root
def test_root_without_a_way_down_is_told_what_to_do(postgres, monkeypatch):
    monkeypatch.setattr(privileges, "_candidates", list)
    with pytest.raises(EmbeddedError, match="Start as an ordinary user, or set DATABASE_URL"):
        postgres.start()


def test_a_user_without_a_name_borrows_one_or_is_told_so(monkeypatch):
    monkeypatch.setattr(privileges, "_has_name", lambda uid: False)
    program = postgres_dir() / "postgres"
    try:
        launcher = privileges._ordinary(program)
    except EmbeddedError as error:
        assert "wants its user to have a name" in str(error)
    else:
        done = subprocess.run([*launcher.prefix, "id", "--user", "--name"], capture_output=True, text=True)
        assert done.stdout.strip() == "nobody"


def test_postgres_never_listens_on_tcp(postgres):
    postgres.start()
    assert not tcp_listeners() & sockets_of(processes.living_in(postgres.data_dir, ["postgres"]))
    assert str(postgres.socket_dir) in Path("/proc/net/unix").read_text()


def tcp_listeners() -> set[str]:
    """The inodes of all listening TCP sockets of this machine."""
    lines = [
        line.split()
        for table in ("tcp", "tcp6")
        if Path(f"/proc/net/{table}").exists()
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    return {fields[9] for fields in lines if fields[3] == "0A"}


def sockets_of(pids: list[int]) -> set[str]:
    """The inodes of all sockets that these processes hold."""
    links = [str(entry.readlink()) for pid in pids for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.is_symlink()]
    found = {link.removeprefix("socket:[").removesuffix("]") for link in links if link.startswith("socket:[")}
    assert found, "a server holds at least its own socket"
    return found


@pytest.fixture
def tiny_disk(tmp_path, request):
    """A file system of 30 MB, or of the size that is asked for."""
    if os.getuid() != 0:
        pytest.skip("only root can mount")
    folder = tmp_path / "tiny"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={getattr(request, 'param', '30m')}", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_too_full_to_begin_with_is_one_sentence(tiny_disk):
    with pytest.raises(EmbeddedError, match=r"^The disk that holds .* is full\. Free at least 200 MB"):
        EmbeddedPostgres(tiny_disk / "postgres", tiny_disk / "run").start()


def test_a_disk_that_fills_while_the_database_is_made_is_one_sentence(tiny_disk, monkeypatch):
    monkeypatch.setattr(folders, "LEAST_FREE_BYTES", 0)
    with pytest.raises(EmbeddedError, match=r"^The disk that holds .* is full\. Free at least 200 MB"):
        EmbeddedPostgres(tiny_disk / "postgres", tiny_disk / "run").start()


@pytest.mark.parametrize("tiny_disk", ["300m"], indirect=True)
def test_a_disk_that_filled_up_since_the_last_start_is_one_sentence(tiny_disk):
    server = EmbeddedPostgres(tiny_disk / "postgres", tiny_disk / "run")
    server.start()
    server.stop()
    (tiny_disk / "filler").write_bytes(b"x" * 190 * 1024 * 1024)
    with pytest.raises(EmbeddedError, match=r"^The disk that holds .* is full\. Free at least 200 MB"):
        server.start()
    (tiny_disk / "filler").unlink()
    server.start()
    assert sql(server, "SELECT 1") == [(1,)]
    server.stop()


def parent_of(pid: int) -> int | None:
    """None where the process has ended meanwhile, as workers of a server do."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return None
