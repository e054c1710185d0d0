"""Badges and the versions of their rules: read as sentences, drafted, rehearsed, published."""

import hashlib
import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display

from incubator.certification.admin.rehearsals import changes_section, rehearsals_of, with_counts
from incubator.certification.admin.rule_form import About, Row, carry_out, node_of, posted_node
from incubator.certification.admin.words import reads, rule_sentence
from incubator.certification.choices import ConditionKind
from incubator.certification.conditions import checked
from incubator.certification.examples import examples
from incubator.certification.models import Badge, Rule
from incubator.certification.services import (
    ask_for_rehearsal,
    change_draft,
    draft_rule,
    new_version,
    publish_rule,
    rehearsal_to_publish,
)
from incubator.certification.services.rehearsals import KIND
from incubator.common.dates import moment
from incubator.common.desk import Move, NoQuestions, QuestionFilter, ScopedAdmin, Section, adopt
from incubator.common.errors import RuleBroken
from incubator.jobs.models import Job
from incubator.regions.scoping import scope_of


@admin.register(Badge)
class BadgeAdmin(ScopedAdmin):
    is_reference = True
    list_display = ["name", "code", "level", "valid_days"]
    search_fields = ["name", "code"]


# --- Parts of the page ------------------------------------------------------------------------------------------------


def tried(tree: Any) -> SafeString:
    """Histories that pass and that fail, side by side."""
    found = examples(tree)
    context = {"passing": [e for e in found if e.is_met], "failing": [e for e in found if not e.is_met]}
    return SafeString(render_to_string("admin/certification/examples.html", context))


def _conditions(request: HttpRequest, rule: Rule) -> Section:
    return Section(_("What the badge takes"), reads(rule.conditions))


def _examples(request: HttpRequest, rule: Rule) -> Section:
    return Section(_("Examples, judged by this version"), tried(rule.conditions))


def _rehearsals(request: HttpRequest, rule: Rule) -> Section | None:
    """What was rehearsed of this version, with the running one on top."""
    if not request.user.has_perm("certification.view_rehearsal"):
        return None
    job = Job.objects.live().filter(kind=KIND, key=f"{rule.pk}").first()
    mine = job is not None and Job.objects.visible_to(request.user).filter(pk=job.pk).exists()
    rows = rehearsals_of(request, rule)
    context = {"job": job, "job_url": reverse("job", args=[job.pk]) if job and mine else "", "rows": rows.html}
    return Section(_("Rehearsals"), SafeString(render_to_string("admin/certification/rehearsals.html", context)))


class Seen(NoQuestions):
    """Asks whoever publishes to have looked."""

    is_seen = forms.BooleanField(
        label=_("I have looked at who gains and who loses."),
        label_suffix="",
        widget=forms.CheckboxInput(attrs={"class": "desk-check"}),
    )


def _publish(rule: Rule, *, by: Any, is_seen: bool) -> Rule:
    return publish_rule(rule, by=by)


def _state(rule: Rule) -> str:
    return "published" if rule.published_at else "draft"


def _why_not_publish(rule: Rule, user: Any) -> str:
    if rehearsal_to_publish(rule, at=timezone.now()) is None:
        return gettext("Rehearse exactly these conditions first; a rehearsal serves for seven days.")
    return ""


class PublishedFilter(QuestionFilter):
    title = _("publication")
    parameter_name = "published"
    questions = {
        "yes": (_("published"), lambda rows: rows.exclude(published_at=None)),
        "no": (_("draft"), lambda rows: rows.filter(published_at=None)),
    }


