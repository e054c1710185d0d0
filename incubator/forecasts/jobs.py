"""Background work of this room."""

from collections import Counter
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from incubator.forecasts.models import Forecast
from incubator.forecasts.services import concerned, learn_where_due, make_forecasts
from incubator.jobs.models import Job
from incubator.jobs.registry import job_handler
from incubator.jobs.services import RunningJob, ask_for_job

KIND = "make_forecasts"


def ask_for_forecasts(*, on: date, by: Any = None) -> Job:
    """The job that forecasts everybody in support on a day; the one under way if there is one."""
    title = _("Forecasts of %(day)s") % {"day": on}
    return ask_for_job(KIND, key=on.isoformat(), title=title, by=by, day=on.isoformat())


@job_handler(KIND)
def forecasts_made(running: RunningJob) -> dict[str, Any]:
    """Learn where it is due, then forecast; how many are in which band is the result."""
    on = date.fromisoformat(running.arguments["day"])
    total = concerned(on).count()
    running.progress(0, total)
    with running.staying_alive():
        is_learned = learn_where_due(on=on)
    make_forecasts(on=on, say=lambda done: running.progress(min(done, total)))
    bands = Counter(Forecast.objects.filter(as_of=on).values_list("band", flat=True))
    return {"learned": is_learned, "bands": {band or "none": count for band, count in sorted(bands.items())}}
