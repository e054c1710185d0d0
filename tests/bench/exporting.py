"""A list of people as a workbook: our job beside django-import-export as it comes, each in a process of its own.

``python -m tests.bench.exporting ours|stock`` is what such a process runs.
"""

import json
import os
import resource
import subprocess
import sys
import time
from datetime import date, timedelta
from statistics import median
from typing import Any

from tests.bench.measure import Result, benchmark, rate, runs_at

CHUNK = 5_000
ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@benchmark("xlsx_100k")
def xlsx_100k(accounts: int) -> list[Result]:
    """Rows a second from a waiting job to the sealed file, and the memory of the process that made it."""
    from tests.bench.servers import database
    from tests.bench.world import say

    people, runs = max(1_000, accounts // 10), runs_at(accounts)
    ours: list[dict[str, float]] = []
    with database("exporting") as url:
        say(f"xlsx_100k: entering {people:,} people")
        _enter(people)
        for n in range(1, runs + 1):
            say(f"xlsx_100k: measuring, run {n} of {runs}")
            ours.append(_measured("ours", url))
            if n == 1:
                say("xlsx_100k: measuring the baseline")
                stock = _measured("stock", url)
    what = (
        f"the list of {people:,} trainees as XLSX through our job, from its claim to the sealed, recorded file: "
        f"{ours[0]['columns']:.0f} columns, two deciphered and masked, with newest participation and followers; "
        f"{ours[0]['bytes'] / 1e6:.1f} MB. Baseline: django-import-export's own resource and XLSX format on its "
        f"queryset and columns, {stock['bytes'] / 1e6:.1f} MB, at a peak of {stock['peak_mb']:.0f} MB; measured once. "
        f"Peak is that of the process of the job, of which {ours[0]['idle_mb']:.0f} MB are Django before it began."
    )
    result = Result(
        "xlsx_100k",
        what,
        "rows/s",
        rate(people, [each["seconds"] for each in ours]),
        people / stock["seconds"],
        runs=runs,
    )
    result.peak_mb = round(median(each["peak_mb"] for each in ours))
    return [result]


def _measured(which: str, database_url: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.exporting", which],
        env={**os.environ, "DATABASE_URL": database_url},
        stdout=subprocess.PIPE,
        check=True,
    )
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


# --- People -----------------------------------------------------------------------------------------------------------


def _enter(people: int) -> None:
    """That many people of all counties, each with a participation and an account that was read yesterday."""
    from django.core.management import call_command
    from django.db import connection

    from incubator.accounts.models import User
    from incubator.programmes.models import Cohort, Programme
    from incubator.regions.models import Region

    call_command("load_divisions", verbosity=0)
    counties = list(Region.objects.filter(level="county", retired_on=None).order_by("code"))
    first = date(2026, 3, 1)
    cohort = Cohort.objects.create(
        programme=Programme.objects.create(name="青年主播"), name="第一期", starts_on=first, ends_on=first
    )
    User.objects.create(username="boss", is_staff=True, is_superuser=True)
    for start in range(0, people, CHUNK):
        _enter_some(range(start, min(start + CHUNK, people)), counties, cohort)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _enter_some(numbers: range, counties: list[Any], cohort: Any) -> None:
    from django.utils import timezone

    from incubator.metrics.models import CreatorAccount, LatestReading
    from incubator.programmes.models import Participation
    from trainees.services import enter_trainees

    today, now = timezone.localdate(), timezone.now()
    made = enter_trainees([_person(n, counties[n % len(counties)]) for n in numbers], year=2026)
    Participation.objects.bulk_create(Participation(trainee=t, cohort=cohort, nominated_on=today) for t in made)
    accounts = CreatorAccount.objects.bulk_create(
        CreatorAccount(trainee=trainee, handle=f"ks{trainee.pk}", state="linked") for trainee in made
    )
    LatestReading.objects.bulk_create(
        LatestReading(account=account, day=today, followers=100 + n * 7 % 90_000, fetched_at=now)
        for n, account in zip(numbers, accounts, strict=True)
    )


def _person(n: int, county: Any) -> Any:
    from trainees.services import NewTrainee

    born_on = date(1990, 1, 1) + timedelta(days=n % 6_000)
    body = f"{county.code}{born_on:%Y%m%d}{n // 6_000:03d}"
    check = "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, ID_WEIGHTS, strict=True)) % 11]
    return NewTrainee(
        name=f"学员{n}",
        county=county,
        sex="female" if n % 2 else "male",
        born_on=born_on,
        township=f"第{n % 40}镇",
        education="大专",
        id_number=body + check,
        phone=f"+86138{n:08d}",
    )


# --- What a process of its own runs -----------------------------------------------------------------------------------


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _desk_and_boss() -> tuple[Any, Any]:
    from django.contrib import admin

    from incubator.accounts.models import User
    from trainees.models import Trainee

    return admin.site._registry[Trainee], User.objects.get(username="boss")


def ours() -> dict[str, float]:
    """The job, run in this process as a worker runs it."""
    from incubator.exports.services import ListExport, Wanted, ask_for_export
    from incubator.jobs.models import Job
    from incubator.jobs.services import run

    desk, boss = _desk_and_boss()
    export = ListExport(desk, Wanted(format="xlsx"), by=boss)
    columns, job = len(export.resource.get_export_headers()), ask_for_export(export)
    began = time.perf_counter()
    run(job.pk)
    seconds = time.perf_counter() - began
    job = Job.objects.get(pk=job.pk)
    if job.state != "done":
        raise RuntimeError(job.error)
    size = job.result_file.size
    job.result_file.storage.delete(job.result_file.name)
    return {"seconds": seconds, "bytes": size, "columns": columns}


def stock() -> dict[str, float]:
    """A model resource and the format as django-import-export has them, on the list's own queryset."""
    from import_export.formats.base_formats import XLSX

    from incubator.exports.rows import ListRows

    desk, boss = _desk_and_boss()
    queryset = ListRows(desk, boss).queryset
    resource_class = _stock_resource()
    began = time.perf_counter()
    data = XLSX().export_data(resource_class().export(queryset))
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "bytes": len(data), "columns": len(resource_class().get_export_headers())}