@admin.register(Rule)
class RuleAdmin(ScopedAdmin):
    is_reference = True
    may_edit = False  # conditions are edited as sentences, on a page of their own
    list_display = ["badge", "version", "asks_for", "valid_from", "valid_until", "published_at"]
    list_display_links = ["badge", "version"]
    list_filter = ["badge", PublishedFilter]
    list_select_related = ["badge"]
    fields = [("badge", "version"), ("valid_from", "valid_until"), "note", ("published_at", "published_by")]
    readonly_fields = ["version", "published_at", "published_by"]
    sections = [_conditions, _examples, _rehearsals]
    change_form_template = "admin/certification/rule.html"

    class Media:
        css = {"all": ["admin/certification.css"]}

    moves = [
        Move("rehearse", _("Rehearse"), ask_for_rehearsal, states=["draft"], state_of=_state, is_main=True),
        Move(
            "publish",
            _("Publish"),
            _publish,
            form=Seen,
            states=["draft"],
            state_of=_state,
            has_page=True,
            why_not=_why_not_publish,
        ),
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return [(None, {"fields": self.fields if obj else ["badge", "note"]})]

    def may_move(self, request: HttpRequest, move: Move) -> bool:
        """A rule decides in every county: whoever publishes it has to see who gains and loses in all of them."""
        return super().may_move(request, move) and (move.name != "publish" or scope_of(request.user).everything)

    def may_draft(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("certification.change_rule")

    def get_urls(self) -> list:
        edit, new = self.admin_site.admin_view(self.edit_view), self.admin_site.admin_view(self.new_version_view)
        return [
            path("<path:object_id>/conditions/", edit, name="certification_rule_conditions"),
            path("<path:object_id>/new-version/", require_POST(new), name="certification_rule_new_version"),
            *super().get_urls(),
        ]

    def render_change_form(self, request: HttpRequest, context: dict, *args: Any, obj: Any = None, **kw: Any) -> Any:
        if obj is not None:
            context["may_edit"] = obj.published_at is None and self.may_draft(request)
            context["may_renew"] = self.may_draft(request) and request.user.has_perm("certification.add_rule")
        return super().render_change_form(request, context, *args, obj=obj, **kw)

    def save_model(self, request: HttpRequest, obj: Rule, form: Any, change: bool) -> None:
        """A new version says what the badge's newest one says, until it is changed."""
        newest = obj.badge.rules.order_by("-version").first()
        conditions = newest.conditions if newest else obj.conditions
        adopt(obj, draft_rule(obj.badge, conditions, by=request.user, note=obj.note))

    def response_add(self, request: HttpRequest, obj: Rule, post_url_continue: Any = None) -> HttpResponse:
        return HttpResponseRedirect(_page("conditions", obj))

    def new_version_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A draft from this version; its conditions are edited next."""
        rule = self.get_object(request, unquote(object_id))
        if rule is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not (self.may_draft(request) and request.user.has_perm("certification.add_rule")):
            raise PermissionDenied
        draft = new_version(rule, by=request.user)
        self.log_addition(request, draft, [{"added": {}}])
        return HttpResponseRedirect(_page("conditions", draft))

    def edit_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        rule = self.get_object(request, unquote(object_id))
        if rule is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.may_draft(request):
            raise PermissionDenied
        if rule.published_at is not None:
            messages.error(request, gettext("This version is published already. Make a new version instead."))
            return HttpResponseRedirect(_page("change", rule))
        return Editor(self, request, rule).response()

    def about_move(self, request: HttpRequest, move: Move, rows: list) -> SafeString:
        if move.name != "publish":
            return super().about_move(request, move, rows)
        return SafeString("".join(self._about_publishing(request, rule) for rule in rows))

    def _about_publishing(self, request: HttpRequest, rule: Rule) -> str:
        done = rehearsal_to_publish(rule, at=timezone.now())
        if done is not None:
            done = with_counts(type(done).objects.filter(pk=done.pk), request.user).get()
        context = {
            "rule": rule,
            "reads": reads(rule.conditions),
            "rehearsal": done,
            "at": moment(done.at) if done else "",
            "changes": changes_section(request, done).html if done else "",
            "url": reverse("admin:certification_rehearsal_change", args=[done.pk]) if done else "",
        }
        return render_to_string("admin/certification/publishing.html", context)

    @display(description=_("asks for"))
    def asks_for(self, row: Rule) -> str:
        return rule_sentence(row)


def _page(name: str, rule: Rule) -> str:
    return reverse(f"admin:certification_rule_{name}", args=[quote(rule.pk)])


# --- The editor -------------------------------------------------------------------------------------------------------


class Editor:
    """The page on which a draft is edited; every button sends the whole of it."""

    def __init__(self, desk: RuleAdmin, request: HttpRequest, rule: Rule) -> None:
        self.desk, self.request, self.rule = desk, request, rule

    def response(self) -> HttpResponse:
        data = self.request.POST
        if self.request.method != "POST":
            about = {name: getattr(self.rule, name) for name in About.base_fields}
            return self._show(Row(node_of(self.rule.conditions)), About(initial=about))
        node, about_form = posted_node(data), About(data)
        button = data.get("do", "save")
        if button not in ("save", "look"):
            carry_out(node, button, data)
            about_form.is_valid()
            return self._show(Row(node), about_form)
        row = Row(node)
        if not (row.is_whole and about_form.is_valid()):
            messages.error(self.request, gettext("Something is not filled in yet: it is marked below."))
        elif button == "save" and self._save(row, about_form):
            return HttpResponseRedirect(_page("change", self.rule))
        return self._show(row, about_form)

    def _save(self, row: Row, about: About) -> bool:
        try:
            with transaction.atomic():
                now = Rule.objects.select_for_update().get(pk=self.rule.pk)
                if _seen(now) != self.request.POST.get("seen"):
                    raise RuleBroken(
                        gettext("Somebody else has changed this draft meanwhile. Open it anew, and change it again.")
                    )
                change_draft(now, row.tree, by=self.request.user, **about.cleaned_data)
        except RuleBroken as refusal:
            messages.error(self.request, str(refusal))
            return False
        self.desk.log_change(self.request, self.rule, gettext("Conditions changed"))
        messages.success(self.request, gettext("The draft is saved. Nothing is decided by it before it is published."))
        return True

    def _show(self, row: Row, about: About) -> HttpResponse:
        tree = self._tree(row)
        context = {
            **self.desk.admin_site.each_context(self.request),
            "title": gettext("Conditions of %(rule)s") % {"rule": self.rule},
            "media": self.desk.media + about.media,
            "root": row,
            "about": about,
            "kinds": ConditionKind.choices,
            "seen": self.request.POST.get("seen") or _seen(self.rule),
            "reads": reads(tree) if tree else "",
            "examples": tried(tree) if tree else "",
            "here": self.request.path,  # without the row that an earlier button led to
            "back": _page("change", self.rule),
        }
        return TemplateResponse(self.request, "admin/certification/rule_editor.html", context)

    def _tree(self, row: Row) -> Any:
        """The entered conditions once they can be understood."""
        if not row.is_whole:
            return None
        try:
            return checked(row.tree)
        except RuleBroken as refusal:
            messages.error(self.request, str(refusal))
            return None


def _seen(rule: Rule) -> str:
    """What tells whether somebody else has changed the draft."""

    said = [rule.conditions, rule.note, rule.valid_from, rule.valid_until]
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:16]
