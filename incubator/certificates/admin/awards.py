"""Added to the pages of awards and people: certificates to download, reissue, ceremonies; and the list of editions."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from incubator.certificates.downloads import as_download
from incubator.certificates.models import Ceremony, Edition
from incubator.certificates.paper import certificate_pdf, notice_pdf
from incubator.certificates.queries import (
    editions_as_they_are,
    name_differs,
    on_paper,
    programme_of,
    seals_in_use,
)
from incubator.certificates.services import add_awards, edition_to_print, reissue_certificate, take_out
from incubator.certification.choices import AwardStanding
from incubator.certification.models import Award
from incubator.common.dates import moment
from incubator.common.desk import (
    HAPPENINGS_SHOWN,
    Happening,
    Move,
    NoQuestions,
    Part,
    QuestionFilter,
    ReadOnlyAdmin,
    Reason,
    Section,
    columns,
    extend_desk,
    link_to,
    table,
)
from incubator.common.errors import RuleBroken
from incubator.common.pdf import PDF
from trainees.models import Trainee

CEREMONIES_OFFERED = 50


# --- Editions, and what is downloaded ---------------------------------------------------------------------------------


@admin.register(Edition)
class EditionAdmin(ReadOnlyAdmin):
    list_display = ["certificate", "number", "holder_name", "name_before", "reason", "by", "at"]
    list_filter = ["award__badge", "award__trainee__county"]
    list_select_related = ["award__badge", "award__trainee__county", "by", "seal__programme"]
    search_fields = ["award__number"]
    search_help_text = _("Certificate number")
    fields = [("award", "number"), ("holder_name", "name_before"), ("seal", "by", "at"), "reason"]

    @display(description=_("certificate number"), ordering="award__number")
    def certificate(self, row: Edition) -> str:
        return row.award.number

    def get_urls(self) -> list:
        wrap, name = self.admin_site.admin_view, "certificates_edition"
        return [
            path("award/<int:pk>/certificate.pdf", wrap(self.certificate_view), name=f"{name}_certificate"),
            path("award/<int:pk>/archive.pdf", wrap(self.archive_view), name=f"{name}_archive"),
            path("award/<int:pk>/notice.pdf", wrap(self.notice_view), name=f"{name}_notice"),
            *super().get_urls(),
        ]

    def certificate_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The certificate of a valid award; of any other the page says why there is none."""
        award, today = _award(request, pk), timezone.localdate()
        try:
            edition = edition_to_print(award, by=request.user, on=today)
        except RuleBroken as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(reverse("admin:certification_award_change", args=[pk]))
        return as_download(certificate_pdf(edition, on=today), PDF, f"证书-{award.number}.pdf")

    def archive_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A certificate that is not valid any more, for the file: overprinted with what it is."""
        [award], today = on_paper([_award(request, pk).pk]), timezone.localdate()
        if award.standing(on=today) == AwardStanding.VALID:
            raise Http404
        [edition] = editions_as_they_are([award], by=request.user)
        return as_download(certificate_pdf(edition, on=today), PDF, f"证书存档-{award.number}.pdf")

    def notice_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The notice of withdrawal, to be handed to the holder."""
        [award] = on_paper([_award(request, pk).pk])
        if award.withdrawn_at is None:
            raise Http404
        [edition] = editions_as_they_are([award], by=request.user)
        return as_download(notice_pdf(edition), PDF, f"撤销通知书-{award.number}.pdf")


def _award(request: HttpRequest, pk: int) -> Award:
    award = Award.objects.visible_to(request.user).filter(pk=pk).first()
    if award is None or not request.user.has_perm("certification.view_award"):
        raise Http404
    return award


# --- On the pages of awards -------------------------------------------------------------------------------------------


def _on_paper(request: HttpRequest, award: Award) -> Section:
    """What can be downloaded, and what happened to the certificate so far."""
    parts = [Section(_("To download"), _links(award))]
    if award.holder_name != award.trainee.name and award.withdrawn_at is None:
        sentence = gettext("The certificate bears “%(printed)s”; the person's name is now “%(now)s”.")
        parts.insert(
            0, Section(_("Name differs"), _flag(sentence % {"printed": award.holder_name, "now": award.trainee.name}))
        )
    parts.append(table(_("History"), [_("at"), _("what"), _("by"), _("reason")], _history(award)))
    return columns(_("Certificate on paper"), parts)


def _flag(sentence: str) -> Any:
    return format_html_join("", '<p class="desk-flag">{}</p>', [(sentence,)])


