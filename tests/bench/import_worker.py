"""``python -m tests.bench.import_worker WORKBOOK``: one roster uploaded, checked and written, each step timed.

A process of its own, so that its memory is that of a worker and of nothing else. Prints seconds as JSON.
"""

import json
import sys
import time
from datetime import date
from pathlib import Path

COUNTY = "622927"
FILLED_ON = date(2026, 3, 2)


def main() -> None:
    import django

    django.setup()
    seconds, steps = work(Path(sys.argv[1]))
    sys.stdout.write(json.dumps({"seconds": seconds, "steps": steps}) + "\n")


def work(workbook: Path) -> tuple[float, str]:
    """As the desk and its worker do it; returns the seconds, and how far it was when."""
    from incubator.accounts.models import User
    from incubator.jobs import services as jobs
    from incubator.programmes.models import Cohort
    from incubator.regions.models import Region
    from incubator.rosters.models import RosterImport
    from incubator.rosters.services import ask_to_apply, upload_roster

    by, cohort = User.objects.get(username="root"), Cohort.objects.get()
    jobs._send_now = lambda job_id: None  # nobody is to take the jobs away: they are run here
    steps = {}
    began = time.perf_counter()
    with workbook.open("rb") as file:
        roster = upload_roster(file, cohort=cohort, region=Region.objects.get(pk=COUNTY), by=by)
    steps["uploaded"] = time.perf_counter() - began
    jobs.run(roster.job_id)
    steps["checked"] = time.perf_counter() - began
    roster = RosterImport.objects.select_related("job", "cohort", "region").get(pk=roster.pk)
    roster = ask_to_apply(roster, by=by, on=FILLED_ON)
    if roster.job is not None and roster.job.is_live:
        jobs.run(roster.job.pk)
    steps["applied"] = time.perf_counter() - began
    return steps["applied"], ", ".join(f"{step} {seconds:.1f}" for step, seconds in steps.items())


if __name__ == "__main__":
    main()
