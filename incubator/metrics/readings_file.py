"""All readings of an account as the rows of a file, oldest first, each with what was corrected about it."""

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext

from incubator.common.csv_files import csv_response
from incubator.metrics.choices import Source
from incubator.metrics.models import Correction, CreatorAccount
from incubator.metrics.queries import all_readings


def readings_file(account: CreatorAccount, *, on: date) -> StreamingHttpResponse:
    """The download. Its name has the trainee's number, the account and the day of the newest reading."""
    latest = getattr(account, "latest", None)
    handle = re.sub(r"[^\w.-]+", "_", account.handle)
    name = f"{account.trainee.number}_{account.platform}_{handle}_{latest.day if latest else on}.csv"
    return csv_response(name, reading_rows(account, on=on))


def reading_rows(account: CreatorAccount, *, on: date) -> Iterator[list[Any]]:
    """Headings, then one row a reading. ``change`` is from the reading before, not from the day before."""
    yield [
        gettext("Platform"),
        gettext("Account number"),
        gettext("Day"),
        gettext("Followers"),
        gettext("Change since the reading before"),
        gettext("Following"),
        gettext("Source"),
        gettext("Fetched at"),
        gettext("Note"),
    ]
    notes, before = _notes(account), None
    for reading in all_readings(account.pk, until=on):
        change = None if before is None else reading.followers - before
        before = reading.followers
        yield [
            account.get_platform_display(),
            account.handle,
            reading.day,
            reading.followers,
            change,
            reading.following,
            reading.get_source_display(),
            f"{timezone.localtime(reading.fetched_at):%Y-%m-%d %H:%M}",
            "; ".join(notes[reading.day]),
        ]


def _notes(account: CreatorAccount) -> defaultdict[date, list[str]]:
    """What a corrected day had before, and since when it has no more."""
    notes: defaultdict[date, list[str]] = defaultdict(list)
    for row in Correction.objects.filter(account=account).order_by("new_fetched_at"):
        notes[row.day].append(corrected(row))
    return notes


def corrected(row: Correction) -> str:
    """A correction as a sentence."""
    return gettext("corrected on %(day)s, was %(followers)s (%(source)s)") % {
        "day": timezone.localtime(row.new_fetched_at).date(),
        "followers": f"{row.old_followers:,}",
        "source": Source(row.old_source).label,
    }
