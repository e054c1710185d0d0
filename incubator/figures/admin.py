"""The staff desk's pages of this room: upload follower counts, look at what is in the workbook, write it."""

from datetime import date
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from incubator.common.desk import Section, adopt, link_to, number
from incubator.figures.choices import RowStatus
from incubator.figures.models import FiguresImport, FiguresRow
from incubator.figures.services import apply_figures, discard_figures, recheck_figures, upload_figures
from incubator.figures.template import blank_figures
from incubator.imports.admin import (
    Count,
    Line,
    StagedImportAdmin,
    counts,
    findings,
    import_moves,
    page_of_rows,
    preview,
    progress,
)
from incubator.imports.choices import TO_CONFIRM, ImportState
from incubator.metrics.choices import Platform
from incubator.metrics.models import CreatorAccount

HEADINGS = [
    _("row"),
    _("account"),
    _("followers"),
    _("status"),
    _("day"),
    _("last reading"),
    _("read on"),
    pgettext_lazy("person", "name"),
    _("county"),
]


def _counts(request: HttpRequest, figures: FiguresImport) -> Section | None:
    always = [Count(_("new"), figures.new_count), Count(_("wrong"), figures.wrong_count, is_bad=True)]
    where_any = [
        Count(_("corrects an earlier file"), figures.corrected_count),
        Count(_("will be held back"), figures.doubtful_count),
        Count(_("held back already"), figures.held_count),
        Count(_("known already"), figures.same_count),
        Count(_("kept, not overwritten"), figures.kept_count),
        Count(_("skipped (totals, notes)"), figures.skipped_count),
    ]
    numbers = [*always, *(count for count in where_any if count.number)]
    return counts(figures, numbers, _sentences(figures))


def _sentences(figures: FiguresImport) -> list[Any]:
    """What happens on confirming, or what happened."""
    if figures.state == ImportState.APPLIED:
        return [_what_was_done(figures)]
    if figures.state not in TO_CONFIRM:
        return []
    if figures.wrong_count:
        return [_("Correct the rows below in the workbook and upload it again. Nothing has been written.")]
    said: list[Any] = []
    if not figures.to_write_count:
        return [_("No figure in this workbook is new. There is nothing to confirm; put the import aside.")]
    said.append(_("Everything is in order. Look at the figures below and confirm; until then nothing is written."))
    if figures.kept_count:
        said.append(_("A figure that the platform itself told for the same day is kept; the file does not replace it."))
    said.append(
        _("Writing is not undone as a whole. A wrong figure is corrected by uploading the right one for the same day.")
    )
    return said


def _what_was_done(figures: FiguresImport) -> str:
    written, held = figures.written_count or 0, figures.quarantined_count or 0
    sentence = ngettext("%(count)s figure was written.", "%(count)s figures were written.", written)
    said = sentence % {"count": f"{written:,}"}
    if held:
        more = ngettext(
            "%(count)s is held back until somebody accepts it.",
            "%(count)s are held back until somebody accepts them.",
            held,
        )
        said = f"{said} {more % {'count': f'{held:,}'}}"
    return said


def _rows(request: HttpRequest, figures: FiguresImport) -> Section | None:
    """The figures, a page at a time; of accounts only what this person may see."""
    page = page_of_rows(request, FiguresRow.objects.filter(figures=figures))
    accounts = CreatorAccount.objects.visible_to(request.user).select_related("trainee__county")
    known = accounts.in_bulk({row.account_id for row in page if row.account_id})
    lines = [Line(_shown(row, known.get(row.account_id)), row.status == RowStatus.WRONG) for row in page]
    return preview(_("Figures in the workbook"), HEADINGS, lines, page)


def _shown(row: FiguresRow, account: CreatorAccount | None) -> list[Any]:
    plain = row.plain
    named = f"{dict(Platform.choices).get(plain['platform'], '')} {plain['handle']}".strip() or "-"
    return [
        row.number,
        link_to(account, named) if account else named,
        number(plain["followers"]),
        row.get_status_display(),
        _day(plain["day"]),
        number(plain["last_followers"]),
        _day(plain["last_day"]),
        account.trainee.name if account else plain["name"] or "-",
        account.trainee.county.name if account else "-",
    ]


def _day(iso: str) -> str:
    return date_format(date.fromisoformat(iso)) if iso else "-"


def _apply(figures: FiguresImport, by: Any) -> None:
    apply_figures(figures, by=by, at=timezone.now())


@admin.register(FiguresImport)
class FiguresImportAdmin(StagedImportAdmin):
    list_display = ["file_name", "region", "state_label", "to_write", "kept_count", "wrong_count", "at"]
    list_filter = ["state", "region"]
    list_select_related = ["region", "uploaded_by", "job"]
    search_fields = ["file_name", "filled_by"]
    autocomplete_fields = ["region"]
    asked = ["region", "day", "file"]
    shown = [("region", "day")]
    hint = _(
        "Add a workbook of follower counts for people who have not given consent, as XLSX or CSV; it is checked row by "
        "row and nothing is written before you confirm."
    )
    blank = staticmethod(blank_figures)
    blank_name = "粉丝数统计表.xlsx"
    sections = [progress, _counts, findings, _rows]
    moves = import_moves(_("Write these figures"), apply=_apply, recheck=recheck_figures, discard=discard_figures)

    def save_model(self, request: HttpRequest, obj: FiguresImport, form: Any, change: bool) -> None:
        file = form.cleaned_data["file"]
        adopt(obj, upload_figures(file, region=obj.region, day=obj.day, by=request.user, name=file.name))

    @admin.display(description=_("to write"))
    def to_write(self, row: FiguresImport) -> int:
        return row.to_write_count
