"""A county's roster of 100,000 people from upload to written, against django-import-export on the same model.

Ours goes the whole way: the workbook lies sealed, a process of its own reads it, every row is checked and matched with
everybody, staged, previewed, and written as trainee, participation with its history, and account. What the stock way
does is what its manual shows: load the file, import it as a dry run for the preview, and import it.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import tablib
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from import_export import fields, resources, widgets

from incubator.accounts.models import User
from incubator.embedded import PROJECT_DIR
from incubator.imports.choices import ImportState
from incubator.programmes.models import Cohort, Participation, Programme
from incubator.regions.models import Region
from incubator.rosters.models import RosterImport
from tests.bench.measure import FULL, Result, benchmark, rate, runs_at, timed
from tests.bench.servers import database
from tests.bench.world import one, run, say
from tests.rosters.invented import write_roster
from trainees.identity import id_number_index, parse_id_number, parse_mobile, phone_index
from trainees.models import Trainee

PEOPLE = {True: 100_000, False: 2_000}  # rows of the roster, at full scale and as a quick pass
SAMPLE = {True: 2_000, False: 200}  # rows that the stock way imports; its pace does not grow with their number
CROWDS = {True: (10_000, 1_000_000), False: (1_000, 10_000)}  # people who are there before
# People of every county whose keys are as random as ours, and nobody of them is in a roster.
CROWD = """
INSERT INTO trainees_trainee (number, name, initials, sex, born_on, county_id, township, background, education,
    id_number_index, phone_index, created_at)
SELECT 'B' || lpad(n::text, 9, '0'), '学员' || n %% 5000, 'xy', 'female', date '1985-01-01' + (n %% 9000)::int,
    county.code, '', 'other', '', sha256(('i' || n)::bytea), sha256(('p' || n)::bytea), now()
FROM generate_series(%(first)s, %(last)s) AS n
JOIN (
    SELECT code, row_number() OVER (ORDER BY code) - 1 AS place
    FROM regions_region WHERE level = 'county' AND retired_on IS NULL
) AS county ON county.place = n %% (SELECT count(*) FROM regions_region WHERE level = 'county' AND retired_on IS NULL)
ORDER BY n
"""
THEIR_ACCOUNTS = """
INSERT INTO metrics_creatoraccount (trainee_id, platform, handle, state)
SELECT id, 'kuaishou', 'b' || id, 'linked' FROM trainees_trainee WHERE number LIKE 'B%%' AND NOT EXISTS (
    SELECT FROM metrics_creatoraccount account WHERE account.trainee_id = trainees_trainee.id
)
"""
LOOSE_INDEXES = """
SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) AND NOT EXISTS (
    SELECT FROM pg_constraint WHERE conname = indexname
)
"""
# What a roster wrote is taken out between two runs, so that each finds the same people there.
FORGET = (
    "DELETE FROM duplicates_duplicatepair",
    "DELETE FROM metrics_creatoraccount WHERE handle NOT LIKE 'b%%'",
    "TRUNCATE programmes_participationmove, rosters_rosterrow, rosters_rosterfinding",
    "DELETE FROM programmes_participation",
    "DELETE FROM trainees_trainee WHERE number NOT LIKE 'B%%'",
    "DELETE FROM rosters_rostermove",
    "DELETE FROM rosters_rosterimport",
    "DELETE FROM jobs_job",
)


@benchmark("import_100k")
def import_100k(accounts: int) -> list[Result]:
    is_full = accounts >= FULL
    people, sample = PEOPLE[is_full], SAMPLE[is_full]
    folder = settings.VAR_DIR / "rosters"
    folder.mkdir(exist_ok=True)
    long, short = folder / f"{people}.xlsx", folder / f"stock-{sample}.xlsx"
    if not (long.exists() and short.exists()):
        say(f"import_100k: writing a workbook of {people:,} people")
        write_roster(short, sample, first=10_000_000, is_bare=True)
        write_roster(folder / "part.xlsx", people)
        (folder / "part.xlsx").rename(long)
    runs = runs_at(accounts)
    with database("rosters") as url:
        _prepare()
        ours: dict[int, list[float]] = {}
        baseline: list[float] = []
        only_import: list[float] = []
        peaks: list[int] = []
        for crowd in CROWDS[is_full]:
            _fill(crowd)
            ours[crowd] = []
            for n in range(1, runs + 1):
                say(f"import_100k: {people:,} rows upon {crowd:,} people, run {n} of {runs}")
                told = _in_a_worker(long, url)
                ours[crowd].append(told["seconds"])
                peaks.append(told["peak_mb"])
                say(f"  {told['seconds']:.1f} s: {told['steps']}; {told['peak_mb']} MB")
                _check(people)
                _forget()
                with timed(baseline):
                    only_import.append(_stock(short))
                _forget()
    few, many = CROWDS[is_full]
    result = Result("import_100k", "", "rows/s", rate(people, ours[many]), rate(sample, baseline), runs=2 * runs)
    alone = result.ours / rate(sample, only_import)
    ratio = median(ours[many]) / median(ours[few])
    result.peak_mb = max(peaks)
    result.what = (
        f"a workbook of {people:,} rows and 20 columns from upload to applied: read in a process of its own, checked, "
        "matched with everybody, previewed, and written as trainees, participations with their history and accounts; "
        f"baseline: django-import-export's ModelResource on Trainee, {sample:,} rows of such a workbook loaded, "
        f"imported as a dry run and imported, as its manual shows ({alone:.0f} times without its dry run). Time per "
        f"row upon {many:,} people is {ratio:.2f} times that upon {few:,}. Peak: worker and reader together, resident."
    )
    return [result]


def _prepare() -> None:
    call_command("load_divisions", verbosity=0)
    User.objects.create_superuser("root", password="a long password")
    Cohort.objects.create(
        programme=Programme.objects.create(name="农村青年主播"),
        name="2026",
        starts_on=date(2026, 3, 1),
        ends_on=date(2026, 12, 31),
    )


def _fill(crowd: int) -> None:
    there = one("SELECT count(*) FROM trainees_trainee")
    say(f"import_100k: making {crowd - there:,} people")
    with _unindexed("trainees_trainee", "metrics_creatoraccount"), _unchecked():
        run(CROWD, first=there + 1, last=crowd)
        run(THEIR_ACCOUNTS)
    _settle()


def _forget() -> None:
    with _unchecked():
        for statement in FORGET:
            run(statement)
    _settle()


@contextmanager
def _unindexed(*tables: str) -> Iterator[None]:
    """Indexes that no constraint needs are built when the rows are there: a minute instead of a quarter of an hour."""
    with connection.cursor() as cursor:
        cursor.execute(LOOSE_INDEXES, [list(tables)])
        indexes = cursor.fetchall()
    for name, _definition in indexes:
        run(f"DROP INDEX {name}")
    yield
    for _name, definition in indexes:
        run(definition)


@contextmanager
def _unchecked() -> Iterator[None]:
    """Foreign keys are not looked up for rows of which it is known that they have their regions and people."""
    run("SET session_replication_role = replica")
    try:
        yield
    finally:
        run("SET session_replication_role = DEFAULT")


def _settle() -> None:
    """As autovacuum does between one import and the next."""
    run("VACUUM ANALYZE")


def _check(people: int) -> None:
    roster = RosterImport.objects.get()
    written = Participation.objects.filter(state="admitted").count()
    if roster.state != ImportState.APPLIED or (roster.new_count, written) != (people, people):
        raise RuntimeError(f"{roster.state}: {roster.new_count} new, {written} written of {people}; {roster.error}")


# --- Ours, in a process of its own whose memory is watched ------------------------------------------------------------


def _in_a_worker(workbook: Path, url: str) -> dict[str, Any]:
    """What the worker says of itself; its memory and that of its reader, resident, looked at every few milliseconds."""
    environment = {**os.environ, "DATABASE_URL": url, "INCUBATOR_VAR": str(settings.VAR_DIR)}
    command = [sys.executable, "-m", "tests.bench.import_worker", str(workbook)]
    process = subprocess.Popen(command, cwd=PROJECT_DIR, env=environment, stdout=subprocess.PIPE, text=True)
    peak = _Peak(process.pid)
    output, _nothing = process.communicate()
    peak.stop()
    if process.returncode:
        raise RuntimeError(f"the worker ended with {process.returncode}")
    return {**json.loads(output.splitlines()[-1]), "peak_mb": peak.megabytes}


class _Peak:
    """The largest sum of resident memory of a process and those it started."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._most = 0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    @property
    def megabytes(self) -> int:
        return self._most // 1024

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._is_over.wait(0.005):
            self._most = max(self._most, sum(map(_resident, [self._pid, *_children(self._pid)])))


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _resident(pid: int) -> int:
    """In kilobytes."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0)


# --- The stock way ----------------------------------------------------------------------------------------------------


class _County(widgets.ForeignKeyWidget):
    """A county by the short name that rosters use."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        return Region.objects.get(aliases__name=value) if value else None


