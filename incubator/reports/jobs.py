"""Background work of this room."""

import tempfile
from pathlib import Path

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from incubator.common.errors import RuleBroken
from incubator.jobs.models import Job
from incubator.jobs.registry import download_check, job_handler
from incubator.jobs.services import RunningJob
from incubator.regions.models import Region
from incubator.reports.periods import Period
from incubator.reports.services import region_for
from incubator.reports.workbook import write_workbook


@job_handler("county_report")
def county_report(running: RunningJob) -> dict[str, int]:
    """Make the workbook, if whoever asked may still see the region, in the language they asked in."""
    language = running.arguments["language"]
    with override(language), tempfile.TemporaryDirectory() as folder:
        period = Period.parse(running.arguments["period"])
        region = _region_of(running.job)
        path = Path(folder) / "report.xlsx"
        write_workbook(path, region, period, as_of=timezone.localdate(), language=language, progress=running.progress)
        running.keep(path, name=file_name(region, period))
    return {"bytes": running.job.result_file.size}


def file_name(region: Region | None, period: Period) -> str:
    return f"{_('County report')}-{region.name if region else _('The whole country')}-{period.code}.xlsx"


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
