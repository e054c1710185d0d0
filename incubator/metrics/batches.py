"""The work of one refresh batch: tokens rotated when needed, followers fetched, readings written as they arrive."""

import asyncio
import logging
import time
from collections.abc import Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.common.errors import RuleBroken
from incubator.jobs.registry import job_handler
from incubator.jobs.services import RunningJob, TryAgain
from incubator.metrics.choices import AccountState, Failure, Source
from incubator.metrics.clients import base
from incubator.metrics.models import (
    Authorisation,
    CallBudget,
    CreatorAccount,
    Reading,
    RefreshBatch,
    RefreshFailure,
)
from incubator.metrics.platforms import client_for, daily_budget
from incubator.metrics.services.consent import store_tokens
from incubator.metrics.services.readings import Figures, Origin, write_figures
from incubator.metrics.services.refresh import finish_batch
from incubator.metrics.streaming import Stream

log = logging.getLogger(__name__)

CONCURRENT_CALLS = 40
WRITE_EVERY = 50  # readings; what a killed worker can lose is fewer calls than this
TRIES = 3
BREATH_SECONDS = 5
CLAIM = timedelta(seconds=60)
# A token that ends within the hour is exchanged before it is used.
TOKEN_MARGIN = timedelta(hours=1)

FAILURES: dict[type[base.PlatformError], str] = {
    base.Transient: Failure.TRANSIENT,
    base.RateLimited: Failure.RATE_LIMITED,
    base.QuotaSpent: Failure.QUOTA_SPENT,
    base.RefreshNeeded: Failure.REAUTHORISE,
    base.Reauthorise: Failure.REAUTHORISE,
    base.Gone: Failure.GONE,
    base.BadAnswer: Failure.BAD_ANSWER,
    base.Misconfigured: Failure.MISCONFIGURED,
}


@job_handler("refresh_batch")
def refresh_batch(running: RunningJob) -> dict[str, int]:
    """Read every account of the batch that has no reading of the day yet."""
    batch = RefreshBatch.objects.select_related("run").get(pk=running.arguments["batch"])
    work = BatchWork(running, batch, datetime.fromisoformat(running.arguments["at"]))
    work.do()
    finish_batch(batch)
    return {"read": work.read, "failed": len(work.failed)}


@dataclass
class BatchWork:
    """State of one pass over a batch. ``at`` is the instant the run is for; expiry of tokens is judged by it."""

    running: RunningJob
    batch: RefreshBatch
    at: datetime
    read: int = 0
    failed: dict[int, base.PlatformError] = field(default_factory=dict)
    rotated: set[int] = field(default_factory=set)
    tries: dict[int, int] = field(default_factory=dict)
    answers: list[tuple[int, base.Reading]] = field(default_factory=list)
    stopped_by: base.PlatformError | None = None
    breathed_at: float = 0.0

    def do(self) -> None:
        todo = self._todo()
        self.read = len(self.batch.account_ids) - len(todo)
        self.running.progress(self.read)
        spend_calls(self.batch.run.platform, self.batch.run.day, len(todo))
        with asyncio.Runner() as runner:
            client: Any = client_for(self.batch.run.platform)
            runner.run(_enter(client))
            stream: Stream = Stream(runner, CONCURRENT_CALLS)
            try:
                for authorisation in todo:
                    self._add(stream, client, authorisation)
                for authorisation, answer in stream:
                    self._take(stream, client, authorisation, answer)
                    self._breathe()
                    if self.stopped_by is not None:
                        break
            finally:
                stream.close()
                runner.run(_leave(client))
                self._write()  # whatever ended the work: a reading that arrived is kept
        self._say_why_stopped()

    def _todo(self) -> list[Authorisation]:
        """Connected accounts of the batch without a reading of the day."""
        read = Reading.objects.filter(day=self.batch.run.day, account_id__in=self.batch.account_ids)
        return list(
            Authorisation.objects.filter(account_id__in=self.batch.account_ids, account__state=AccountState.LINKED)
            .exclude(account_id__in=read.values("account_id"))
            .order_by("account_id")
        )

    def _add(self, stream: Stream, client: Any, authorisation: Authorisation) -> None:
        if authorisation.access_expires_at <= self.at + TOKEN_MARGIN:
            self._add_rotation(stream, client, authorisation)
        else:
            stream.add(authorisation, _fetch(client, _tokens(authorisation), self._pause(authorisation)))

    def _add_rotation(self, stream: Stream, client: Any, authorisation: Authorisation) -> None:
        """Exchange the single-use refresh token, if nobody else is doing so at this moment."""
        self.rotated.add(authorisation.pk)
        if authorisation.refresh_expires_at <= self.at:
            self.failed[authorisation.pk] = base.Reauthorise("expired")
        elif claim_rotation(authorisation, at=timezone.now()):
            stream.add(authorisation, client.refresh(_tokens(authorisation), at=self.at))
        else:
            self.failed[authorisation.pk] = base.Transient("rotation claimed elsewhere")

    def _take(self, stream: Stream, client: Any, authorisation: Authorisation, answer: Any) -> None:
        if isinstance(answer, base.Tokens):
            if store_tokens(authorisation, answer):
                authorisation.refresh_from_db()
            stream.add(authorisation, _fetch(client, _tokens(authorisation), 0))
        elif isinstance(answer, base.PlatformError):
            self._take_error(stream, client, authorisation, answer)
        elif isinstance(answer, Exception):
            raise answer
        else:
            self._take_readings(authorisation, answer)

    def _take_readings(self, authorisation: Authorisation, readings: Sequence[base.Reading]) -> None:
        today = [reading for reading in readings if reading.day == self.batch.run.day]
        if not today:
            self.failed[authorisation.pk] = OtherDay("")
            return
        self.failed.pop(authorisation.pk, None)
        self.answers.append((authorisation.pk, today[0]))
        if len(self.answers) >= WRITE_EVERY:
            self._write()

    def _take_error(self, stream: Stream, client: Any, authorisation: Authorisation, error: base.PlatformError) -> None:
        pk = authorisation.pk
        self.tries[pk] = self.tries.get(pk, 0) + 1
        if isinstance(error, base.Misconfigured | base.QuotaSpent):
            self.stopped_by = error
        elif isinstance(error, base.RefreshNeeded) and pk not in self.rotated:
            self._spend_again(1)
            self._add_rotation(stream, client, authorisation)
        elif isinstance(error, base.Transient | base.RateLimited) and self.tries[pk] < TRIES:
            self._spend_again(1)
            stream.add(authorisation, _fetch(client, _tokens(authorisation), self._pause(authorisation, error)))
        else:
            self.failed[pk] = error

    def _spend_again(self, calls: int) -> None:
        spend_calls(self.batch.run.platform, self.batch.run.day, calls)

    def _pause(self, authorisation: Authorisation, error: base.PlatformError | None = None) -> float:
        """Seconds before the next try: what the platform asks for, else doubling, spread by the account's number."""
        tries = self.tries.get(authorisation.pk, 0)
        asked = getattr(error, "retry_after", None)
        return asked or (2 ** (tries - 1) * (0.75 + authorisation.pk % 100 / 200) if tries else 0)

    def _write(self) -> None:
        """Write what arrived, in one transaction, and say how far we are."""
        write_readings(self.batch, self.answers)
        self.read += len(self.answers)
        self.answers = []
        self._say_progress()

    def _breathe(self) -> None:
        """Renew the lease while nothing arrives that could be written."""
        if time.monotonic() - self.breathed_at > BREATH_SECONDS:
            self._say_progress()

    def _say_progress(self) -> None:
        self.breathed_at = time.monotonic()
        self.running.progress(min(self.read + len(self.failed), len(self.batch.account_ids)))

    def _say_why_stopped(self) -> None:
        note_failures(self.batch, self.failed)
        if isinstance(self.stopped_by, base.QuotaSpent):
            raise RuleBroken(_("The platform's calls of the day are used up. Go on tomorrow."))
        if isinstance(self.stopped_by, base.Misconfigured):
            raise RuleBroken(
                _("The platform refuses our application's settings. Check KUAISHOU_APP_ID and its secret.")
            )
        passing = [error for error in self.failed.values() if isinstance(error, base.Transient | base.RateLimited)]
        if passing and self.running.job.attempts < self.running.job.max_attempts:
            raise TryAgain(_("The platform did not answer for some accounts. It is tried again by itself."), after=10)


