"""The work of one refresh batch: tokens rotated when needed, followers fetched, readings written as they arrive."""

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.common.errors import RuleBroken
from incubator.jobs.registry import job_handler
from incubator.jobs.services import RunningJob, TryAgain
from incubator.metrics.choices import AccountState, Failure, Source
from incubator.metrics.clients import base
from incubator.metrics.limits import BrokerGate, GateAway, NotMade, Paused
from incubator.metrics.models import Authorisation, CreatorAccount, QuarantinedReading, RefreshBatch, RefreshFailure
from incubator.metrics.platforms import client_for, rate_per_second
from incubator.metrics.services.calls import calls_left, give_back_calls, spend_calls
from incubator.metrics.services.consent import lose_consents, same_consents, store_tokens
from incubator.metrics.services.readings import Figures, Origin, Written, hold_unusable, write_figures
from incubator.metrics.services.refresh import answered, clock_of, finish_batch, stop_run
from incubator.metrics.services.rollups import lock_writing
from incubator.metrics.streaming import Stream, event_loop

log = logging.getLogger(__name__)

CONCURRENT_CALLS = 40
# Single-use tokens on their way at once: a worker that is killed loses no more consents than so many.
EXCHANGES_AT_ONCE = 4
CALLS_AHEAD = 60  # calls spent before they are made; what a killed worker wastes is fewer than twice this
WRITE_EVERY = 250  # accounts
WRITE_AFTER = 2.0  # seconds a reading waits to be written
TRIES = 3
BREATH_SECONDS = 5
CLAIM = timedelta(seconds=60)
TOKEN_MARGIN = timedelta(hours=1)  # a token that ends within the hour is exchanged before it is used
MOST_DAYS = 30  # how far back a platform that has history is asked
QUOTA_STOPS = 5  # refusals in a row: one is an account that is banned, five are the day's calls
REFUSAL_KNOWN_DAYS = 30  # so long an account that was refused is no sign of the day's calls
LAG = timedelta(days=1)  # of a platform that tells days back, behind its own clock
LONGEST_PAUSE = 300.0  # seconds
DATABASE_BACK_WITHIN = 600.0  # seconds; so long a worker holds on to tokens which it cannot store

Step = Literal["rotate", "fetch"]


class OtherDay(base.PlatformError):
    """The platform's own clock shows another day than the run's: a follower count is a current value."""


class ClaimedElsewhere(base.Transient):
    """Another worker of ours exchanges this account's token at this moment: it took this batch over, or lost it."""


class NoCallsLeft(base.PlatformError):
    """Our own limits for the day: of the application, or of this account."""


FAILURES: dict[type[base.PlatformError], Failure] = {
    base.Transient: Failure.TRANSIENT,
    ClaimedElsewhere: Failure.TRANSIENT,
    base.RateLimited: Failure.RATE_LIMITED,
    base.QuotaSpent: Failure.QUOTA_SPENT,
    base.RefreshNeeded: Failure.REAUTHORISE,
    base.Reauthorise: Failure.REAUTHORISE,
    base.Gone: Failure.GONE,
    base.BadAnswer: Failure.BAD_ANSWER,
    base.UnusableFigure: Failure.BAD_ANSWER,
    base.Misconfigured: Failure.MISCONFIGURED,
    NoCallsLeft: Failure.ACCOUNT_LIMIT,
    OtherDay: Failure.OTHER_DAY,
}
PASSING = (base.Transient, base.RateLimited)
STOPPING = (base.Misconfigured, Paused, GateAway, OtherDay)


@job_handler("refresh_batch")
def refresh_batch(running: RunningJob) -> dict[str, int]:
    """Read every account of the batch that was not answered for on the day yet."""
    batch = RefreshBatch.objects.select_related("run").get(pk=running.arguments["batch"])
    if clock_of(batch.run).date() != batch.run.day:
        raise RuleBroken(_("The day of this run is over. Followers of a past day cannot be read any more."))
    work = BatchWork(running, batch)
    work.do()
    finish_batch(batch)
    return {"read": work.read, "failed": len(work.failed), "held_back": work.written.quarantined}


@dataclass(frozen=True, slots=True)
class Task:
    """One call: which step, for whom."""

    step: Step
    authorisation: Authorisation

    @property
    def account(self) -> int:
        return self.authorisation.account_id


