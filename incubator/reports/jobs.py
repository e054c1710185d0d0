"""Background work of this room."""

import tempfile
from pathlib import Path

from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.common.errors import RuleBroken
from incubator.jobs.models import Job
from incubator.jobs.registry import download_check, job_handler
from incubator.jobs.services import RunningJob
from incubator.programmes.models import Participation
from incubator.regions.models import Region
from incubator.regions.scoping import in_scope_q, scope_of
from incubator.reports.periods import Period
from incubator.reports.services import region_for
from incubator.reports.workbook import write_workbook


@job_handler("county_report")
def county_report(running: RunningJob) -> dict[str, int]:
    """Make the workbook, if whoever asked may still see the region."""
    period = Period.parse(running.arguments["period"])
    region = _region_of(running.job)
    people = Participation.objects.filter(in_scope_q(scope_of(running.job.asked_by), "trainee__county"))
    total = max(1, people.values("trainee").distinct().count())
    running.progress(0, total)
    name = f"{_('County report')}-{region.name if region else _('The whole country')}-{period.code}.xlsx"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.xlsx"
        write_workbook(
            path,
            region,
            period,
            as_of=timezone.localdate(),
            language=running.arguments["language"],
            progress=lambda done: running.progress(min(done, total)),
        )
        running.keep(path, name=name)
    return {"bytes": running.job.result_file.size}


def _region_of(job: Job) -> Region | None:
    try:
        return region_for(job.arguments["region"], user=job.asked_by)
    except Region.DoesNotExist:
        raise RuleBroken(_("This region is not yours any more. Ask whoever posts officials.")) from None


@download_check("county_report")
def may_download(job: Job) -> bool:
    """The workbook can be fetched only while its region is still in the asker's scope."""
    try:
        _region_of(job)
    except RuleBroken:
        return False
    return True
