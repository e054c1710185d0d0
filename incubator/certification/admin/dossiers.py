"""The long form of an award's dossier: on its page, printable, and as the file an auditor takes away."""

import json
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from incubator.accounts.access import record_access
from incubator.accounts.choices import AccessKind
from incubator.certification.conditions import leaves, sentence
from incubator.certification.models import Award
from incubator.certification.services.dossiers import digest_of
from incubator.common.desk import Section, columns, facts, number, table

PERMISSION = "certification.audit_award"
FORMS = ("dossier", "dossier.json")


def dossier_urls(desk: Any) -> list[Any]:
    """Addresses of the long form, below the award's page."""
    return [
        path(f"<int:pk>/{form}", desk.admin_site.admin_view(dossier_view), {"form": form}, name=f"award_{form}")
        for form in FORMS
    ]


@never_cache
@require_safe
def dossier_view(request: HttpRequest, pk: int, form: str) -> HttpResponse:
    """The dossier to whoever may take it and sees the award; that it was taken is recorded."""
    award = get_object_or_404(Award.objects.visible_to(request.user).select_related("badge", "trainee"), pk=pk)
    if not request.user.has_perms(["certification.view_award", PERMISSION]):  # type: ignore[union-attr]
        raise PermissionDenied
    with transaction.atomic():
        record_access(Award, kind=AccessKind.EXPORT, by=request.user, fields=["evidence"], row=award.pk)
    if form == "dossier.json":
        return _file(award)
    context = {
        **admin.site.each_context(request),
        "title": _("Dossier of the award %(number)s") % {"number": award.number},
        "award": award,
        "sections": list(dossier_sections(award.evidence)),
    }
    return TemplateResponse(request, "admin/certification/dossier.html", context)


def _file(award: Award) -> HttpResponse:
    text = json.dumps(award.evidence, ensure_ascii=False, indent=2, sort_keys=True)
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{award.number}.json"'
    return response


# --- On pages ---------------------------------------------------------------------------------------------------------


def frozen(request: HttpRequest, award: Award) -> Section:
    """The evidence as it was when the award was given; never read from today's rows."""
    parts = list(dossier_sections(award.evidence))
    if request.user.has_perm(PERMISSION):  # type: ignore[union-attr]
        links = render_to_string("admin/certification/dossier_links.html", {"award": award})
        parts.append(Section("", links))
    return columns(_("Evidence, frozen with the award"), parts)


def dossier_sections(evidence: dict[str, Any]) -> Iterator[Section]:
    """Everything a dossier tells, of whatever form it is; parts that it does not have are left out."""
    yield Section("", render_to_string("admin/desk/columns.html", {"columns": list(_columns(evidence))}))
    if "form" in evidence:
        yield _conditions(evidence)
        yield _readings(evidence)
    if "leaps" in evidence:
        yield _leaps(evidence)
    if "digest" in evidence:
        yield _digest(evidence)


def _columns(evidence: dict[str, Any]) -> Iterator[Section]:
    rule, reading = evidence.get("rule", {}), evidence.get("reading", {})
    person, graduation = evidence.get("participation", {}), evidence.get("graduation", {})
    decided, proposed = evidence.get("decided", {}), evidence.get("proposed", {})
    yield facts(_("Rule"), [(_("badge"), rule.get("badge")), (_("version"), rule.get("version")), *_first_form(rule)])
    yield facts(
        _("Reading"),
        [
            (_("account number"), reading.get("handle") or "-"),
            (_("day"), reading.get("day") or "-"),
            (_("followers"), number(reading.get("followers"))),
            (_("fetched at"), reading.get("fetched_at") or "-"),
            (_("held long enough on"), evidence.get("held_on") or "-"),
        ],
    )
    yield facts(
        _("Participation"),
        [
            (_("cohort"), person.get("cohort")),
            (_("graduated on"), person.get("graduated_on") or "-"),
            (_("support from"), person.get("support_starts_on") or "-"),
            (_("support until"), person.get("support_ends_on") or "-"),
        ],
    )
    yield facts(
        _("Graduation and decision"),
        [
            (_("days attended"), graduation.get("days", "-")),
            (_("class hours that count"), graduation.get("counted_hours", "-")),
            (_("proposed by"), proposed.get("by") or "-"),
            (_("proposed at"), proposed.get("at") or "-"),
            (_("decided by"), decided.get("by")),
            (_("decided at"), decided.get("at")),
            (_("remark"), proposed.get("remark") or decided.get("remark") or "-"),
        ],
    )


def _first_form(rule: dict[str, Any]) -> list[tuple[Any, Any]]:
    """What dossiers told of a rule before rules were data."""
    if "followers" not in rule:
        return [(_("published at"), rule.get("published_at") or "-")]
    return [
        (_("followers"), number(rule["followers"])),
        (_("more than the number"), _("yes") if rule.get("strict") else _("no")),
    ]


def _conditions(evidence: dict[str, Any]) -> Section:
    told = zip(leaves(evidence["rule"]["conditions"]), evidence["met"], strict=False)
    rows = [(sentence(leaf), _("met") if is_met else _("not met")) for leaf, is_met in told]
    return table(_("Conditions"), [_("condition"), _("on the day of the decision")], rows)


def _readings(evidence: dict[str, Any]) -> Section:
    rows = [(r["day"], number(r["followers"]), r["source"], r["fetched_at"]) for r in evidence["readings"]]
    headings = [_("day"), _("followers"), _("source"), _("fetched at")]
    return table(_("Readings before and after"), headings, rows, empty=_("The rule asks for no number of followers."))


def _leaps(evidence: dict[str, Any]) -> Section:
    """Leaps that were known at the decision; nothing for awards from before leaps were noted."""
    rows = [
        (leap["day"], f"+{leap['gained']:,}", f"{leap['usual']:+,}", _("yes") if leap["ran_traffic"] else _("no"))
        for leap in evidence["leaps"]
    ]
    headings = [_("leap on"), _("gained a day"), _("usually a day"), _("under a traffic grant")]
    return table("", headings, rows, empty=_("No leap of followers was known."))


def _digest(evidence: dict[str, Any]) -> Section:
    is_right = evidence["digest"] == digest_of(evidence)
    says = _("It matches: nothing of the dossier was changed.") if is_right else _("It does not match: look into it.")
    return facts(_("Digest (SHA-256)"), [(_("kept"), evidence["digest"]), (_("computed anew"), says)])
