"""What speaks for a candidate and what against, on the page of one and side by side on that of many."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from courses.queries import live_graduation
from incubator.certification.admin.words import rule_sentence
from incubator.certification.models import Candidate, Flag
from incubator.certification.queries import (
    conditions_of,
    holding_of,
    leaps_of,
    looked_at_since,
    readings_around,
)
from incubator.common.charts import line_chart
from incubator.common.dates import moment
from incubator.common.desk import Section, facts, link_to, number, table
from incubator.metrics.models import Reading
from incubator.metrics.queries import FRESH_DAYS

TABLE_AROUND = timedelta(days=7)
UNEXPLAINED = _(
    "No traffic grant explains a leap below. New works could; works are not read, so look at the account itself. "
    "Proposing needs a remark that says why the followers are believed."
)


def met_section(request: HttpRequest, candidate: Candidate) -> Section:
    """The rule as sentences, each met or not by today."""
    lines = conditions_of([candidate], on=timezone.localdate()).get(candidate.pk)
    html = render_to_string("admin/certification/met.html", {"lines": lines})
    return Section(_("The rule, as of today"), SafeString(html))


def evidence_section(request: HttpRequest, candidate: Candidate) -> Section:
    """Rule, crossing, support window and graduation, side by side."""
    participation, rule = candidate.participation, candidate.rule
    graduation = live_graduation(participation)
    figures = graduation.facts if graduation else {}
    parts = [
        facts(
            _("Rule"),
            [
                (_("rule"), link_to(rule)),
                (_("asks for"), rule_sentence(rule)),
                (_("published at"), moment(rule.published_at)),
            ],
        ),
        facts(
            _("Reading"),
            [
                (_("account"), link_to(candidate.account)),
                (_("reached on"), candidate.crossed_on or "-"),
                (_("followers that day"), number(candidate.followers)),
                (_("held"), held_words(candidate)),
                (_("found on"), candidate.found_on),
            ],
        ),
        facts(
            _("Support period"),
            [
                (_("support from"), participation.support_starts_on or "-"),
                (_("support until"), participation.support_ends_on or "-"),
                (_("day of the period"), day_of_support(candidate)),
            ],
        ),
        facts(
            _("Graduation"),
            [
                (_("participation"), link_to(participation)),
                (_("state"), participation.get_state_display()),
                (_("graduated on"), participation.graduated_on or "-"),
                (_("days attended"), figures.get("days", "-")),
                (_("class hours that count"), figures.get("counted_hours", "-")),
            ],
        ),
    ]
    return Section(_("Evidence"), render_to_string("admin/desk/columns.html", {"columns": parts}))


def day_of_support(candidate: Candidate) -> Any:
    starts_on = candidate.participation.support_starts_on
    day = candidate.crossed_on
    return (day - starts_on).days + 1 if starts_on and day else "-"


def held_words(candidate: Candidate) -> str:
    """Since when the number is held, and how long it still has to be."""
    holding = holding_of(candidate)
    if holding is None:
        return gettext("not asked for")
    days = (holding.ripe_on - holding.since).days + 1
    told = {"since": holding.since, "on": holding.ripe_on, "days": days}
    if holding.is_held:
        return gettext("since %(since)s, %(days)d days on %(on)s") % told
    left = holding.days_to_go(timezone.localdate())
    if not left:
        return gettext("since %(since)s; waits for a reading of %(on)s or later") % told
    return ngettext("since %(since)s, %(left)d day to go", "since %(since)s, %(left)d days to go", left) % {
        **told,
        "left": left,
    }


# --- Readings ---------------------------------------------------------------------------------------------------------


def readings_section(request: HttpRequest, candidate: Candidate) -> Section | None:
    """Readings around the crossing: a chart, and those of the nearest days with where they came from."""
    readings, day = readings_around([candidate]).get(candidate.pk), candidate.crossed_on
    if readings is None or day is None:
        return None
    title = gettext("Followers around the day the number was reached")
    last = max(candidate.held_on or day, day)
    near = [r for r in readings if day - TABLE_AROUND <= r.day <= last + TABLE_AROUND]
    rows = [
        (r.day, number(r.followers), _change(before, r), r.get_source_display(), moment(r.fetched_at))
        for before, r in zip([None, *near], near, strict=False)
    ]
    headings = [_("day"), _("followers"), _("change"), _("source"), _("fetched at")]
    numbers = table("", headings, rows, empty=_("No readings."))
    return Section(title, chart_of(candidate, readings, label=title) + numbers.html)


def chart_of(candidate: Candidate, readings: Iterable[Reading], *, label: str) -> SafeString:
    """The line of followers with the rule's number, the support period and the day of the crossing."""
    participation = candidate.participation
    starts_on, ends_on = participation.support_starts_on, participation.support_ends_on
    return line_chart(
        [(reading.day, reading.followers) for reading in readings],
        label=label,
        threshold=candidate.rule.followers,
        window=(starts_on, ends_on) if starts_on and ends_on else None,
        mark=candidate.crossed_on,
        days_between=FRESH_DAYS,
    )