def _stock_resource() -> Any:
    from import_export.fields import Field
    from import_export.resources import ModelResource

    from trainees.models import Trainee

    class TraineeResource(ModelResource):
        county = Field(column_name="县")
        phone = Field(column_name="手机号")
        state = Field(column_name="最近参训")
        followers = Field(column_name="粉丝")
        read_on = Field(column_name="读取日期")
        id_number = Field(column_name="身份证号")
        born_in = Field(column_name="出生年")

        class Meta:
            model = Trainee
            fields = ("number", "name", "county", "phone", "state", "followers", "read_on", "id_number", "sex",
                      "born_in", "township", "background", "education", "created_at")  # fmt: skip

        def dehydrate_county(self, trainee: Any) -> str:
            return trainee.county.path_name

        def dehydrate_phone(self, trainee: Any) -> str:
            return trainee.masked_phone

        def dehydrate_id_number(self, trainee: Any) -> str:
            return trainee.masked_id_number

        def dehydrate_state(self, trainee: Any) -> str:
            latest = next(iter(trainee.participations.all()), None)
            return f"{latest.get_state_display()} · {latest.cohort.name}" if latest else ""

        def dehydrate_followers(self, trainee: Any) -> Any:
            return max((account.latest.followers for account in trainee.accounts.all()), default=None)

        def dehydrate_read_on(self, trainee: Any) -> Any:
            return max((account.latest.day for account in trainee.accounts.all()), default=None)

        def dehydrate_born_in(self, trainee: Any) -> int:
            return trainee.born_on.year

    return TraineeResource


if __name__ == "__main__":
    import django

    django.setup()
    idle = _peak_mb()
    measured = {"ours": ours, "stock": stock}[sys.argv[1]]()
    sys.stdout.write(json.dumps({**measured, "peak_mb": _peak_mb(), "idle_mb": idle}))
