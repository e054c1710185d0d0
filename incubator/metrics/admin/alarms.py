"""Alarms as the desk shows them: the list, and the banner on the home page with the place where one acts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.decorators import display

from incubator.common.desk import QuestionFilter, ReadOnlyAdmin, extend_desk
from incubator.metrics.choices import AlarmKind
from incubator.metrics.freshness import Watch, late_q, sentence_of, watch_at
from incubator.metrics.interests import watched_by_others
from incubator.metrics.models import Alarm, CreatorAccount
from incubator.metrics.queries import FRESH_DAYS
from incubator.regions.scoping import scope_of

OPEN, OVER = pgettext_lazy("alarm", "open"), pgettext_lazy("alarm", "over")


class OpenFilter(QuestionFilter):
    title = _("state")
    parameter_name = "state"
    questions = {
        "open": (OPEN, lambda rows: rows.filter(cleared_at=None)),
        "over": (OVER, lambda rows: rows.exclude(cleared_at=None)),
    }


@admin.register(Alarm)
class AlarmAdmin(ReadOnlyAdmin):
    names_nobody = True
    list_display = ["kind", "platform", "state", "sentence", "raised_at", "seen_at", "cleared_at"]
    list_filter = [OpenFilter, "kind", "platform"]
    ordering = ["-raised_at", "-pk"]
    fields = [("kind", "platform"), "sentence", ("raised_at", "seen_at", "cleared_at")]
    readonly_fields = ["sentence"]

    @display(description=_("what is wrong"))
    def sentence(self, row: Alarm) -> str:
        return sentence_of(row)

    @display(description=_("state"), label={"open": "danger", "over": "success"})
    def state(self, row: Alarm) -> tuple[str, Any]:
        return ("open", OPEN) if row.cleared_at is None else ("over", OVER)


# --- Where one acts ---------------------------------------------------------------------------------------------------


def place_of(alarm: Alarm, user: Any) -> tuple[str, Any]:
    """Address and name of the page on which ``user`` can do something about an alarm."""
    if alarm.kind == AlarmKind.NOT_STARTED and not user.has_perm("metrics.add_refreshrun"):
        return reverse("admin:metrics_refreshrun_changelist"), _("See the refresh runs")
    if alarm.kind == AlarmKind.NOT_STARTED:
        return reverse("admin:metrics_refreshrun_add"), _("Start the refresh")
    if alarm.kind == AlarmKind.NOT_FINISHED:
        return reverse("admin:metrics_refreshrun_change", args=[alarm.facts["run"]]), _("Open the refresh run")
    if alarm.kind == AlarmKind.COVERAGE:
        return reverse("metrics_coverage"), _("See where accounts are not read")
    if alarm.kind == AlarmKind.OLDEST:
        accounts = reverse("admin:metrics_creatoraccount_changelist")
        return f"{accounts}?platform__exact={alarm.platform}&state__exact=linked&read=late", _("See these accounts")
    watched = watched_by_others().get(alarm.kind)
    if watched is not None:
        return reverse(watched.url_name), watched.place
    return reverse("admin:metrics_alarm_changelist"), _("See all alarms")


def _unread_too_long(accounts: QuerySet) -> QuerySet:
    """As the alarm counts."""
    return accounts.filter(late_q(timezone.localdate()))


class ReadFilter(QuestionFilter):
    """How long an account has not been read."""

    title = _("read")
    parameter_name = "read"
    questions = {
        "stale": (_("not within a week"), lambda rows: _unread_since(rows, FRESH_DAYS - 1)),
        "late": (_("not for longer than is allowed"), _unread_too_long),
        "never": (_("never"), lambda rows: rows.filter(latest=None)),
    }


def _unread_since(accounts: QuerySet, days: int) -> QuerySet:
    """Accounts whose last reading is more than that many days old, and those without one."""
    return accounts.filter(Q(latest=None) | Q(latest__day__lt=timezone.localdate() - timedelta(days=days)))


extend_desk(CreatorAccount, filters=[ReadFilter])


# --- On the home page -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """An open alarm as a person reads it."""

    sentence: str
    since: datetime
    url: str
    place: Any


@dataclass(frozen=True, slots=True)
class Freshness:
    """What the home page says about freshness: the open alarms, and whether somebody looks at all."""

    alarms: list[AlarmLine]
    watch: Watch


def freshness_for(request: HttpRequest) -> Freshness | None:
    """For those who see the whole country and may see alarms."""
    user: Any = request.user
    if not scope_of(user).everything or not user.has_perm("metrics.view_alarm"):
        return None
    alarms = Alarm.objects.visible_to(user).open().order_by("raised_at", "pk")
    return Freshness([_line(alarm, user) for alarm in alarms], watch_at(timezone.now()))


def _line(alarm: Alarm, user: Any) -> AlarmLine:
    return AlarmLine(sentence_of(alarm), alarm.raised_at, *place_of(alarm, user))