def _links(award: Award) -> Any:
    standing = award.standing(on=timezone.localdate())
    offered = {
        AwardStanding.VALID: [("certificate", _("Certificate (PDF)"))],
        AwardStanding.EXPIRED: [("archive", _("Overprinted copy for the archive (PDF)"))],
        AwardStanding.WITHDRAWN: [
            ("notice", _("Notice of withdrawal (PDF)")),
            ("archive", _("Overprinted copy for the archive (PDF)")),
        ],
    }[standing]
    links = [(reverse(f"admin:certificates_edition_{name}", args=[award.pk]), label) for name, label in offered]
    return format_html_join(" · ", '<a class="desk-link" href="{}">{}</a>', links)


def _history(award: Award) -> list[tuple[Any, ...]]:
    """From the award to its withdrawal, the oldest first."""
    told: list[tuple[Any, ...]] = [(award.awarded_on, gettext("awarded"), award.awarded_by, "")]
    for edition in award.editions.select_related("by").order_by("number"):
        told.append((moment(edition.at), _edition_words(edition), edition.by, edition.reason))
    if award.withdrawn_at:
        told.append((moment(award.withdrawn_at), gettext("withdrawn"), award.withdrawn_by, award.withdrawal_reason))
    return told


def _edition_words(edition: Edition) -> str:
    if edition.number == 1:
        return gettext("printed for the first time")
    sentence = gettext("reissued as edition %(number)s: “%(before)s” → “%(after)s”")
    return sentence % {"number": edition.number, "before": edition.name_before, "after": edition.holder_name}


def _ceremonies(request: HttpRequest, award: Award) -> Section | None:
    if not request.user.has_perm("certificates.view_ceremony"):
        return None
    part = Part.of(Ceremony.objects.visible_to(request.user).filter(places__award=award))
    rows = [(link_to(c, c.name), c.held_on, c.place or "-") for c in part.rows]
    return table(_("Ceremonies"), [_("name"), _("held on"), _("place")], rows, empty=_("None."), note=part.count)


def _may_be_reissued(award: Award) -> str:
    """Whether there is something that another edition would change."""
    if award.standing(on=timezone.localdate()) != AwardStanding.VALID:
        return "over"
    if award.holder_name != award.trainee.name:
        return "differs"
    latest = award.editions.order_by("-number").first()
    [read] = on_paper([award.pk])
    newest = seals_in_use([programme_of(read)]).get(programme_of(read))
    return "differs" if latest and latest.seal_id and newest and latest.seal_id != newest.pk else "same"


class NameDiffersFilter(QuestionFilter):
    title = _("name on the certificate")
    parameter_name = "name"
    questions = {"differs": (_("differs from the person's"), name_differs)}


class CeremonyFilter(DropdownFilter):
    """Awards of one ceremony, of the newest that this person sees."""

    title = _("ceremony")
    parameter_name = "ceremony"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        if not request.user.has_perm("certificates.view_ceremony"):
            return []
        return [(row.pk, str(row)) for row in Ceremony.objects.visible_to(request.user)[:CEREMONIES_OFFERED]]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if not (self.value() or "").isdigit():
            return queryset
        seen = Ceremony.objects.visible_to(request.user).filter(pk=self.value())
        return queryset.filter(ceremony_places__ceremony__in=seen)


class ChooseCeremony(NoQuestions):
    ceremony = forms.ModelChoiceField(Ceremony.objects.none(), label=_("Ceremony"), widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["ceremony"].queryset = Ceremony.objects.visible_to(self.request.user)  # type: ignore[attr-defined]


def _add(awards: list[Award], *, by: Any, ceremony: Ceremony) -> None:
    add_awards(ceremony, awards, by=by)


def _take_out(awards: list[Award], *, by: Any, ceremony: Ceremony) -> None:
    take_out(ceremony, awards, by=by)


MAY_HOLD = "certificates.change_ceremony"
extend_desk(
    Award,
    sections=[_on_paper, _ceremonies],
    filters=[NameDiffersFilter, CeremonyFilter],
    moves=[
        Move(
            "reissue",
            _("Reissue the certificate"),
            reissue_certificate,
            form=Reason,
            states=["differs"],
            state_of=_may_be_reissued,
        ),
        Move("add_to_ceremony", _("Add to a ceremony"), _add, form=ChooseCeremony, permission=MAY_HOLD, together=True),
        Move(
            "take_out_of_ceremony",
            _("Take out of a ceremony"),
            _take_out,
            form=ChooseCeremony,
            permission=MAY_HOLD,
            together=True,
        ),
    ],
)


def _reissues(request: HttpRequest, trainee: Trainee) -> Iterator[Happening]:
    if not request.user.has_perm("certificates.view_edition"):
        return
    own = Edition.objects.visible_to(request.user).filter(award__trainee=trainee, number__gt=1)
    for edition in own.select_related("award", "by").order_by("-pk")[:HAPPENINGS_SHOWN]:
        yield Happening(edition.at, f"{edition.award.number} · {_edition_words(edition)}", edition.by, edition.reason)


extend_desk(Trainee, happenings=[_reissues])
