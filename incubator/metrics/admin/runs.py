"""Refresh runs and the plan of a day."""

from collections import defaultdict
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from incubator.common.desk import (
    Move,
    ScopedAdmin,
    Section,
    adopt,
    facts,
    link_to,
    number,
    table,
)
from incubator.metrics.choices import Failure, Platform
from incubator.metrics.models import RefreshBatch, RefreshFailure, RefreshRun
from incubator.metrics.planning import MAX_GAP, Reason
from incubator.metrics.platforms import daily_budget
from incubator.metrics.queries import pace_of
from incubator.metrics.services import resume_run, start_refresh, stop_run
from incubator.metrics.services.plan import what_budgets_buy
from incubator.regions.scoping import scope_of

FAILURES_SHOWN = 20
RENEW_SECONDS = 3
REASONS = {
    Reason.NEW: _("never read"),
    Reason.THRESHOLD: _("may have reached a threshold"),
    Reason.SUPPORT: _("support period ends soon"),
    Reason.GRANT: _("under a running grant"),
    Reason.FAST: _("grows fast"),
    Reason.HELD: _("a figure is held back"),
    Reason.DUE: _("its turn"),
}


def with_counts(runs: QuerySet[RefreshRun]) -> QuerySet[RefreshRun]:
    """Annotate ``read_count``, ``failed_count`` and ``held_count``: sums over the run's batches, and its failures."""
    batches = RefreshBatch.objects.filter(run=OuterRef("pk")).order_by().values("run")
    failures = RefreshFailure.objects.filter(run=OuterRef("pk")).order_by().values("run")

    def summed(rows: QuerySet, what: Any) -> Coalesce:
        return Coalesce(Subquery(rows.annotate(n=what).values("n"), output_field=IntegerField()), 0)

    return runs.annotate(
        read_count=summed(batches, Sum("read")),
        held_count=summed(batches, Sum("quarantined")),
        failed_count=summed(failures, Count("pk")),
    )


def _how_far(request: HttpRequest, run: Any) -> Section:
    """Progress, pace and expected end, from the batches; the page comes anew by itself while the run goes on."""
    went = pace_of(run)
    pairs = [
        (_("progress"), progress_bar(_share(run))),
        (_("read"), number(run.read_count)),
        (_("held back"), number(run.held_count)),
        (_("failed"), number(run.failed_count)),
        (_("left"), number(went.left)),
        (_("accounts a minute"), number(went.a_minute)),
        (_("expected end"), date_format(timezone.localtime(went.ends_at), "H:i") if went.ends_at else "-"),
        (_("calls spent"), f"{number(went.calls)} / {number(run.budget)}"),
    ]
    if run.error:
        pairs.insert(0, (_("why stopped"), run.error))
    return facts(_("How far it is"), pairs)


def _why_these(request: HttpRequest, run: RefreshRun) -> Section:
    """What the plan spent the calls on."""
    rows = [(REASONS[Reason[name.upper()]], number(count)) for name, count in run.reasons.items()]
    return table(_("Why these accounts"), [_("reason"), _("accounts")], rows, empty=_("Nobody was planned."))


