"""The only writers of job rows: ask, claim, progress, finish, cancel, sweep.

A job is claimed under a lease which its worker renews with every sign of progress. A worker that lost its lease
(it was thought dead) is stopped at its next sign of progress, so that two never write as one.
"""

import logging
import shutil
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from incubator.common.errors import RuleBroken, Stale
from incubator.jobs.choices import LIVE, JobState
from incubator.jobs.models import Job
from incubator.jobs.registry import FAILURE_HANDLERS, HANDLERS

log = logging.getLogger(__name__)

LEFT_BEHIND = timedelta(days=1)  # older than any job: what lies in the working folder then is nobody's


class Cancelled(Exception):
    """Somebody asked for the job to stop; raised inside the handler, at a point where stopping is safe."""


class LeaseLost(Exception):
    """Another worker has taken the job over; this one must not write any more."""


class TryAgain(Exception):
    """The work cannot go on now (a platform is down). The job waits ``after`` seconds and is tried again.

    ``counts`` says whether this was one of its attempts: waiting for somebody else is none.
    """

    def __init__(self, sentence: str, *, after: float = 30, counts: bool = True) -> None:
        super().__init__(sentence)
        self.after = after
        self.counts = counts


def ask_for_job(
    kind: str, *, key: str, by: Any = None, title: str = "", total: int = 0, max_attempts: int = 5, **arguments: Any
) -> Job:
    """A queued job, its message sent when the transaction commits; the live one of that key if there is one."""
    wanted = Job(
        kind=kind,
        key=key,
        title=title,
        total=total,
        arguments=arguments,
        asked_by=by,
        max_attempts=max_attempts,
        resend_at=timezone.now() + _lease(),
    )
    for _attempt in range(3):  # the live one may end between the refusal and the look-up
        try:
            with transaction.atomic():
                wanted.save(force_insert=True)
        except IntegrityError:
            if live := Job.objects.live().filter(kind=kind, key=key).first():
                return live
        else:
            send(wanted)
            return wanted
    raise Stale(_("This work could not be asked for just now. Try again."))


def send(job: Job) -> None:
    """Put the job's id on the broker once the row is committed. A broker that is down is made good by the sweeper."""
    transaction.on_commit(partial(_send_now, job.pk))


def _send_now(job_id: int) -> None:
    from incubator.jobs.tasks import run_job

    try:
        run_job.apply_async([job_id], retry=False)
    except Exception as error:  # any broker fault: the row is there and the sweeper sends again
        log.warning("job %s not sent yet: %s", job_id, type(error).__name__)


def _lease() -> timedelta:
    return timedelta(seconds=settings.JOB_LEASE_SECONDS)


