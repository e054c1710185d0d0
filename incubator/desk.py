"""How the staff desk (Django admin with unfold) is arranged: its menu, its colours, and its home page.

It sits beside the settings and is read with them: rooms are imported inside functions, when they are loaded.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.dataclasses import SearchResult

# --- Menu -------------------------------------------------------------------------------------------------------------

FOLLOWERS, CERTIFICATION, REPORTS = _("Followers"), _("Certification"), _("Reports")
# Groups as staff think, each with (model, icon). Nobody sees an entry whose list they may not open.
MENU: list[tuple[Any, list[tuple[str, str]]]] = [
    (
        _("Trainees"),
        [
            ("trainees.Trainee", "group"),
            ("programmes.Participation", "assignment_ind"),
            ("rosters.RosterImport", "upload_file"),
            ("duplicates.DuplicatePair", "group_remove"),
            ("trainees.TraineeChange", "history"),
        ],
    ),
    (
        _("Training"),
        [
            ("programmes.Programme", "flag"),
            ("programmes.Cohort", "calendar_month"),
            ("courses.Course", "menu_book"),
            ("courses.Lecturer", "record_voice_over"),
            ("courses.TrainingInstitution", "domain"),
            ("courses.TrainingClass", "school"),
            ("courses.Enrolment", "groups_2"),
            ("courses.Session", "event"),
            ("courses.Attendance", "how_to_reg"),
            ("courses.Assessment", "quiz"),
            ("courses.Attempt", "grading"),
            ("courses.PaperSheet", "draw"),
            ("classbooks.AttendanceImport", "upload_file"),
            ("classbooks.LearningImport", "cloud_upload"),
            ("courses.Graduation", "workspace_premium"),
            ("courses.GraduationQuestion", "help"),
            ("courses.GraduationRule", "rule_settings"),
        ],
    ),
    (
        FOLLOWERS,
        [
            ("metrics.CreatorAccount", "account_circle"),
            ("figures.FiguresImport", "upload_file"),
            ("metrics.Authorisation", "key"),
            ("metrics.RefreshRun", "sync"),
            ("metrics.QuarantinedReading", "pan_tool"),
            ("metrics.Correction", "history"),
            ("metrics.Spike", "trending_up"),
            ("metrics.PlatformEvent", "cleaning_services"),
            ("metrics.Alarm", "notifications_active"),
        ],
    ),
    (
        _("Support"),
        [
            ("programmes.SupportReminder", "alarm"),
            ("programmes.SupportChange", "edit_calendar"),
            ("forecasts.Forecast", "query_stats"),
            ("forecasts.BackTest", "fact_check"),
            ("grants.Grant", "campaign"),
            ("grants.TrafficPool", "water_drop"),
            ("grants.LedgerEntry", "receipt_long"),
        ],
    ),
    (
        CERTIFICATION,
        [
            ("certification.Candidate", "fact_check"),
            ("certification.Flag", "flag"),
            ("certification.Work", "smart_display"),
            ("certification.NearMiss", "target"),
            ("certification.Award", "military_tech"),
            ("credentials.Credential", "approval"),
            ("certificates.Ceremony", "celebration"),
            ("certificates.Edition", "history_edu"),
            ("certificates.Seal", "approval"),
            ("certification.Badge", "verified"),
            ("certification.Rule", "rule"),
            ("certification.Rehearsal", "experiment"),
            ("certification.AwardCheck", "verified_user"),
        ],
    ),
    (REPORTS, []),
    (
        _("System"),
        [
            ("jobs.Job", "pending_actions"),
            ("regions.Region", "map"),
            ("regions.KeyCounty", "star"),
            ("accounts.User", "person"),
            ("accounts.AccessRecord", "visibility"),
            ("auth.Group", "groups"),
            ("credentials.SigningKey", "vpn_key"),
            ("django_celery_beat.PeriodicTask", "schedule"),
            ("django_celery_beat.CrontabSchedule", "calendar_clock"),
            ("django_celery_beat.IntervalSchedule", "timer"),
        ],
    ),
]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu as this person sees it."""
    from incubator.regions.scoping import scope_of

    groups: list[dict[str, Any]] = []
    for title, entries in MENU:
        items = [item for label, icon in entries if (item := _entry(request, label, icon))]
        if title == FOLLOWERS:
            items[1:1] = _follower_pages(request)
        if title == CERTIFICATION and request.user.has_perms(
            ["trainees.view_trainee", "certification.explain_candidate"]
        ):
            items.append(
                {
                    "title": _("Why not? For the telephone"),
                    "icon": "support_agent",
                    "link": reverse("certification_why"),
                }
            )
        if title == REPORTS and not scope_of(request.user).is_empty:
            items.append({"title": _("County reports"), "icon": "summarize", "link": "/reports/"})
        if items:
            groups.append({"title": title, "separator": bool(groups), "collapsible": False, "items": items})
    return groups


