"""Background work of this room."""

from datetime import date
from typing import Any

from django.utils import timezone

from incubator.accounts.models import User
from incubator.imports.choices import ImportState
from incubator.jobs.models import Job
from incubator.jobs.registry import job_handler, when_failed
from incubator.jobs.services import RunningJob
from incubator.rosters.copies import KIND, make_copy
from incubator.rosters.models import RosterImport
from incubator.rosters.services import (
    APPLY,
    CHECK,
    UNDO,
    apply_roster,
    check_failed,
    check_roster,
    put_corrected_aside,
    undo_roster,
)

READING = 0.8  # of the check; the rest is looking everybody up


@job_handler(CHECK)
def roster_check(running: RunningJob) -> dict[str, int]:
    """Check one uploaded roster."""
    roster = _roster(running.job)
    running.progress(0, 1)

    def tell(done: int, height: int) -> None:
        """A sheet may be longer than it says."""
        running.progress(done, max(int(height / READING), done))

    check_roster(roster, on=timezone.localdate(), tell=tell)
    put_corrected_aside(roster, by=roster.uploaded_by)
    return {"new": roster.new_count, "matched": roster.matched_count, "wrong": roster.wrong_count}


@when_failed(CHECK)
def roster_check_failed(job: Job, sentence: str) -> None:
    check_failed(_roster(job), sentence)


@job_handler(APPLY)
def roster_apply(running: RunningJob) -> dict[str, int]:
    """Write one roster, whole or in part. An earlier attempt may have done it and not come to say so."""
    roster, given = _roster(running.job), running.arguments
    if roster.state != ImportState.APPLIED:
        running.progress(0)
        on, by = date.fromisoformat(given["on"]), User.objects.get(pk=given["by_id"])
        tell = lambda done, total: running.progress_beside(done)  # noqa: E731
        apply_roster(roster, by=by, on=on, is_partial=given["is_partial"], tell=tell)
    return {"new": roster.new_count, "matched": roster.matched_count}


@job_handler(UNDO)
def roster_undo(running: RunningJob) -> dict[str, int]:
    """Undo one roster. An earlier attempt may have done it."""
    roster = _roster(running.job)
    if roster.state != ImportState.UNDONE:
        running.progress(0)
        undo_roster(roster, by=User.objects.get(pk=running.arguments["by_id"]))
    return {"new": roster.new_count, "matched": roster.matched_count}


def _roster(job: Job) -> RosterImport:
    found = RosterImport.objects.select_related("cohort", "region", "uploaded_by", "checked_by", "corrects")
    return found.get(pk=job.arguments["staged"])


@job_handler(KIND)
def marked_copy(running: RunningJob) -> dict[str, Any]:
    """Write one roster again with what was found in it."""
    return make_copy(running)