def _change(before: Reading | None, now: Reading) -> str:
    return "-" if before is None else f"{now.followers - before.followers:+,}"


# --- Doubts -----------------------------------------------------------------------------------------------------------


def leaps_section(request: HttpRequest, candidate: Candidate) -> Section:
    """Leaps on the way to the number, with a word of warning where no grant explains one."""
    leaps = list(leaps_of(candidate))
    rows = [
        (leap.day, f"+{leap.gained:,}", f"{leap.usual:+,.0f}", _("yes") if leap.ran_traffic else _("no"))
        for leap in leaps
    ]
    headings = [_("day"), _("gained a day"), _("usually a day"), _("under a traffic grant")]
    span = {"since": looked_at_since(candidate), "until": candidate.crossed_on}
    empty = gettext("No leap of followers from %(since)s to %(until)s.") % span
    if candidate.crossed_on is None:
        empty = gettext("The rule asks for no number of followers.")
    numbers = table("", headings, rows, empty=empty)
    warning = SafeString("")
    if not all(leap.ran_traffic for leap in leaps):
        warning = format_html('<p class="desk-flag">{}</p>', UNEXPLAINED)
    return Section(_("Leaps of followers"), warning + numbers.html)


def flags_of(request: HttpRequest, trainees: Sequence[int]) -> QuerySet[Flag]:
    """Questions about the accounts of people, as far as the reader sees them."""
    found = Flag.objects.visible_to(request.user).filter(account__trainee__in=trainees)
    return found.select_related("account", "raised_by", "cleared_by").order_by("cleared_at", "-day")


def flags_section(request: HttpRequest, candidate: Candidate) -> Section | None:
    """Questions about the person's accounts, the open ones first."""
    if not request.user.has_perm("certification.view_flag"):
        return None
    found = list(flags_of(request, [candidate.participation.trainee_id])[:20])
    found.sort(key=lambda flag: flag.cleared_at is not None)
    rows = [
        (
            link_to(flag, flag.get_kind_display()),
            flag.account,
            flag.day,
            f"{flag.change:+,}" if flag.change else "-",
            flag.note or "-",
            _("open") if flag.cleared_at is None else f"{flag.cleared_by}: {flag.clearance}",
        )
        for flag in found
    ]
    headings = [_("what"), _("account"), _("day"), _("change"), _("note"), _("answer")]
    return table(_("Questions about followers"), headings, rows, empty=_("None."))


# --- What happened ----------------------------------------------------------------------------------------------------


def timeline_section(request: HttpRequest, candidate: Candidate) -> Section:
    """Found, proposed, asked back, answered, decided: who, when, and in which words."""
    events = candidate.events.select_related("by").order_by("pk")
    return Section(
        _("What happened so far"), SafeString(render_to_string("admin/certification/timeline.html", {"events": events}))
    )


def decision_section(request: HttpRequest, candidate: Candidate) -> Section | None:
    """The proposal, what was asked, and the decision."""
    pairs: list[tuple[Any, Any]] = []
    if candidate.proposed_by is not None:
        pairs += [(_("proposed by"), candidate.proposed_by), (_("proposed at"), moment(candidate.proposed_at))]
        pairs += [(_("remark"), candidate.remark or "-")]
    if candidate.question:
        pairs += [(_("question"), candidate.question), (_("answer"), candidate.answer or "-")]
    if candidate.decided_at is not None:
        pairs += [
            (_("state"), candidate.get_state_display()),
            (_("decided by"), candidate.decided_by),
            (_("decided at"), moment(candidate.decided_at)),
            (_("reason"), candidate.reason or "-"),
            (_("award"), link_to(getattr(candidate, "award", None))),
        ]
    return facts(_("Proposal and decision"), pairs) if pairs else None


def seen_token(candidate: Any, open_flags: int) -> str:
    """What somebody saw of a candidate when a page was opened; different once it is worth another look."""
    parts = (candidate.state, candidate.crossed_on, candidate.followers, candidate.held_on, candidate.proposed_by_id)
    return "|".join(map(str, (*parts, open_flags)))