class StockTrainee(resources.ModelResource):
    """Trainees from a workbook as the manual of django-import-export shows: a field for each column that is taken."""

    name = fields.Field("name", "姓名")
    sex = fields.Field("sex", "性别")
    id_number = fields.Field("id_number", "身份证号码")
    phone = fields.Field("phone", "联系电话")
    county = fields.Field("county", "所在县", widget=_County(Region))
    township = fields.Field("township", "乡镇")
    education = fields.Field("education", "文化程度")
    number = fields.Field("number", "快手号")

    class Meta:
        model = Trainee
        import_id_fields = ["number"]
        fields = ["name", "sex", "id_number", "phone", "county", "township", "education", "number"]

    def before_save_instance(self, instance: Trainee, row: Any, **kwargs: Any) -> None:
        """The keys and the checks that a trainee cannot do without."""
        found = parse_id_number(instance.id_number)
        instance.born_on, instance.sex = found.born_on, found.sex
        instance.phone = parse_mobile(instance.phone)
        instance.id_number_index, instance.phone_index = id_number_index(found.number), phone_index(instance.phone)


def _stock(workbook: Path) -> float:
    """Load, preview and import; returns the seconds without the preview."""
    began = time.perf_counter()
    dataset = tablib.Dataset().load(workbook.read_bytes(), "xlsx", read_only=True)
    rows = list(dataset)
    del rows
    loaded = time.perf_counter()
    preview = StockTrainee().import_data(dataset, dry_run=True)
    previewed = time.perf_counter()
    result = StockTrainee().import_data(dataset, dry_run=False)
    if preview.has_errors() or result.has_errors() or result.totals["new"] != len(dataset):
        raise RuntimeError(f"the stock import went wrong: {result.totals}")
    return time.perf_counter() - previewed + loaded - began