@dataclass
class BatchWork:
    """State of one pass over a batch. Expiry of tokens is judged by the run's clock."""

    running: RunningJob
    batch: RefreshBatch
    read: int = 0
    written: Written = field(default_factory=Written)
    failed: dict[int, base.PlatformError] = field(default_factory=dict)
    rotated: set[int] = field(default_factory=set)
    to_exchange: deque[tuple[Authorisation, float]] = field(default_factory=deque)  # and the pause before it
    exchanging: int = 0
    unsaved: list[tuple[Authorisation, base.Tokens]] = field(default_factory=list)
    tries: dict[int, int] = field(default_factory=dict)
    answers: list[tuple[int, list[base.Reading]]] = field(default_factory=list)
    consents: dict[int, datetime] = field(default_factory=dict)  # when the consent was given that failed
    refused_before: set[int] = field(default_factory=set)
    stopped_by: base.PlatformError | None = None
    refusals: int = 0  # of quota, in a row
    open_calls: int = 0
    written_at: float = 0.0
    breathed_at: float = 0.0

    def do(self) -> None:
        todo = self._todo()
        self.at = clock_of(self.batch.run)
        self.read = len(self.batch.account_ids) - len(todo)
        self.refused_before = refused_before(self.batch)
        self._say_progress()
        self.written_at = time.monotonic()
        with event_loop() as runner:
            stack = AsyncExitStack()
            self.client = runner.run(_open(stack, self.batch.run.platform))
            self.stream: Stream[Task] = Stream(runner, CONCURRENT_CALLS)
            try:
                self._work_through(todo)
            finally:
                try:
                    self._settle()
                finally:
                    runner.run(stack.aclose())
        self._end()

    def _todo(self) -> deque[Authorisation]:
        """Connected accounts of the batch that were not answered for today."""
        done = answered(self.batch.run, self.batch.account_ids)
        return deque(
            Authorisation.objects.filter(account_id__in=self.batch.account_ids, account__state=AccountState.LINKED)
            .exclude(account_id__in=done)
            .select_related("account__latest")
            .order_by("account_id")
        )

    def _work_through(self, todo: deque[Authorisation]) -> None:
        self._feed(todo)
        for answer in self.stream:
            if answer is not None:
                self._take(*answer)
            if self.stopped_by is not None:
                return
            self._feed(todo)
            self._write_in_time()
            self._breathe()

    def _feed(self, todo: deque[Authorisation]) -> None:
        """Spend calls for some more accounts and begin them, so that only few are spent ahead."""
        if self.open_calls > CALLS_AHEAD // 2 or not todo:
            return
        some = [todo.popleft() for _n in range(min(CALLS_AHEAD, len(todo)))]
        for authorisation in some:
            _tokens(authorisation)  # a wrong key raises here, before calls are spent
        allowed = self._spend([authorisation.account_id for authorisation in some])
        for authorisation in some:
            if authorisation.account_id not in allowed:
                self._fail(authorisation, NoCallsLeft())
            elif authorisation.access_expires_at <= self.at + TOKEN_MARGIN:
                self._rotate(authorisation)
            else:
                self._fetch(authorisation)

    def _spend(self, accounts: Sequence[int]) -> set[int]:
        return spend_calls(self.batch.run.platform, self.at.date(), accounts)

    def _give_back(self, accounts: Sequence[int]) -> None:
        """Else a platform that was left alone four times would have used up the day of accounts nobody called."""
        give_back_calls(self.batch.run.platform, self.at.date(), accounts)

    # Calls

    def _fetch(self, authorisation: Authorisation, pause: float = 0) -> None:
        call = partial(self.client.fetch, _tokens(authorisation), days=_days_missing(authorisation, self.batch.run.day))
        self.open_calls += 1
        self.stream.add(Task("fetch", authorisation), _after(pause, call))

    def _rotate(self, authorisation: Authorisation, pause: float = 0) -> None:
        """Have the refresh token exchanged when its turn comes; not one that has expired."""
        pk = authorisation.account_id
        self.rotated.add(pk)
        if authorisation.refresh_expires_at <= self.at:
            self._fail(authorisation, base.Reauthorise("expired"))
            self._give_back([pk])
        else:
            self.to_exchange.append((authorisation, pause))
            self.open_calls += 1
            self._exchange_some()

    def _exchange_some(self) -> None:
        while self.to_exchange and self.exchanging < EXCHANGES_AT_ONCE and self.stopped_by is None:
            self._exchange(*self.to_exchange.popleft())

    def _exchange(self, authorisation: Authorisation, pause: float) -> None:
        """Exchange the single-use refresh token, if nobody else is doing so at this moment."""
        pk = authorisation.account_id
        if claim_rotation(authorisation, at=timezone.now()):
            call = partial(self.client.refresh, _tokens(authorisation), at=self.at)
            self.exchanging += 1
            self.stream.add(Task("rotate", authorisation), _after(pause, call), must_finish=True)
        else:
            self._fail(authorisation, ClaimedElsewhere())
            self.open_calls -= 1
            self._give_back([pk])

    # Answers

    def _take(self, task: Task, answer: Any) -> None:
        self.open_calls -= 1
        if isinstance(answer, base.Tokens):
            self._take_tokens(task, answer)
        elif isinstance(answer, base.PlatformError):
            self._take_error(task, answer)
        elif isinstance(answer, Exception):
            raise answer
        else:
            self._take_readings(task, answer)
        if task.step == "rotate":
            self.exchanging -= 1
            self._exchange_some()

    def _take_tokens(self, task: Task, tokens: base.Tokens) -> None:
        """Stored first, used then. Where somebody consented anew or withdrew meanwhile, theirs is what counts."""
        self.unsaved.append((task.authorisation, tokens))
        store_tokens(*self.unsaved[-1])
        self.unsaved.pop()
        found = Authorisation.objects.filter(pk=task.account, account__state=AccountState.LINKED)
        current = found.select_related("account__latest").first()
        if current is not None:
            self._fetch(current)

    def _take_readings(self, task: Task, readings: Iterable[base.Reading]) -> None:
        """A current value is of the run's day, or the clocks differ. A series may lag; what it tells is kept."""
        day = self.batch.run.day
        known = [reading for reading in readings if reading.day <= day]
        if not self.client.tells_history and (not known or known[-1].day != day):
            self.stopped_by = self._fail(task.authorisation, OtherDay())
            return
        self.refusals = 0
        self.failed.pop(task.account, None)
        if not known or known[-1].day < day - LAG:
            self._fail(task.authorisation, base.BadAnswer("stale"))
        if known:
            self.answers.append((task.account, known))

    def _take_error(self, task: Task, error: base.PlatformError) -> None:
        if task.step == "rotate":
            free_rotation(task.authorisation)
        if isinstance(error, NotMade):
            self._give_back([task.account])
        if isinstance(error, STOPPING):
            self.stopped_by = error
        elif isinstance(error, base.RefreshNeeded) and task.account not in self.rotated:
            self._again(task, error, self._rotate)
        elif isinstance(error, PASSING) and self.tries.get(task.account, 0) + 1 < TRIES:
            self.tries[task.account] = self.tries.get(task.account, 0) + 1
            self._again(task, error, self._rotate if task.step == "rotate" else self._fetch)
        else:
            self._give_up(task, error)

    def _again(self, task: Task, error: base.PlatformError, begin: Callable[[Authorisation, float], None]) -> None:
        """Another call for this account, spent like the first."""
        if self._spend([task.account]):
            begin(task.authorisation, self._pause(task.account))
        else:
            self._give_up(task, error)

    def _give_up(self, task: Task, error: base.PlatformError) -> None:
        self._fail(task.authorisation, error)
        if not isinstance(error, base.QuotaSpent):
            self.refusals = 0
        elif task.account not in self.refused_before:
            self.refusals += 1
        if self.refusals >= QUOTA_STOPS:
            self.stopped_by = error

    def _fail[Error: base.PlatformError](self, authorisation: Authorisation, error: Error) -> Error:
        self.failed[authorisation.account_id] = error
        self.consents[authorisation.account_id] = authorisation.granted_at
        return error

    def _pause(self, account: int) -> float:
        """Seconds before the next try: doubling, spread at random. What the platform asks for is kept by the gate."""
        tries = self.tries.get(account, 0)
        return 2 ** (tries - 1) * random.uniform(0.75, 1.25) if tries else 0  # noqa: S311 - not for secrets

    # Writing

    def _write_in_time(self) -> None:
        if len(self.answers) >= WRITE_EVERY or time.monotonic() - self.written_at > WRITE_AFTER:
            self._write()

    def _write(self) -> None:
        """Write what arrived, in one transaction, and say how far we are."""
        if not self.answers:
            self.written_at = time.monotonic()
            return
        accounts = {account for account, _readings in self.answers if account not in self.failed}
        with transaction.atomic():
            written = write_figures(_figures(self.answers), Origin(Source.API, timezone.now(), self.batch.run_id))
            RefreshFailure.objects.filter(run=self.batch.run, account_id__in=accounts).delete()
            count_batch(self.batch)
        self.answers = []  # after it: what could not be written is tried once more in the end
        self.written_at = time.monotonic()  # after it: or a slow write would be followed by one for every answer
        self.written += written
        self.read += len(accounts)
        self._say_progress()

    def _breathe(self) -> None:
        """Renew the lease while nothing arrives that could be written."""
        if time.monotonic() - self.breathed_at > BREATH_SECONDS:
            self._say_progress()

    def _say_progress(self) -> None:
        self.breathed_at = time.monotonic()
        self.running.progress(min(self.read + len(self.failed), len(self.batch.account_ids)))

    # The end, however it came

    def _settle(self) -> None:
        """Tokens that were exchanged are stored and figures that arrived are written, whatever ended the work."""
        left = self.stream.close()
        if left or self.to_exchange or self.unsaved:
            wait_for_database()  # or the claims of what is left would hold for a minute with nobody at work
        self.unsaved += [(task.authorisation, answer) for task, answer in left if isinstance(answer, base.Tokens)]
        store_patiently(self.unsaved)
        not_made = [task.account for task, answer in left if answer is None or isinstance(answer, NotMade)]
        self._give_back([*not_made, *(authorisation.account_id for authorisation, _pause in self.to_exchange)])
        for task, answer in left:
            if task.step == "rotate" and not isinstance(answer, base.Tokens):
                free_rotation(task.authorisation)
            elif isinstance(answer, list) and not isinstance(self.stopped_by, OtherDay):
                self._take_readings(task, answer)
        self._write()

    def _end(self) -> None:
        """Keep why accounts failed, and say what is to become of the batch."""
        note_failures(self.batch, self.failed, self.consents)
        error = self.stopped_by
        if isinstance(error, Paused | GateAway):
            raise TryAgain(_("The platform is given a rest. It goes on by itself."), after=_rest(error), counts=False)
        if error is not None:
            self._stop_run(_why_stopped(error))
        if any(isinstance(e, ClaimedElsewhere) for e in self.failed.values()):
            # Not one of the attempts, or a batch whose workers overlapped would end without what the other one holds.
            raise TryAgain(_("Another worker is at these accounts. It goes on by itself."), after=5, counts=False)
        attempts = self.running.job.attempts
        if any(isinstance(e, PASSING) for e in self.failed.values()) and attempts < self.running.job.max_attempts:
            after = min(LONGEST_PAUSE, 10 * 2 ** (attempts - 1) * random.uniform(0.75, 1.25))  # noqa: S311
            raise TryAgain(
                _("The platform did not answer for some accounts. It is tried again by itself."), after=after
            )

    def _stop_run(self, why: str) -> None:
        """What stops one batch stops them all."""
        if self.batch.run.finished_at is None:
            stop_run(self.batch.run, why=why)
        raise RuleBroken(why)


