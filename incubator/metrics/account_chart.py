"""An account's readings over a span of days, and what happened meanwhile, for the chart on its page."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from incubator.common.charts import Mark, Point, history_chart
from incubator.metrics.choices import QuarantineState
from incubator.metrics.interests import thresholds_on
from incubator.metrics.marks import marks_of
from incubator.metrics.models import Correction, CreatorAccount, Crossing, QuarantinedReading
from incubator.metrics.queries import FRESH_DAYS, first_read_on, thinned_history
from incubator.metrics.readings_file import corrected
from incubator.programmes.models import Participation

SUPPORT, EVERYTHING = "support", "all"
DEFAULT = "90"
SPANS = {
    "30": gettext_lazy("30 days"),
    "90": gettext_lazy("90 days"),
    SUPPORT: gettext_lazy("support period"),
    "365": gettext_lazy("1 year"),
    EVERYTHING: gettext_lazy("everything"),
}


@dataclass(frozen=True, slots=True)
class AccountChart:
    """A span of an account's readings as a drawing, the spans there are (value, words) and the one that is shown."""

    spans: list[tuple[str, Any]]
    span: str
    since: date
    until: date
    drawing: str
    readings: int
    gained: int | None


def account_chart(account: CreatorAccount, *, span: str, user: Any, on: date) -> AccountChart:
    """The chart of a span up to ``on``, with what ``user`` may see of it. An unknown span is 90 days."""
    windows = _support_periods(account, user)
    spans = {name: words for name, words in SPANS.items() if name != SUPPORT or windows}
    span = span if span in spans else DEFAULT
    since, until = _days_of(account, span, windows, on)
    history = thinned_history(account.pk, since=since, until=until)
    corrections = _corrections(account, since, until)
    drawing = history_chart(
        [Point(day, followers, gap > FRESH_DAYS, _note(corrections[day])) for day, followers, gap in history],
        label=_("Followers of %(account)s from %(since)s to %(until)s")
        % {"account": account, "since": since, "until": until},
        since=since,
        until=until,
        levels=thresholds_on(on),
        windows=windows,
        marks=[*_crossings(account, since, until), *marks_of(account.trainee_id, user=user, since=since, until=until)],
        odd=[*_held_back(account, since, until), *_replaced(corrections)],
    )
    gained = history[-1][1] - history[0][1] if len(history) > 1 else None
    return AccountChart(list(spans.items()), span, since, until, drawing, len(history), gained)


def _support_periods(account: CreatorAccount, user: Any) -> list[tuple[date, date]]:
    """First and last days of the support periods of the account's owner, the newest last."""
    found = Participation.objects.visible_to(user).filter(trainee=account.trainee_id).exclude(support_starts_on=None)
    ends = found.order_by("support_starts_on").values_list("support_starts_on", "support_ends_on")
    return [(start, end) for start, end in ends if start and end]


def _days_of(account: CreatorAccount, span: str, windows: list[tuple[date, date]], on: date) -> tuple[date, date]:
    """The first and the last day of a span; a support period with a week before it, to see where it began from."""
    if span == EVERYTHING:
        return first_read_on(account.pk, until=on), on
    if span == SUPPORT:
        start, end = windows[-1]
        return min(start, on) - timedelta(days=7), min(end, on)
    return on - timedelta(days=int(span) - 1), on


def _corrections(account: CreatorAccount, since: date, until: date) -> defaultdict[date, list[Correction]]:
    found: defaultdict[date, list[Correction]] = defaultdict(list)
    for row in Correction.objects.filter(account=account, day__range=(since, until)).order_by("new_fetched_at"):
        found[row.day].append(row)
    return found


def _note(corrections: list[Correction]) -> str:
    return "; ".join(corrected(row) for row in corrections)


def _replaced(corrections: dict[date, list[Correction]]) -> Iterator[Point]:
    for day, rows in corrections.items():
        yield from (Point(day, row.old_followers, note=f"{row.old_followers:,}, {corrected(row)}") for row in rows)


def _held_back(account: CreatorAccount, since: date, until: date) -> Iterator[Point]:
    """Figures that never became facts. An answer without a figure has no place on the drawing."""
    held = QuarantinedReading.objects.filter(account=account, day__range=(since, until))
    for row in held.exclude(state=QuarantineState.ACCEPTED).order_by("day"):
        if row.followers is None:
            continue
        words = f"{row.followers:,}, {row.get_why_display()}, {row.get_state_display()}"
        yield Point(row.day, row.followers, note=words)


def _crossings(account: CreatorAccount, since: date, until: date) -> Iterator[Mark]:
    for row in Crossing.objects.filter(account=account, day__range=(since, until)).order_by("day", "threshold"):
        yield Mark(row.day, None, f"{row.threshold:,}", "crossing", _("Threshold reached"))
