"""This room's kinds of job beside the batches of a refresh."""

from django.utils import timezone

from incubator.jobs.registry import job_handler
from incubator.jobs.services import RunningJob
from incubator.metrics.freshness import keep_country
from incubator.metrics.models import RefreshRun
from incubator.metrics.services.events import notice_events


@job_handler("notice_events")
def look_for_events(running: RunningJob) -> dict[str, int]:
    """Once a run is finished: did the platform do something to many accounts on its day?

    And what was read shows in the coverage of the country at once, not when it is counted next.
    """
    run = RefreshRun.objects.get(pk=running.arguments["run"])
    event = notice_events(run.platform, run.day, at=timezone.now(), breathe=lambda: running.progress(0))
    keep_country(at=timezone.now())
    return {"events": int(event is not None)}
