"""The room ``jobs``: background work a person can watch: state, progress, attempts, result files."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class JobsConfig(AppConfig):
    name = "incubator.jobs"
    label = "jobs"
    verbose_name = _("Background work")

    def ready(self) -> None:
        """Make ``shared_task`` use the project's Celery application in every process, the web included."""
        from incubator import celery  # noqa: F401
