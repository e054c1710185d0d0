"""Background work of this room."""

from typing import Any

from django.conf import settings
from django.utils.translation import override

from incubator.exports.services import KIND, make_export, may_fetch
from incubator.jobs.models import Job
from incubator.jobs.registry import download_check, job_handler
from incubator.jobs.services import RunningJob


@job_handler(KIND)
def list_export(running: RunningJob) -> dict[str, Any]:
    """Make a list's file, in the language it was asked for in."""
    with override(running.arguments.get("language") or settings.LANGUAGE_CODE):
        return make_export(running)


@download_check(KIND, only_asker=True)
def may_download(job: Job) -> bool:
    return may_fetch(job)
