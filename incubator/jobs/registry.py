"""Which function does which kind of job. Rooms above register their own; this room knows none of them."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from incubator.jobs.models import Job
    from incubator.jobs.services import RunningJob

Handler = Callable[["RunningJob"], dict | None]
HANDLERS: dict[str, Handler] = {}


def job_handler(kind: str) -> Callable[[Handler], Handler]:
    """Decorator: this function does jobs of ``kind``. It must be safe to run twice; what it returns is the result."""

    def register(handler: Handler) -> Handler:
        HANDLERS[kind] = handler
        return handler

    return register


FailureHandler = Callable[["Job", str], None]
FAILURE_HANDLERS: dict[str, FailureHandler] = {}


def when_failed(kind: str) -> Callable[[FailureHandler], FailureHandler]:
    """Decorator: called with the job and why, when a job of ``kind`` failed or was cancelled and is not tried again.

    It may be called twice, and for work that another worker has meanwhile done.
    """

    def register(handler: FailureHandler) -> FailureHandler:
        FAILURE_HANDLERS[kind] = handler
        return handler

    return register


DownloadCheck = Callable[["Job"], bool]
DOWNLOAD_CHECKS: dict[str, DownloadCheck] = {}
FOR_ASKERS_ONLY: set[str] = set()


def download_check(kind: str, *, only_asker: bool = False) -> Callable[[DownloadCheck], DownloadCheck]:
    """Decorator: this function says whether a result of ``kind`` may still be fetched by who asked for it.

    With ``only_asker`` nobody else fetches it, superusers included: what was asked for was recorded under one name.
    """

    def register(check: DownloadCheck) -> DownloadCheck:
        DOWNLOAD_CHECKS[kind] = check
        if only_asker:
            FOR_ASKERS_ONLY.add(kind)
        return check

    return register
