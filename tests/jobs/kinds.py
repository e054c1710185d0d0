"""A kind of work for tests with a real worker: it writes one reading after another, slowly, and may be run twice."""

import time
from datetime import date, timedelta

from django.utils import timezone

from incubator.jobs.registry import job_handler
from incubator.jobs.services import RunningJob
from incubator.metrics.models import Reading

FIRST_DAY = date(2026, 1, 1)


@job_handler("test_slow_readings")
def slow_readings(running: RunningJob) -> dict[str, int]:
    """Write what is missing of ``days`` readings of an account, ``pause`` seconds each; the result says how many."""
    account, days = running.arguments["account"], running.arguments["days"]
    written = set(Reading.objects.filter(account_id=account).values_list("day", flat=True))
    missing = [day for n in range(days) if (day := FIRST_DAY + timedelta(days=n)) not in written]
    running.progress(len(written), days)
    for n, day in enumerate(missing, len(written) + 1):
        time.sleep(running.arguments["pause"])
        Reading.objects.create(account_id=account, day=day, followers=n, fetched_at=timezone.now())
        running.progress(n, days)
    return {"written": len(missing)}