async def _open(stack: AsyncExitStack, platform: str) -> base.PlatformClient:
    gate = await stack.enter_async_context(BrokerGate(platform, rate_per_second(platform)))
    return await stack.enter_async_context(client_for(platform, gate=gate))  # type: ignore[arg-type]


def _after(pause: float, call: Callable[[], Awaitable[Any]]) -> Callable[[], Awaitable[Any]]:
    if not pause:
        return call

    async def later() -> Any:
        try:
            await asyncio.sleep(pause)
        except asyncio.CancelledError:
            raise NotMade from None
        return await call()

    return later


def _rest(error: base.PlatformError) -> float:
    """Seconds to wait for the platform, and a little apart from the other batches."""
    return min(LONGEST_PAUSE, getattr(error, "after", 10.0)) + random.uniform(0.2, 2)  # noqa: S311


def _why_stopped(error: base.PlatformError) -> str:
    if isinstance(error, base.QuotaSpent):
        return _("The platform's calls of the day are used up. Go on tomorrow.")
    if isinstance(error, OtherDay):
        return _("The platform's clock shows another day than this run. Start the refresh of today instead.")
    return _("The platform refuses our application's settings. Check its id and secret, then go on with the run.")


def _days_missing(authorisation: Authorisation, day: Any) -> int:
    """Days since the newest reading, for platforms that have history."""
    latest = getattr(authorisation.account, "latest", None)
    return min(MOST_DAYS, max(1, (day - latest.day).days)) if latest else MOST_DAYS