def _share(run: Any) -> int:
    return min(100, (run.read_count + run.failed_count) * 100 // run.planned) if run.planned else 100


def _failed_accounts(request: HttpRequest, run: RefreshRun) -> Section:
    """Failures by kind, each with how many and the first accounts."""
    counts = dict(run.failures.order_by().values_list("kind").annotate(n=Count("pk")))
    some: dict[str, list[Any]] = defaultdict(list)
    for kind in counts:
        some[kind] = list(run.failures.filter(kind=kind).select_related("account")[:FAILURES_SHOWN])
    rows = [
        (Failure(kind).label, count, format_html("{}{}", _links(some[kind]), " …" if count > FAILURES_SHOWN else ""))
        for kind, count in sorted(counts.items(), key=lambda pair: -pair[1])
    ]
    return table(_("Accounts without a reading"), [_("why"), _("accounts"), _("which")], rows, empty=_("None."))


def _links(failures: list[RefreshFailure]) -> SafeString:
    return format_html_join(", ", "{}", ((link_to(failure.account, failure.account.handle),) for failure in failures))


def _batches(request: HttpRequest, run: RefreshRun) -> Section:
    rows = [
        (batch.number + 1, len(batch.account_ids), _job_state(batch, linked=request.user.is_superuser))
        for batch in RefreshBatch.objects.filter(run=run).select_related("job").order_by("number")
    ]
    return table(_("Batches"), [_("number"), _("accounts"), _("state")], rows, empty=_("None."))


def _job_state(batch: RefreshBatch, *, linked: bool) -> Any:
    if batch.job is None:
        return "-"
    state = batch.job.get_state_display()
    return link_to(batch.job, state) if linked else state


def _state_of(run: RefreshRun) -> str:
    """Where a run stands, for the moves that fit."""
    if run.finished_at is None:
        return "stopped" if run.has_stopped else "running"
    return "failed" if run.failures.exists() else "done"


class PlanForm(forms.Form):
    """Which platform, and a budget to compare."""

    platform = forms.ChoiceField(label=_("Platform"), choices=Platform, required=False, widget=UnfoldAdminSelectWidget)
    budget = forms.IntegerField(
        label=_("Another budget"),
        min_value=1,
        max_value=10_000_000,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
    )


@admin.register(RefreshRun)
class RefreshRunAdmin(ScopedAdmin):
    """Adding one is “refresh now”: it begins today's run, or goes on with it."""

    may_edit = False
    names_nobody = True
    list_display = ["day", "platform", "planned", "read", "failed", "progress", "finished_at"]
    list_filter = ["platform"]
    list_per_page = 31
    fields = [("platform", "day", "planned"), ("started_at", "finished_at")]
    readonly_fields = ["day", "planned", "started_at", "finished_at"]
    sections = [_how_far, _failed_accounts, _why_these, _batches]
    change_list_template = "admin/metrics/runs.html"
    moves = [
        Move(
            "resume", _("Do what is left"), resume_run, states=["stopped", "failed"], state_of=_state_of, is_main=True
        ),
        Move("stop", _("Stop"), stop_run, states=["running"], state_of=_state_of),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return with_counts(super().get_queryset(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A run spends the calls of the whole country."""
        return super().has_add_permission(request) and scope_of(request.user).everything

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else ["platform"]

    def save_model(self, request: HttpRequest, obj: RefreshRun, form: Any, change: bool) -> None:
        today = timezone.localdate()
        adopt(obj, start_refresh(platform=obj.platform, day=today, at=timezone.now(), by=request.user))

    @display(description=_("read"))
    def read(self, run: Any) -> str:
        return number(run.read_count)

    @display(description=_("failed"))
    def failed(self, run: Any) -> str:
        return number(run.failed_count)

    @display(description=_("progress"))
    def progress(self, run: Any) -> SafeString:
        return progress_bar(_share(run))

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        """A page that comes anew by itself every few seconds while the run goes on."""
        response = super().change_view(request, object_id, *args, **kwargs)
        run = self.get_object(request, object_id) if request.method == "GET" else None
        if run is not None and _state_of(run) == "running":
            response["Refresh"] = str(RENEW_SECONDS)
        return response

    def get_urls(self) -> list:
        view = self.admin_site.admin_view(self.plan_view)
        return [path("plan/", view, name="metrics_refreshrun_plan"), *super().get_urls()]

    def plan_view(self, request: HttpRequest) -> TemplateResponse:
        """Today's plan, what it costs, and what other budgets would buy."""
        if not self.has_view_permission(request) or not scope_of(request.user).everything:
            raise PermissionDenied
        form = PlanForm(request.GET or None)
        chosen = form.cleaned_data if form.is_valid() else {}
        platform = chosen.get("platform") or Platform.KUAISHOU
        plan, offers = what_budgets_buy(platform, day=timezone.localdate(), other=chosen.get("budget"))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Refresh plan"),
            "form": form if request.GET else PlanForm(),
            "plan": plan,
            "platform": Platform(platform).label,
            "reasons": [
                (REASONS[reason], count, count * 100 // max(1, plan.cost))
                for reason, count in plan.reasons.items()
                if count
            ],
            "offers": offers,
            "daily_budget": daily_budget(platform),
            "gap": MAX_GAP,
        }
        return TemplateResponse(request, "admin/metrics/plan.html", context)


def progress_bar(percent: int) -> SafeString:
    bar = '<span class="desk-progress"><span><i style="width:{0}%"></i></span>{0}%</span>'
    return format_html(bar, percent)
