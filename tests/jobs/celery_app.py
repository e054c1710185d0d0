"""The project's Celery application with the kinds of work of the tests: ``celery -A tests.jobs.celery_app worker``."""

from celery.signals import worker_process_init

from incubator.celery import app

__all__ = ["app"]


@worker_process_init.connect
def register_kinds(**kwargs) -> None:
    from tests.jobs import kinds  # noqa: F401
