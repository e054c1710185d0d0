"""Handing out the workbook with its findings: at once, or for a long one made in the background and kept sealed.

It has ID numbers and phones in clear, for who uploaded them is to correct them. So it needs the right to change the
import, each time it is handed out is recorded, and a copy that waits to be fetched lies encrypted and not for long.
"""

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.accounts.access import record_access
from incubator.accounts.choices import AccessKind
from incubator.common.errors import RuleBroken
from incubator.imports.choices import TO_CONFIRM
from incubator.jobs.choices import JobState
from incubator.jobs.models import Job
from incubator.jobs.registry import download_check
from incubator.jobs.services import RunningJob, ask_for_job, is_file_gone, working_folder
from incubator.rosters.marked import file_name, write_marked
from incubator.rosters.models import RosterImport

KIND = "roster_marked"
AT_ONCE = 2000  # rows that are written while one waits; more are a job
KEPT = timedelta(days=1)  # as long as a finished copy waits to be fetched
IN_CLEAR = ("name", "id_number", "phone")


def may_take(user: Any, roster: RosterImport) -> bool:
    """Whether somebody may have the copy: who may change the import and see it, while it can still be corrected."""
    return (
        user.has_perm("rosters.change_rosterimport")
        and roster.state in TO_CONFIRM
        and RosterImport.objects.visible_to(user).filter(pk=roster.pk).exists()
    )


def is_long(roster: RosterImport) -> bool:
    """Whether the copy is made in the background."""
    return roster.row_count > AT_ONCE


def take_copy(roster: RosterImport, *, by: Any) -> bytes:
    """The copy, made now. Raises ``RuleBroken`` for whom it is not for."""
    with transaction.atomic(), tempfile.TemporaryDirectory(dir=working_folder()) as folder:
        _record(roster, by=by)
        path = Path(folder) / "marked.xlsx"
        write_marked(path, roster)
        return path.read_bytes()


def request_copy(roster: RosterImport, *, by: Any) -> Job:
    """Ask for the copy in the background; asked again while it is made, it is the same job."""
    _check(roster, by=by)
    title = _("Findings of import %(number)s, %(region)s") % {"number": roster.pk, "region": roster.region}
    return ask_for_job(KIND, key=_key(roster, by), title=title, by=by, total=roster.row_count, roster=roster.pk)


def copy_job(roster: RosterImport, *, by: Any) -> Job | None:
    """The job that makes, or has made, a copy of the import as it stands for this person; None where none is wanted."""
    made = Q(state=JobState.DONE, finished_at__gt=timezone.now() - KEPT)
    jobs = Job.objects.filter(kind=KIND, key=_key(roster, by)).order_by("-pk")
    if roster.job is not None and roster.job.finished_at is not None:
        jobs = jobs.filter(created_at__gt=roster.job.finished_at)  # what was checked since is not in an older one
    latest = jobs.first()
    return latest if latest is not None and (latest.is_live or jobs.filter(made, pk=latest.pk).exists()) else None


def fetch_copy(roster: RosterImport, *, by: Any) -> bytes:
    """The finished copy. Raises ``RuleBroken`` where there is none, and for whom it is not for."""
    with transaction.atomic():
        _record(roster, by=by)
        job = copy_job(roster, by=by)
        if job is None or job.state != JobState.DONE or is_file_gone(job):
            raise RuleBroken(_("This workbook is not kept any more. Ask for it again."))
        content: bytes = job.result_file.read_unsealed()
        return content


def make_copy(running: RunningJob) -> dict[str, Any]:
    """Make a job's copy, if its asker may still have it."""
    roster = _with_names(RosterImport.objects.all()).get(pk=running.arguments["roster"])
    _check(roster, by=running.job.asked_by)
    with tempfile.TemporaryDirectory(dir=working_folder()) as folder:
        path = Path(folder) / "marked.xlsx"
        count = write_marked(path, roster, progress=running.progress)
        running.keep(path, name=file_name(roster), until=timezone.now() + KEPT)
    return {"rows": count}


@download_check(KIND, only_asker=True)
def _only_from_the_import(job: Job) -> bool:
    """It is fetched from the import's page, where that is recorded."""
    return False


def copied_import(user: Any, pk: int) -> RosterImport:
    """An import with all that its copy says of it; raises ``DoesNotExist`` for what the user may not see."""
    return _with_names(RosterImport.objects.visible_to(user)).get(pk=pk)


def _with_names(rows: QuerySet[RosterImport]) -> QuerySet[RosterImport]:
    return rows.select_related("cohort__programme", "region__province", "region__prefecture", "job")


def _key(roster: RosterImport, by: Any) -> str:
    return f"{roster.pk}:{by.pk}"


def _check(roster: RosterImport, *, by: Any) -> None:
    if not may_take(by, roster):
        raise RuleBroken(_("Only who may change this import can take its findings, and only until it is written."))


def _record(roster: RosterImport, *, by: Any) -> None:
    _check(roster, by=by)
    record_access(RosterImport, kind=AccessKind.EXPORT, by=by, fields=IN_CLEAR, row=roster.pk, count=roster.row_count)
