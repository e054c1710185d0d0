"""Background work of this room."""

from django.utils import timezone

from incubator.jobs.registry import job_handler
from incubator.jobs.services import RunningJob
from incubator.rosters.models import RosterImport
from incubator.rosters.services import CHECK, check_roster


@job_handler(CHECK)
def roster_check(running: RunningJob) -> dict[str, int]:
    """Check one uploaded roster."""
    roster = RosterImport.objects.select_related("cohort", "region", "uploaded_by").get(pk=running.arguments["staged"])
    running.progress(0, 1)
    check_roster(roster, on=timezone.localdate())
    return {"new": roster.new_count, "matched": roster.matched_count, "wrong": roster.wrong_count}
