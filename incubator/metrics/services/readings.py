"""The only writer of readings: history, newest readings, crossings, leaps, regions' days, and what is held back.

A figure goes one of four ways. New to the account and plausible: written. Odd: held back, never in the history as a
fact. For a day that is behind the account's newest reading (a back-fill, a correction): written by the careful way, and
the regions concerned are counted anew. Equal to what is there, older, or from a source that counts less: left out.
An answer without a usable figure is held back too, so that it can be seen; it never becomes a reading.

Everything happens in one transaction under one lock, so that what a reading changed is judged against what was there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.common.errors import RuleBroken, Stale
from incubator.metrics import reading_sql as sql
from incubator.metrics.choices import QuarantineState
from incubator.metrics.models import QuarantinedReading
from incubator.metrics.services.rollups import lock_writing, recount_regions
from incubator.metrics.signals import day_written, past_readings_written

EPOCH = np.datetime64("2000-01-01")  # PostgreSQL's day 0
COPY_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_END = b"\xff\xff"
# One row of PostgreSQL's binary COPY format: number of fields, then each field behind its length in bytes.
COPY_ROW = np.dtype(
    [
        ("fields", ">i2"),
        *((name, kind) for field in ("account", "day", "followers", "following") for name, kind in (
            (f"{field}_size", ">i4"), (field, ">i8" if field == "account" else ">i4"))),
    ]
)  # fmt: skip

Row = tuple[int, date, int, int | None]


@dataclass(slots=True)
class Written:
    """How many figures went which way; they add up to what came in."""

    written: int = 0  # new readings
    corrected: int = 0  # took the place of an older answer for the same day
    kept: int = 0  # left out: the same, older, or from a file where the platform has answered
    quarantined: int = 0  # held back

    def __add__(self, other: "Written") -> "Written":
        return Written(
            self.written + other.written,
            self.corrected + other.corrected,
            self.kept + other.kept,
            self.quarantined + other.quarantined,
        )


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures in columns of equal length: account ids, days, followers, following (-1 where not known)."""

    accounts: np.ndarray
    days: np.ndarray  # datetime64[D]
    followers: np.ndarray
    following: np.ndarray

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Figures":
        """From ``(account_id, day, followers, following or None)``; followers are counts, never None."""
        columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
        following = [-1 if value is None else value for value in columns[3]]
        return cls(
            np.array(columns[0], np.int64),
            np.array(columns[1], "datetime64[D]"),
            np.array(columns[2], np.int64),
            np.array(following, np.int64),
        )

    def on(self, day: np.datetime64) -> "Figures":
        """Those of one day, in the order of accounts, each account once."""
        here = np.flatnonzero(self.days == day)
        _accounts, first = np.unique(self.accounts[here], return_index=True)
        here = here[first]
        return Figures(self.accounts[here], self.days[here], self.followers[here], self.following[here])


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a set of figures comes from."""

    source: str
    at: datetime
    run_id: int | None = None

    def values(self, day: date) -> dict[str, Any]:
        return {"source": self.source, "at": self.at, "run": self.run_id, "day": day, **sql.CONSTANTS}


def write_readings(rows: Iterable[Row], *, source: str, at: datetime, run_id: int | None = None) -> Written:
    """Write ``(account_id, day, followers, following or None)``; done twice, it changes nothing the second time."""
    return write_figures(Figures.of(rows), Origin(source, at, run_id))


class Recount:
    """Regions whose days are to be counted anew: once for all the days of a back-fill, because each count goes to the
    newest day. It cannot wait longer than until increments are put on top of those days again.
    """

    def __init__(self) -> None:
        self._counties: set[str] = set()
        self._since = date.max

    def later(self, counties: Iterable[str], day: date) -> None:
        self._counties |= set(counties)
        self._since = min(self._since, day)

    def now(self) -> None:
        if self._counties:
            recount_regions(sorted(self._counties), since=self._since)
        self._counties, self._since = set(), date.max


@transaction.atomic
def write_figures(figures: Figures, origin: Origin, *, is_trusted: bool = False) -> Written:
    """The same in columns. Days are written from the oldest to the newest; ``is_trusted`` holds nothing back."""
    total, recount = Written(), Recount()
    if not len(figures.accounts):
        return total
    with connection.cursor() as cursor:
        lock_writing(cursor)
        for day in np.unique(figures.days):
            total += _write_day(cursor, figures.on(day), day.astype(date), origin, is_trusted, recount)
            day_written.send(sender=None, day=day.astype(date))
    recount.now()
    return total


def _write_day(cursor: Any, figures: Figures, day: date, origin: Origin, is_trusted: bool, recount: Recount) -> Written:
    _stage(cursor, figures)
    values = origin.values(day) | {"trusted": is_trusted}
    if not is_trusted and _settle_held_back(cursor, values):
        _stage(cursor, figures)
    cursor.execute(sql.ARRIVE, values)
    cursor.execute(sql.ANSWERED, {"day": day, "now": timezone.now()})
    cursor.execute(sql.COUNT_ARRIVED)
    late, quarantined, known = cursor.fetchone()
    if late < known:
        recount.now()
        _write_newest(cursor, values)
    result = Written(written=known - late - quarantined, quarantined=quarantined)
    return result + (_write_late(cursor, day, values, recount) if late else Written())


def _write_newest(cursor: Any, values: dict[str, Any]) -> None:
    """The day's work for figures that are newer than what is known of their accounts, and for those held back."""
    try:
        with transaction.atomic():
            cursor.execute(sql.WRITE, values)
    except IntegrityError:
        cursor.execute(sql.WRITE_WARILY, values)


