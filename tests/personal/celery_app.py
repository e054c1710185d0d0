"""The project's Celery application with one more kind of work: it fails, with a person's numbers in its hands."""

import logging

from incubator.celery import app

__all__ = ["app"]


@app.on_after_finalize.connect
def add_a_work_that_fails(**kwargs) -> None:
    from incubator.jobs.registry import job_handler

    job_handler("fails_with_a_person")(fail)


def fail(running):
    """A fault as a careless programmer would have it."""
    from trainees.models import Trainee

    trainee = Trainee.objects.get(pk=running.arguments["trainee"])
    logging.getLogger("careless").warning("calling %s, %s", trainee.phone, trainee.id_number)
    raise ValueError(f"{trainee.phone} of {trainee.id_number} does not answer")
