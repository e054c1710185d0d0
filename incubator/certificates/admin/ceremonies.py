"""Ceremonies: whose certificates, in what order, made in the background; and who is missing from the pages and why."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminSingleDateWidget

from incubator.certificates.choices import CeremonyOrder
from incubator.certificates.models import Ceremony
from incubator.certificates.queries import awards_of, editions_as_they_are, obstacle_sentence, obstacle_to, on_paper
from incubator.certificates.services import ask_for_certificates, open_ceremony, take_awards
from incubator.certification.models import Award, Badge
from incubator.common.desk import (
    Move,
    NoQuestions,
    Part,
    ScopedAdmin,
    Section,
    adopt,
    link_to,
    number,
    table,
)
from incubator.jobs.choices import JobState
from incubator.jobs.models import Job
from incubator.programmes.models import Cohort

LEFT_OUT_SHOWN = 50


class ChooseOrder(NoQuestions):
    order = forms.ChoiceField(
        label=_("Order of the certificates"), choices=CeremonyOrder, widget=UnfoldAdminSelectWidget
    )


class ChooseAwards(NoQuestions):
    """Which awards of the ceremony's region; nothing said means all."""

    badge = forms.ModelChoiceField(
        Badge.objects.all(), label=_("Badge"), required=False, widget=UnfoldAdminSelectWidget
    )
    cohort = forms.ModelChoiceField(
        Cohort.objects.select_related("programme"), label=_("Cohort"), required=False, widget=UnfoldAdminSelectWidget
    )
    first = forms.DateField(label=_("Awarded from"), required=False, widget=UnfoldAdminSingleDateWidget)
    last = forms.DateField(label=_("Awarded until"), required=False, widget=UnfoldAdminSingleDateWidget)


def _take(ceremony: Ceremony, *, by: Any, **answers: Any) -> None:
    take_awards(ceremony, by=by, on=timezone.localdate(), **answers)


def _awards(request: HttpRequest, ceremony: Ceremony) -> Section:
    found = awards_of(ceremony, user=request.user)
    part = Part.of(found.select_related("trainee__county", "badge"))
    rows = [(link_to(a, a.number), a.holder_name, a.trainee.county.name, a.badge, a.awarded_on) for a in part.rows]
    headings = [_("certificate number"), _("name"), _("county"), _("badge"), _("awarded on")]
    more = part.link(Award, "", ceremony=str(ceremony.pk))
    note = number(found.count()) if rows else ""
    title = gettext("Awards (%(count)s)") % {"count": note} if rows else gettext("Awards")
    empty = _("None yet. Take awards with the button above, or choose some in the list of awards.")
    return table(title, headings, rows, empty=empty, more=more, note=note)


def _work(request: HttpRequest, ceremony: Ceremony) -> Section | None:
    """The certificates as a file: how far they are, or where they are."""
    job = ceremony.job
    if job is None:
        return None
    words = f"{job.get_state_display()}" + (f" · {job.percent}%" if job.is_live and job.percent is not None else "")
    is_theirs = job.asked_by_id == request.user.pk or request.user.is_superuser
    place = _link(reverse("job", args=[job.pk]), gettext("Watch, download")) if is_theirs else ""
    said = [format_html("<p>{} {}</p>", words, place), *(format_html("<p>{}</p>", s) for s in _sentences(job))]
    return Section(_("Certificates as one file"), format_html_join("", "{}", ((part,) for part in said)))


def _sentences(job: Job) -> list[str]:
    if job.state == JobState.FAILED:
        return [job.error]
    if job.state != JobState.DONE:
        return []
    printed, unseen = job.result.get("printed", 0), job.result.get("unseen", 0)
    said = [ngettext("%(count)s certificate.", "%(count)s certificates.", printed) % {"count": number(printed)}]
    if unseen:
        sentence = ngettext(
            "%(count)s award of the ceremony lies outside the regions of who asked and is not among them.",
            "%(count)s awards of the ceremony lie outside the regions of who asked and are not among them.",
            unseen,
        )
        said.append(sentence % {"count": number(unseen)})
    return said


def _link(url: str, text: str) -> SafeString:
    return format_html('<a class="desk-link" href="{}">{}</a>', url, text)


def _left_out(request: HttpRequest, ceremony: Ceremony) -> Section | None:
    """Awards of which the last file has no certificate, with what is to be done as things are now."""
    job = ceremony.job
    pks = [pk for group in (job.result.get("left_out", {}) if job else {}).values() for pk in group]
    if not pks:
        return None
    seen = list(awards_of(ceremony, user=request.user).filter(pk__in=pks).values_list("pk", flat=True))
    editions = editions_as_they_are(on_paper(seen[:LEFT_OUT_SHOWN]), by=request.user)
    rows = [(link_to(e.award, e.award.number), e.holder_name, _why(e)) for e in editions]
    title = gettext("Not among them (%(count)s)") % {"count": number(len(seen))}
    shown = table(title, [_("certificate number"), _("name"), _("why")], rows, empty=_("None."))
    if len(seen) <= LEFT_OUT_SHOWN:
        return shown
    more = gettext("And %(count)s more; correct these and have the file made anew.") % {"count": len(seen) - len(rows)}
    return Section(title, shown.html + format_html("<p>{}</p>", more))


def _why(edition: Any) -> str:
    obstacle = obstacle_to(edition, on=timezone.localdate())
    if obstacle is None:
        return gettext("It can be printed now. Have the file made anew.")
    return obstacle_sentence(edition, obstacle)


@admin.register(Ceremony)
class CeremonyAdmin(ScopedAdmin):
    list_display = ["name", "held_on", "place", "region_label", "awards_label", "made_by"]
    list_filter = ["region"]
    list_select_related = ["region", "made_by", "job"]
    search_fields = ["name", "place"]
    autocomplete_fields = ["region"]
    names_nobody = True
    sections = [_work, _left_out, _awards]
    moves = [
        Move("print", _("Make certificates and credentials"), ask_for_certificates, form=ChooseOrder, is_main=True),
        Move("take", _("Take awards"), _take, form=ChooseAwards),
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = [("made_by", "made_at")] if obj else []
        return [(None, {"fields": [("name", "held_on"), ("place", "region"), "order", *shown]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["region", "made_by", "made_at"] if obj else []

    def list_rows(self, rows: QuerySet) -> QuerySet:
        return rows.annotate(award_count=Count("places"))

    def save_model(self, request: HttpRequest, obj: Ceremony, form: Any, change: bool) -> None:
        if change:
            return super().save_model(request, obj, form, change)
        written = open_ceremony(
            name=obj.name, held_on=obj.held_on, place=obj.place, region=obj.region, order=obj.order, by=request.user
        )
        adopt(obj, written)
        return None

    @display(description=_("region"), ordering="region")
    def region_label(self, row: Ceremony) -> Any:
        return row.region.name if row.region else _("whole country")

    @display(description=_("awards"), ordering="award_count")
    def awards_label(self, row: Any) -> str:
        return number(row.award_count)