def _entry(request: HttpRequest, label: str, icon: str) -> dict[str, Any] | None:
    desk = admin_of(label)
    if desk is None or not desk.has_view_permission(request):
        return None
    return {"title": capfirst(desk.opts.verbose_name_plural), "icon": icon, "link": list_url(desk.model)}


def _follower_pages(request: HttpRequest) -> list[dict[str, Any]]:
    """Pages beside the list of accounts, for whoever may open that."""
    from incubator.metrics.admin import consent_list_url

    desk = admin_of("metrics.CreatorAccount")
    if desk is None or not desk.has_view_permission(request):
        return []
    cohorts = reverse("admin:metrics_creatoraccount_cohorts")
    return [
        {"title": _("Accounts that need consent"), "icon": "contract_edit", "link": consent_list_url()},
        {"title": _("Compare cohorts"), "icon": "stacked_line_chart", "link": cohorts},
    ]


def admin_of(label: str) -> Any:
    """The admin of a model by its label; None where the room or its list does not exist."""
    from django.contrib import admin

    try:
        return admin.site._registry.get(apps.get_model(label))
    except LookupError:
        return None


def list_url(model: Any, query: str = "") -> str:
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{url}?{query}" if query else url


# --- The search box over everything -----------------------------------------------------------------------------------

PEOPLE_FOUND, AWARDS_FOUND = 8, 3


def search_view(request: HttpRequest) -> HttpResponse:
    """Pages of the menu, people and certificates that a word names, as far as this person sees them.

    In place of the theme's own view, which keeps what it found, with names, in the cache for minutes.
    """
    from django.core.paginator import Paginator

    term, began = request.GET.get("s", "").strip(), time.perf_counter()
    if not term:
        return HttpResponse()
    results = [*_pages_named(request, term), *_people_named(request, term), *_awards_named(request, term)]
    pages = Paginator(results, max(1, len(results)))
    context = {
        "page_obj": pages,
        "results": pages.page(1),
        "page_counter": 0,
        "execution_time": time.perf_counter() - began,
        "command_show_history": False,
    }
    response = TemplateResponse(request, "unfold/helpers/command_results.html", context)
    response["HX-Trigger"] = "search"
    return response


def _pages_named(request: HttpRequest, term: str) -> Iterator[SearchResult]:
    for group in navigation(request):
        for item in group["items"]:
            if term.casefold() in str(item["title"]).casefold():
                yield SearchResult(item["title"], group["title"], item["link"], item["icon"])


def _people_named(request: HttpRequest, term: str) -> Iterator[SearchResult]:
    for person in _found(request, "trainees.Trainee", term)[:PEOPLE_FOUND]:
        url = reverse("admin:trainees_trainee_change", args=[person.pk])
        yield SearchResult(str(person), person.county.path_name, url, "person")


def _awards_named(request: HttpRequest, term: str) -> Iterator[SearchResult]:
    if not term.upper().startswith("XC-"):
        return
    for award in _found(request, "certification.Award", term)[:AWARDS_FOUND]:
        url = reverse("admin:certification_award_change", args=[award.pk])
        yield SearchResult(str(award), str(award.badge), url, "military_tech")


def _found(request: HttpRequest, label: str, term: str) -> Any:
    """Rows of a list that its own search finds; none for who may not open the list."""
    desk = admin_of(label)
    if desk is None or not desk.has_view_permission(request):
        return []
    found, _may_repeat = desk.get_search_results(request, desk.get_queryset(request), term)
    return found


