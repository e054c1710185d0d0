"""Background work of this room."""

from datetime import date

from incubator.certification.models import Rehearsal, Rule
from incubator.certification.services.rehearsals import KIND, rehearse
from incubator.jobs.registry import job_handler
from incubator.jobs.services import RunningJob


@job_handler(KIND)
def rehearse_rule(running: RunningJob) -> dict[str, int]:
    """Rehearse one draft. What an earlier attempt of this job saved is not made again."""
    rule = Rule.objects.get(pk=running.arguments["rule"])
    day = date.fromisoformat(running.arguments["day"])
    done = Rehearsal.objects.filter(rule=rule, day=day, conditions=rule.conditions, at__gte=running.job.created_at)
    rehearsal = done.first()
    if rehearsal is None:
        with running.staying_alive():
            rehearsal = rehearse(rule, on=day, by=running.job.asked_by, step=running.progress_beside)
    running.progress(running.job.total)
    return {"rehearsal": rehearsal.pk}