class RunningJob:
    """What a handler gets: the job's arguments, and the means to say how far it is."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.pk = job.pk
        self.arguments: dict[str, Any] = job.arguments
        self._owner = job.lease_owner

    def progress(self, done: int, total: int | None = None) -> None:
        """Say how far the work is and renew the lease. Raises ``Cancelled`` or ``LeaseLost``."""
        changes: dict[str, Any] = {"done": done, "lease_until": timezone.now() + _lease()}
        if total is not None:
            changes["total"] = total
        if not self._mine().update(**changes):
            raise LeaseLost
        if self._mine().filter(is_cancel_asked=True).exists():
            raise Cancelled

    def progress_beside(self, done: int) -> None:
        """The same inside a long transaction, over a connection of its own: what is said within is heard at its end.

        Nothing is said where that is not possible; raises ``Cancelled`` as ever.
        """
        try:
            with Beside() as cursor:
                cursor.execute(
                    "UPDATE jobs_job SET done = least(%s, greatest(total, 1)), lease_until = %s "
                    "WHERE id = %s AND state = %s AND lease_owner = %s RETURNING is_cancel_asked",
                    [done, timezone.now() + _lease(), self.pk, JobState.RUNNING.value, self._owner],
                )
                found = cursor.fetchone()
        except DatabaseError:
            log.warning("job %s: how far it is could not be told", self.pk)
            return
        if found is not None and found[0]:
            raise Cancelled

    @contextmanager
    def staying_alive(self) -> Iterator[None]:
        """Renew the lease from a thread during one long step that cannot say how far it is."""
        is_over = threading.Event()
        watch = threading.Thread(target=self._renew_until, args=[is_over], daemon=True)
        watch.start()
        try:
            yield
        finally:
            is_over.set()
            watch.join()

    def _renew_until(self, is_over: threading.Event) -> None:
        try:
            while not is_over.wait(_lease().total_seconds() / 3):
                self._mine().update(lease_until=timezone.now() + _lease())
        except DatabaseError:  # the next sign of progress says whether the lease is lost
            log.warning("job %s: its lease was not renewed", self.pk)
        finally:
            connection.close()  # this thread's own

    def keep(self, path: Any, *, name: str, until: datetime | None = None) -> None:
        """Keep the file at ``path``, sealed, as the job's result in place of what an earlier attempt kept.

        ``until`` says when it is cleared away.
        """
        earlier, kept = self.job.result_file.name, self.job.result_file
        kept.save_sealed(Path(path).read_bytes())
        if not self._mine().update(result_file=kept.name, result_name=name, result_until=until):
            kept.delete(save=False)
            raise LeaseLost
        if earlier:
            kept.storage.delete(earlier)

    def _mine(self):
        return Job.objects.filter(pk=self.pk, state=JobState.RUNNING, lease_owner=self._owner)

    def finish(self, state: JobState, **changes: Any) -> bool:
        return bool(self._mine().update(state=state, lease_until=None, finished_at=timezone.now(), **changes))

    def hand_back(self, *, after: float, error: str, counts: bool = True) -> bool:
        """Wait and try again; the sweeper sends it when ``after`` seconds have passed, and nobody takes it before."""
        again = timezone.now() + timedelta(seconds=after)
        changes: dict[str, Any] = {"lease_until": None, "resend_at": again, "not_before": again, "error": error}
        if not counts:
            changes["attempts"] = F("attempts") - 1
        return bool(self._mine().update(state=JobState.QUEUED, **changes))


class Beside:
    """A cursor that is in no transaction of ours: what it writes stands at once."""

    def __enter__(self) -> Any:
        self._connection = connection.copy()
        self._connection.set_autocommit(True)
        return self._connection.cursor()

    def __exit__(self, *exception: object) -> None:
        self._connection.close()


def claim(job_id: int) -> RunningJob | None:
    """Take a waiting job for this worker. None when it is gone, done, or somebody else has it."""
    now = timezone.now()
    free = Q(not_before=None) | Q(not_before__lte=now)
    won = Job.objects.filter(free, pk=job_id, state=JobState.QUEUED).update(
        state=JobState.RUNNING,
        lease_owner=uuid.uuid4(),
        lease_until=now + _lease(),
        attempts=F("attempts") + 1,
        started_at=now,
    )
    return RunningJob(Job.objects.get(pk=job_id)) if won else None


def run(job_id: int) -> None:
    """Do one job from claim to end. Every fault becomes a sentence on the row; nothing is raised to the broker."""
    running = claim(job_id)
    if running is None:
        return
    with override(settings.LANGUAGE_CODE):
        _run_claimed(running)


def _run_claimed(running: RunningJob) -> None:
    try:
        if running.job.is_cancel_asked:
            raise Cancelled
        result = HANDLERS[running.job.kind](running)
    except Cancelled:
        if running.finish(JobState.CANCELLED):
            _tell_owner(running.job, _("The work was stopped."))
    except LeaseLost:
        log.warning("job %s: another worker took over", running.pk)
    except RuleBroken as refusal:
        _fail(running, str(refusal))
    except TryAgain as wait:
        _again_or_failed(running, str(wait), after=wait.after, counts=wait.counts)
    except Exception as fault:
        log.exception("job %s failed", running.pk)
        _again_or_failed(running, _fault_sentence(fault), after=5)
    else:
        total = Job.objects.values_list("total", flat=True).get(pk=running.pk)
        running.finish(JobState.DONE, result=result or {}, error="", **({"done": total} if total else {}))


def _fault_sentence(fault: Exception) -> str:
    if isinstance(fault, DatabaseError):
        return _("The database did not answer. It is tried again by itself.")
    return _("Something unforeseen went wrong (%(kind)s). It is in the log of the worker.") % {
        "kind": type(fault).__name__
    }


def _again_or_failed(running: RunningJob, sentence: str, *, after: float, counts: bool = True) -> None:
    if not counts or running.job.attempts < running.job.max_attempts:
        running.hand_back(after=after, error=sentence, counts=counts)
    else:
        _fail(running, sentence)


def _fail(running: RunningJob, sentence: str) -> None:
    if running.finish(JobState.FAILED, error=sentence):
        _tell_owner(running.job, sentence)


def _tell_owner(job: Job, sentence: str) -> None:
    """Whatever the job was about hears that it will not come to its end."""
    if handler := FAILURE_HANDLERS.get(job.kind):
        handler(job, sentence)


def cancel_job(job: Job, *, by: Any) -> Job:
    """Stop a job: at once while it waits, at its next safe point while it runs."""
    now = timezone.now()
    if Job.objects.filter(pk=job.pk, state=JobState.QUEUED).update(state=JobState.CANCELLED, finished_at=now):
        _tell_owner(job, _("The work was stopped."))
        log.info("job %s cancelled by user %s", job.pk, getattr(by, "pk", None))
    elif not Job.objects.filter(pk=job.pk, state=JobState.RUNNING).update(is_cancel_asked=True):
        raise RuleBroken(_("This work has ended already; there is nothing to cancel."))
    job.refresh_from_db()
    return job


def sweep(*, at: datetime) -> int:
    """Send again what lost its worker or its message. Returns how many. Safe to run any number of times at once."""
    count = 0
    for job in Job.objects.lost(at).order_by("pk")[:500]:
        count += _revive(job, at)
    return count


def _revive(job: Job, at: datetime) -> int:
    same = Job.objects.filter(pk=job.pk, state=job.state, lease_owner=job.lease_owner, attempts=job.attempts)
    if job.state == JobState.RUNNING and job.attempts >= job.max_attempts:
        with override(settings.LANGUAGE_CODE):
            sentence = _("The work stopped without a word %(count)s times and is not tried again.")
        sentence %= {"count": job.attempts}
        won = same.lost(at).update(state=JobState.FAILED, finished_at=at, lease_until=None, error=sentence)
        if won:
            _tell_owner(job, sentence)
        return won
    won = same.lost(at).update(state=JobState.QUEUED, lease_until=None, not_before=None, resend_at=at + _lease())
    if won:
        _send_now(job.pk)
    return won


def live_jobs(kind: str) -> int:
    """How many jobs of a kind are waiting or running."""
    return Job.objects.filter(kind=kind, state__in=LIVE).count()


# --- Result files -----------------------------------------------------------------------------------------------------


def is_file_gone(job: Job) -> bool:
    """Whether the result was cleared away since (or lies on another machine)."""
    name = job.result_file.name
    return bool(name) and not job.result_file.storage.exists(str(name))


def working_folder() -> Path:
    """Where unfinished results lie while they are made: on the disk of the results, for nobody else to read."""
    folder = Path(settings.MEDIA_ROOT) / "working"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def clear_results(*, at: datetime) -> int:
    """Delete result files that were kept long enough, and what killed workers left. Returns how many results went."""
    count = 0
    for job in Job.objects.filter(result_until__lt=at).order_by("pk")[:500]:
        if job.result_file:
            job.result_file.storage.delete(str(job.result_file.name))
        count += Job.objects.filter(pk=job.pk).update(result_until=None)
    for left in working_folder().iterdir():
        if left.stat().st_mtime < (at - LEFT_BEHIND).timestamp():
            shutil.rmtree(left, ignore_errors=True)
    return count