# --- Home: what needs me today? ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Card:
    """One thing that waits: how many, and the list that shows exactly these."""

    title: Any
    count: str
    url: str
    icon: str
    note: Any = ""
    tone: str = ""


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Everything on the home page, for this person, in a fixed number of queries."""
    from incubator.metrics.admin import coverage_for, freshness_for, news_for
    from incubator.metrics.freshness import spread_for

    spread = spread_for(request.user, at=timezone.now())
    context["freshness"] = freshness_for(request)
    context["news"] = news_for(request)
    context["cards"] = [card for card in _waiting(request) if card.count]
    context["refresh"] = _refresh_card(request, spread)
    context["standing"] = _standing(request, spread)
    context["coverage"] = coverage_for(request, spread)
    return context


def _waiting(request: HttpRequest) -> list[Card]:
    """Each card's rows are those of the list it links to: the same admin, the same filter."""
    from courses.admin.graduation import open_questions
    from courses.queries import ready_to_graduate
    from incubator.certification.choices import CandidateState
    from incubator.duplicates.admin import to_decide
    from incubator.grants.admin import nearly_used_up
    from incubator.grants.choices import GrantState
    from incubator.jobs.admin import failed_lately
    from incubator.metrics.admin import consent_list_url, held_back, needing_consent_now
    from incubator.regions.choices import KeyCountyStatus

    def in_state(name: str, value: str) -> Callable:
        return lambda rows: rows.filter(**{name: value})

    found = [
        _import_card(request, "rosters.RosterImport", _("Roster imports to confirm")),
        _import_card(request, "figures.FiguresImport", _("Figure imports to confirm")),
        _import_card(request, "classbooks.AttendanceImport", _("Attendance imports to confirm")),
        _import_card(request, "classbooks.LearningImport", _("Online learning imports to confirm")),
        _card(
            request,
            "duplicates.DuplicatePair",
            _("Possible duplicates to decide"),
            "decision=open",
            to_decide,
            "group_remove",
        ),
        _card(
            request,
            "programmes.Participation",
            _("People ready to graduate"),
            "graduation=ready",
            ready_to_graduate,
            "workspace_premium",
        ),
        _card(
            request,
            "courses.Attempt",
            _("Appeals that wait for a second marker"),
            "marks=appealed",
            lambda rows: rows.waiting_for_second_marker(),
            "grading",
        ),
        _card(
            request,
            "courses.GraduationQuestion",
            _("Graduations in question"),
            "question=open",
            open_questions,
            "help",
            tone="warning",
        ),
        _card(
            request,
            "programmes.SupportReminder",
            _("Support periods that end soon"),
            "due=now",
            lambda rows: rows.due(timezone.localdate()),
            "alarm",
        ),
        _card(
            request,
            "metrics.CreatorAccount",
            _("Accounts that need consent"),
            "",
            needing_consent_now,
            "key",
            url=consent_list_url(),
        ),
        _card(request, "metrics.QuarantinedReading", _("Figures held back"), "held=open", held_back, "pan_tool"),
        _card(
            request,
            "grants.Grant",
            _("Grants to approve"),
            f"state__exact={GrantState.PROPOSED}",
            in_state("state", GrantState.PROPOSED),
            "campaign",
        ),
        _card(
            request,
            "grants.TrafficPool",
            _("Pools nearly used up"),
            "left=little",
            nearly_used_up,
            "water_drop",
            tone="warning",
        ),
        _card(
            request,
            "certification.Candidate",
            _("Candidates to review"),
            "decision=pending",
            in_state("state", CandidateState.PENDING),
            "fact_check",
            needs="certification.change_candidate",
        ),
        _card(
            request,
            "certification.Candidate",
            _("Candidates to approve"),
            "decision=proposed",
            in_state("state", CandidateState.PROPOSED),
            "verified",
            needs="certification.change_candidate",
        ),
        _card(
            request,
            "certification.Candidate",
            _("Candidates asked back"),
            "decision=asked",
            in_state("state", CandidateState.ASKED),
            "contact_support",
            needs="certification.answer_candidate",
        ),
        _card(
            request,
            "certification.Flag",
            _("Open questions about followers"),
            "answer=open",
            lambda rows: rows.open(),
            "flag",
            tone="warning",
            needs="certification.change_flag",
        ),
        _card(
            request, "jobs.Job", _("Jobs that failed lately"), "lately=failed", failed_lately, "error", tone="warning"
        ),
        _card(
            request,
            "regions.KeyCounty",
            _("Key counties not verified"),
            f"status__exact={KeyCountyStatus.UNVERIFIED}",
            in_state("status", KeyCountyStatus.UNVERIFIED),
            "star",
        ),
    ]
    return [card for card in found if card is not None]


def _card(
    request: HttpRequest,
    label: str,
    title: Any,
    query: str,
    narrow: Callable,
    icon: str,
    tone: str = "",
    url: str = "",
    needs: str = "",
) -> Card | None:
    """``needs`` is a permission beside that to look: without it the thing waits for somebody else."""
    desk = admin_of(label)
    if desk is None or not desk.has_view_permission(request) or (needs and not request.user.has_perm(needs)):
        return None
    count = narrow(desk.get_queryset(request)).order_by().count()
    return Card(title, f"{count:,}" if count else "", url or list_url(desk.model, query), icon, tone=tone)