def _figures(arrived: Sequence[tuple[int, list[base.Reading]]]) -> Figures:
    return Figures.of((account, r.day, r.followers, r.following) for account, readings in arrived for r in readings)


def refused_before(batch: RefreshBatch) -> set[int]:
    """Accounts that the platform has refused on a day before, as it does with banned ones.

    It has one code for them and for calls that are used up. They stand together at the head of the round, unread for
    longest, and must not be taken for the end of the day's calls.
    """
    since = batch.run.day - timedelta(days=REFUSAL_KNOWN_DAYS)
    refused = RefreshFailure.objects.filter(account_id__in=batch.account_ids, kind=Failure.QUOTA_SPENT)
    earlier = refused.filter(run__platform=batch.run.platform, run__day__gte=since, run__day__lt=batch.run.day)
    return set(earlier.exclude(code="").values_list("account_id", flat=True))


def _tokens(authorisation: Authorisation) -> base.Tokens:
    return base.Tokens(
        external_id=authorisation.external_id,
        access_token=authorisation.access_token,
        refresh_token=authorisation.refresh_token,
        access_expires_at=authorisation.access_expires_at,
        refresh_expires_at=authorisation.refresh_expires_at,
        scopes=tuple(authorisation.scopes),
    )


def claim_rotation(authorisation: Authorisation, *, at: datetime) -> bool:
    """Take the right to exchange this refresh token for a minute: of two workers at once one gets it."""
    free = Q(claimed_until=None) | Q(claimed_until__lt=at)
    claimed = Authorisation.objects.filter(free, pk=authorisation.pk, rotation=authorisation.rotation)
    return bool(claimed.update(claimed_until=at + CLAIM))


