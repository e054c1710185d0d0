"""Background work of this room."""

from typing import Any

from django.utils import timezone

from incubator.jobs.registry import job_handler
from incubator.jobs.services import RunningJob
from incubator.rosters.copies import KIND, make_copy
from incubator.rosters.models import RosterImport
from incubator.rosters.services import CHECK, check_roster, put_corrected_aside


@job_handler(CHECK)
def roster_check(running: RunningJob) -> dict[str, int]:
    """Check one uploaded roster."""
    roster = RosterImport.objects.select_related("cohort", "region", "uploaded_by", "corrects").get(
        pk=running.arguments["staged"]
    )
    running.progress(0, 1)
    check_roster(roster, on=timezone.localdate())
    put_corrected_aside(roster, by=roster.uploaded_by)
    return {"new": roster.new_count, "matched": roster.matched_count, "wrong": roster.wrong_count}


@job_handler(KIND)
def marked_copy(running: RunningJob) -> dict[str, Any]:
    """Write one roster again with what was found in it."""
    return make_copy(running)