def _import_card(request: HttpRequest, label: str, title: Any) -> Card | None:
    """Imports that were checked and wait for a person to confirm them, or to decide something first."""
    from incubator.imports.choices import TO_CONFIRM

    query = "state__in=" + ",".join(TO_CONFIRM)
    return _card(request, label, title, query, lambda rows: rows.filter(state__in=TO_CONFIRM), "upload_file")


def _refresh_card(request: HttpRequest, spread: Any) -> Card | None:
    """How last night's refresh went; a warning when it did not run or did not end."""
    from incubator.metrics.admin import with_counts
    from incubator.metrics.models import RefreshRun
    from incubator.regions.scoping import scope_of

    desk = admin_of("metrics.RefreshRun")
    runs = RefreshRun.objects.visible_to(request.user)
    if desk is None or not desk.has_view_permission(request) or not scope_of(request.user).everything:
        return None
    today = timezone.localdate()
    run: Any = with_counts(runs).order_by("-day").first()
    title, icon = _("Last night's refresh"), "sync"
    if run is None or run.day < today:
        since = gettext("The last one was on %(day)s.") % {"day": run.day} if run else gettext("None has run yet.")
        return Card(title, gettext("did not run"), list_url(RefreshRun), icon, since, "warning")
    note = gettext(
        "%(read)s read, %(failed)s failed, of %(planned)s planned. Read within a week: %(share)s of accounts."
    ) % {
        "read": f"{run.read_count:,}",
        "failed": f"{run.failed_count:,}",
        "planned": f"{run.planned:,}",
        "share": "-" if spread.percent is None else f"{spread.percent}%",
    }
    url = reverse("admin:metrics_refreshrun_change", args=[run.pk])
    if run.finished_at:
        return Card(title, gettext("finished"), url, icon, note, "done")
    if run.has_stopped:
        return Card(title, gettext("stopped before its end"), url, icon, note, "warning")
    return Card(title, gettext("running"), url, icon, note)


def _standing(request: HttpRequest, spread: Any) -> list[tuple[Any, str]]:
    """How the programme stands, in persons, over what this person may see."""
    from incubator.certification.models import Award
    from incubator.programmes.models import Participation, graduated_q, in_support_q
    from trainees.models import Trainee

    user, today = request.user, timezone.localdate()
    if not user.has_perm("trainees.view_trainee"):
        return []
    takes_part = Participation.objects.visible_to(user).aggregate(
        graduates=Count("trainee", distinct=True, filter=graduated_q()),
        in_support=Count("trainee", distinct=True, filter=in_support_q(today)),
    )
    certified = Award.objects.live().visible_to(user).values("trainee").distinct().count()
    return [
        (_("Trainees"), f"{Trainee.objects.visible_to(user).count():,}"),
        (_("Graduates"), f"{takes_part['graduates']:,}"),
        (_("In their support period"), f"{takes_part['in_support']:,}"),
        (_("Certified"), f"{certified:,}"),
        (_("Followers read up to"), spread.newest or "-"),
    ]


# --- Theme ------------------------------------------------------------------------------------------------------------

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": _("Rural creator incubation"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("favicon.svg")}],
    "SITE_HEADER": _("Rural creator incubation"),
    "SITE_SUBHEADER": _("Staff desk"),
    "SITE_SYMBOL": "potted_plant",
    "SITE_URL": "/",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "STYLES": [lambda request: static("admin/desk.css")],
    "COLORS": {
        "primary": {
            "50": "oklch(97.9% .021 166.113)",
            "100": "oklch(95% .052 163.051)",
            "200": "oklch(90.5% .093 164.15)",
            "300": "oklch(84.5% .143 164.978)",
            "400": "oklch(76.5% .177 163.223)",
            "500": "oklch(62% .15 163)",
            "600": "oklch(50.8% .118 165.612)",
            "700": "oklch(43.2% .095 166.913)",
            "800": "oklch(37.8% .077 168.94)",
            "900": "oklch(32% .065 170)",
            "950": "oklch(26.2% .051 172.552)",
        },
    },
    "DASHBOARD_CALLBACK": "incubator.desk.dashboard",
    "SIDEBAR": {"show_search": True, "show_all_applications": False, "navigation": "incubator.desk.navigation"},
}