def _stage(cursor: Any, figures: Figures) -> None:
    """Bring the columns to the server, by binary COPY into a passing table."""
    cursor.execute(sql.STAGE)
    with cursor.copy(sql.COPY) as copy:
        copy.write(copy_bytes(figures))
    cursor.execute("ANALYZE incoming")


def copy_bytes(figures: Figures) -> bytes:
    """The columns in PostgreSQL's binary COPY format."""
    rows = np.empty(len(figures.accounts), COPY_ROW)
    rows["fields"] = 4
    for name, size in (("account", 8), ("day", 4), ("followers", 4), ("following", 4)):
        rows[f"{name}_size"] = size
    rows["account"], rows["day"] = figures.accounts, (figures.days - EPOCH).astype(np.int64)
    rows["followers"], rows["following"] = figures.followers, figures.following
    return COPY_SIGNATURE + rows.tobytes() + COPY_END


# --- Behind the newest reading ----------------------------------------------------------------------------------------


def _write_late(cursor: Any, day: date, values: dict[str, Any], recount: Recount) -> Written:
    """Fill a gap or correct a day at or behind an account's newest reading, and let what it touched be counted anew."""
    cursor.execute(sql.WRITE_LATE, values)
    counties, accounts, filled, corrected, late = cursor.fetchone()
    if accounts:
        touched = values | {"accounts": accounts}
        for statement in sql.AFTER_LATE:
            cursor.execute(statement, touched)
        recount.later(counties, day)
        past_readings_written.send(sender=None, accounts=accounts, day=day)
    return Written(filled, corrected, late - filled - corrected)


# --- Held back --------------------------------------------------------------------------------------------------------


def _settle_held_back(cursor: Any, values: dict[str, Any]) -> bool:
    """The next day's figure decides about the one held back: near it confirms, near what was before contradicts."""
    now = timezone.now()
    cursor.execute(sql.CONTRADICT, values | {"now": now})
    cursor.execute(sql.CONFIRM, values | {"now": now})
    confirmed = [pk for (pk,) in cursor.fetchall()]
    _release(QuarantinedReading.objects.filter(pk__in=confirmed))
    return bool(confirmed)


@transaction.atomic
def hold_unusable(answers: Sequence[tuple[int, str, str]], *, day: date, origin: Origin) -> None:
    """Hold back answers without a usable figure: ``(account_id, why, what the platform told)``.

    Where the day has a reading already, nothing is missing. Done twice, it changes nothing the second time.
    """
    if not answers:
        return
    accounts, why, told = (list(column) for column in zip(*answers, strict=True))
    with connection.cursor() as cursor:
        lock_writing(cursor)
        cursor.execute(sql.HOLD_UNUSABLE, origin.values(day) | {"accounts": accounts, "why": why, "told": told})


def _release(rows: Iterable[QuarantinedReading]) -> None:
    """Write figures that were held back; each as its own fetch told it."""
    for row in sorted(rows, key=lambda row: row.day):
        if row.followers is None:
            raise ValueError("an answer without a figure cannot become a reading")
        figures = Figures.of([(row.account_id, row.day, row.followers, row.following)])
        write_figures(figures, Origin(row.source, row.fetched_at, row.run_id), is_trusted=True)


@transaction.atomic
def accept_reading(row: QuarantinedReading, *, by: Any, remark: str = "") -> QuarantinedReading:
    """Take a figure that was held back for a fact. Raises ``Stale`` when it is decided already.

    Raises ``RuleBroken`` for an answer without a usable figure.
    """
    if row.followers is None:
        raise RuleBroken(
            _("There is no figure in this answer that could be taken for a fact. It can only be rejected.")
        )
    with connection.cursor() as cursor:  # before the row: whoever writes readings locks in this order
        lock_writing(cursor)
    _decide(row, QuarantineState.ACCEPTED, by=by, remark=remark)
    _release([row])
    return row


@transaction.atomic
def accept_explained(rows: QuerySet[QuarantinedReading], *, remark: str, at: datetime) -> int:
    """Take held-back figures for facts that something explains (``remark``), nobody deciding; returns how many."""
    with connection.cursor() as cursor:  # before the rows: whoever writes readings locks in this order
        lock_writing(cursor)
    found = list(rows.select_for_update(of=("self",)))
    QuarantinedReading.objects.filter(pk__in=[row.pk for row in found]).update(
        state=QuarantineState.ACCEPTED, decided_at=at, remark=remark
    )
    _release(found)
    return len(found)


@transaction.atomic
def reject_reading(row: QuarantinedReading, *, by: Any, remark: str = "") -> QuarantinedReading:
    """Leave a figure out of the history for good; for an unusable answer it says that somebody has seen it."""
    return _decide(row, QuarantineState.REJECTED, by=by, remark=remark)


def _decide(row: QuarantinedReading, state: str, *, by: Any, remark: str) -> QuarantinedReading:
    changed = QuarantinedReading.objects.open().filter(pk=row.pk)
    if not changed.update(state=state, decided_by=by, decided_at=timezone.now(), remark=remark):
        raise Stale(_("Somebody has decided about this figure already."))
    row.refresh_from_db()
    return row
