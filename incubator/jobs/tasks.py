"""Celery tasks of this room: they carry an id to the service and nothing else."""

from celery import shared_task
from django.utils import timezone


@shared_task(name="jobs.run")
def run_job(job_id: int) -> None:
    from incubator.jobs.services import run

    run(job_id)


@shared_task(name="jobs.sweep")
def sweep_jobs() -> None:
    from incubator.jobs.services import sweep

    sweep(at=timezone.now())


@shared_task(name="jobs.clear_results")
def clear_job_results() -> None:
    from incubator.jobs.services import clear_results

    clear_results(at=timezone.now())
