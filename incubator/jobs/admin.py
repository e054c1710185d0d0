"""The staff desk's pages of this room: work that a person can watch and cancel, and the schedule."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet, Value
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django_celery_beat.admin import CrontabScheduleAdmin as BeatCrontabAdmin
from django_celery_beat.admin import PeriodicTaskAdmin as BeatTaskAdmin
from django_celery_beat.admin import PeriodicTaskForm, TaskSelectWidget
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from incubator.common.desk import Colours, Move, QuestionFilter, ReadOnlyAdmin, ScopedAdmin
from incubator.common.exports import Exported
from incubator.jobs.choices import LIVE, JobState
from incubator.jobs.models import Job
from incubator.jobs.registry import FOR_ASKERS_ONLY
from incubator.jobs.services import cancel_job
from incubator.jobs.views import has_file

LATELY = timedelta(days=7)


def failed_lately(jobs: Any) -> Any:
    """Jobs that failed within the last seven days."""
    return jobs.filter(state=JobState.FAILED, finished_at__gte=timezone.now() - LATELY)


class LatelyFilter(QuestionFilter):
    title = _("last seven days")
    parameter_name = "lately"
    questions = {"failed": (_("failed"), failed_lately)}


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = ["what", "kind", "state_label", "progress", "asked_by", "created_at", "finished_at", "file"]
    not_exported = ["file"]
    exported = [Exported("progress", _("progress"), lambda job: None if job.percent is None else f"{job.percent}%")]
    list_filter = [LatelyFilter, "state"]
    list_select_related = ["asked_by"]
    search_fields = ["title", "kind"]
    fields = [
        "what",
        ("kind", "state", "progress"),
        ("asked_by", "created_at"),
        ("started_at", "finished_at", "attempts"),
        "error",
        ("result", "file"),
    ]
    readonly_fields = ["what", "progress", "file"]
    moves = [Move("cancel", _("Cancel"), cancel_job, states=LIVE)]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """With the id of who looks: some files are for nobody but who asked for them."""
        return super().get_queryset(request).annotate(viewer_id=Value(request.user.pk))

    @display(description=_("what"))
    def what(self, job: Job) -> str:
        return str(job)

    @display(
        description=_("state"),
        ordering="state",
        label=Colours({JobState.RUNNING: "info", JobState.DONE: "success", JobState.FAILED: "danger"}),
    )
    def state_label(self, job: Job) -> tuple[str, str]:
        return job.state, job.get_state_display()

    @display(description=_("progress"))
    def progress(self, job: Job) -> Any:
        if job.percent is None:
            return "-"
        bar = '<span class="desk-progress"><span><i style="width:{0}%"></i></span>{0}%</span>'
        return format_html(bar, job.percent)

    @display(description=_("file"))
    def file(self, job: Any) -> SafeString | str:
        """The way to it. What is for its asker only is looked into on its own page, not here row by row."""
        if job.kind in FOR_ASKERS_ONLY:
            is_theirs = job.state == JobState.DONE and job.result_file and job.asked_by_id == job.viewer_id
            return _link("job", job, _("Open")) if is_theirs else "-"
        return _link("job_file", job, _("Download")) if has_file(job, by=job.viewer_id) else "-"


def _link(name: str, job: Job, text: Any) -> SafeString:
    return format_html('<a class="desk-link" href="{}">{}</a>', reverse(name, args=[job.pk]), text)


# --- The schedule: who makes the jobs begin ---------------------------------------------------------------------------

for unwanted in (PeriodicTask, CrontabSchedule, IntervalSchedule, SolarSchedule, ClockedSchedule):
    admin.site.unregister(unwanted)


class ThemedTaskSelect(UnfoldAdminSelectWidget, TaskSelectWidget):
    """The list of tasks, in the theme's clothes."""


class ThemedTaskForm(PeriodicTaskForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = ThemedTaskSelect()


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(ScopedAdmin, BeatTaskAdmin):
    form = ThemedTaskForm
    may_delete = True
    names_nobody = True
    date_hierarchy = None
    list_display = ["name", "enabled", "interval", "crontab", "last_run_at"]
    list_filter = ["enabled"]
    list_select_related = ["interval", "crontab"]
    fieldsets = [
        (None, {"fields": ["name", "regtask", "task", "enabled", "description"]}),
        (_("Schedule"), {"fields": [("interval", "crontab"), "start_time", "last_run_at", "one_off"]}),
        (_("Arguments"), {"fields": ["args", "kwargs"]}),
    ]
    readonly_fields = ["last_run_at"]
    change_form_template = ScopedAdmin.change_form_template


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(ScopedAdmin, BeatCrontabAdmin):
    may_delete = True
    names_nobody = True
    inlines: list = []


@admin.register(IntervalSchedule)
class IntervalScheduleAdmin(ScopedAdmin):
    may_delete = True
    names_nobody = True
    list_display = ["__str__", "every", "period"]
