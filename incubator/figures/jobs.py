"""Background work of this room."""

from django.utils import timezone

from incubator.figures.models import FiguresImport
from incubator.figures.services import CHECK, check_failed, check_figures
from incubator.jobs.models import Job
from incubator.jobs.registry import job_handler, when_failed
from incubator.jobs.services import RunningJob


@job_handler(CHECK)
def figures_check(running: RunningJob) -> dict[str, int]:
    """Check one uploaded workbook of figures."""
    figures = FiguresImport.objects.select_related("region", "uploaded_by").get(pk=running.arguments["staged"])
    running.progress(0, 1)
    check_figures(figures, on=timezone.localdate())
    return {"to_write": figures.to_write_count, "wrong": figures.wrong_count}


@when_failed(CHECK)
def figures_check_failed(job: Job, sentence: str) -> None:
    check_failed(FiguresImport.objects.get(pk=job.arguments["staged"]), sentence)