class OtherDay(base.PlatformError):
    """The platform's own clock shows another day than the run's: a follower count is a current value."""


async def _enter(client: AbstractAsyncContextManager) -> None:
    await client.__aenter__()


async def _leave(client: AbstractAsyncContextManager) -> None:
    await client.__aexit__(None, None, None)


def _fetch(client: Any, tokens: base.Tokens, pause: float) -> Coroutine[Any, Any, list[base.Reading]]:
    async def fetch() -> list[base.Reading]:
        if pause:
            await asyncio.sleep(pause)
        readings: list[base.Reading] = await client.fetch(tokens)
        return readings

    return fetch()


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


def spend_calls(platform: str, day: Any, calls: int) -> None:
    """Take calls from the day's budget before they are made. Raises ``RuleBroken`` when it does not hold that many."""
    if not calls:
        return
    CallBudget.objects.get_or_create(platform=platform, day=day)
    within = CallBudget.objects.filter(platform=platform, day=day, spent__lte=daily_budget(platform) - calls)
    if not within.update(spent=F("spent") + calls):
        raise RuleBroken(_("The calls planned for this day are used up. Go on tomorrow, or raise the daily budget."))


@transaction.atomic
def write_readings(batch: RefreshBatch, answers: Sequence[tuple[int, base.Reading]]) -> None:
    """Readings and latest readings in two statements. A day's reading that is there stays; written twice is once."""
    if not answers:
        return
    rows = [(account, reading.day, reading.followers, reading.following) for account, reading in answers]
    write_figures(Figures.of(rows), Origin(Source.API, timezone.now(), batch.run_id))
    accounts = [account for account, _reading in answers]
    RefreshFailure.objects.filter(run=batch.run, account_id__in=accounts).delete()


@transaction.atomic
def note_failures(batch: RefreshBatch, failed: dict[int, base.PlatformError]) -> None:
    """Keep why each account failed, and mark those that need consent again or are gone."""
    now = timezone.now()
    rows = [
        RefreshFailure(run=batch.run, account_id=pk, kind=_failure(error), code=error.code, at=now)
        for pk, error in failed.items()
    ]
    RefreshFailure.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["run", "account"], update_fields=["kind", "code", "at"]
    )
    for kind, state in ((Failure.REAUTHORISE, AccountState.NEEDS_CONSENT), (Failure.GONE, AccountState.GONE)):
        ids = [row.account_id for row in rows if row.kind == kind]
        CreatorAccount.objects.filter(pk__in=ids, state=AccountState.LINKED).update(state=state)


def _failure(error: base.PlatformError) -> str:
    return FAILURES.get(type(error), Failure.OTHER_DAY)