def count_batch(batch: RefreshBatch) -> None:
    """Say how many of the batch were read and held back. Counted, not added up: two workers may have read the same."""
    held = QuarantinedReading.objects.with_figure().filter(
        run=batch.run, day=batch.run.day, account_id__in=batch.account_ids
    )
    read = len(answered(batch.run, batch.account_ids))
    RefreshBatch.objects.filter(pk=batch.pk).update(read=read, quarantined=held.count())


def store_patiently(unsaved: Iterable[tuple[Authorisation, base.Tokens]]) -> None:
    """Store tokens that nobody else has; a database that is away is waited for. Then the event loop must be at rest."""
    for authorisation, tokens in unsaved:
        patiently(partial(store_tokens, authorisation, tokens))


def wait_for_database() -> None:
    """Return once the database answers."""

    def ask() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    patiently(ask)


def patiently(do: Callable[[], Any]) -> None:
    """Do something that a database is needed for; one that is away is waited for, some minutes, then it raises."""
    end = time.monotonic() + DATABASE_BACK_WITHIN
    while True:
        try:
            do()
            return
        except (OperationalError, InterfaceError):
            if time.monotonic() > end:
                raise
            connection.close()
            time.sleep(0.5)


def free_rotation(authorisation: Authorisation) -> None:
    """Give the right back after an exchange that failed."""
    Authorisation.objects.filter(pk=authorisation.pk, rotation=authorisation.rotation).update(claimed_until=None)


@transaction.atomic
def note_failures(batch: RefreshBatch, failed: dict[int, base.PlatformError], consents: dict[int, datetime]) -> None:
    """Keep why each account failed, mark those that need consent again or are gone, hold unusable answers back.

    ``consents``: when the consent was given under which each failed. One given since is another matter.
    """
    unusable = [(pk, error.code, error.told) for pk, error in failed.items() if isinstance(error, base.UnusableFigure)]
    if unusable:
        with connection.cursor() as cursor:  # before the rows: whoever writes readings locks in this order
            lock_writing(cursor)
    now = timezone.now()
    rows = [
        RefreshFailure(run=batch.run, account_id=pk, kind=_failure(error, batch), code=error.code[:20], at=now)
        for pk, error in failed.items()
    ]
    RefreshFailure.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["run", "account"], update_fields=["kind", "code", "at"]
    )
    RefreshBatch.objects.filter(pk=batch.pk).update(failed=len(rows))
    lose_consents({row.account_id: row.code for row in rows if row.kind == Failure.REAUTHORISE}, consents, at=now)
    gone = [row.account_id for row in rows if row.kind == Failure.GONE]
    gone = sorted(same_consents(gone, consents))
    CreatorAccount.objects.linked().filter(pk__in=gone).update(state=AccountState.GONE)
    hold_unusable(unusable, day=batch.run.day, origin=Origin(Source.API, now, batch.run_id))


def _failure(error: base.PlatformError, batch: RefreshBatch) -> Failure:
    if isinstance(error, NoCallsLeft) and not calls_left(batch.run.platform, batch.run.day):
        return Failure.QUOTA_SPENT
    return FAILURES[type(error)]
