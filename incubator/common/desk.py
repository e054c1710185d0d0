"""What every list and page of the staff desk (Django admin with unfold) shares.

- Rows: a list, a page, a choice, a filter and a search offer what ``visible_to(user)`` offers, and nothing else. A
  model that cannot say who sees its rows is for superusers, unless its admin says that it is reference data.
- Moves: a change of state is an action that calls a service. Every refusal is shown as its sentence.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.utils import get_fields_from_path, quote, unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import BooleanField, Exists, Model, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, path, reverse
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.admin import checkbox as theme_checkbox
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    BooleanRadioFilter,
    ChoicesDropdownFilter,
    DropdownFilter,
    RelatedDropdownFilter,
)
from unfold.widgets import UnfoldAdminSingleDateWidget, UnfoldAdminTextareaWidget

from incubator.common.change_lists import OF_ROW, DeskChangeList
from incubator.common.errors import RuleBroken
from incubator.common.exports import Exported
from incubator.common.long_lists import LongChangeList, LongPaginator

REFUSALS_SHOWN = 20

# --- Rows -------------------------------------------------------------------------------------------------------------


def visible_rows(model: type[Model], user: Any, *, is_reference: bool = False) -> QuerySet:
    """The rows of ``model`` that ``user`` may see. Fails closed: superusers only, where the model cannot say."""
    rows = model._default_manager.all()
    if hasattr(rows, "visible_to"):
        return rows.visible_to(user)
    if is_reference or (user.is_active and user.is_superuser):
        return rows
    return rows.none()


class ScopedFields:
    """Choices of a form's related fields: the rows that the person may see in that model's own list."""

    def related_rows(self, model: type[Model], request: HttpRequest) -> QuerySet:
        own = self.admin_site._registry.get(model)  # type: ignore[attr-defined]
        return own.get_queryset(request) if isinstance(own, ScopedAdmin) else visible_rows(model, request.user)

    def get_field_queryset(self, db: Any, db_field: Any, request: HttpRequest) -> QuerySet:
        return self.related_rows(db_field.remote_field.model, request)


# --- Filters ----------------------------------------------------------------------------------------------------------


class ScopedRelatedFilter(RelatedDropdownFilter):
    """A drop-down of related rows, only those that the person may see."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: "ScopedAdmin") -> list[tuple]:
        own = model_admin.admin_site._registry.get(field.remote_field.model)
        if own is not None and not own.has_view_permission(request):
            return []  # whose list one may not open are not named by another list's filter either
        return [(row.pk, str(row)) for row in model_admin.related_rows(field.remote_field.model, request)]


class ScopedSearchFilter(AutocompleteSelectFilter):
    """The same for long tables, as a search field; a chosen row shows its name only to those who may see it."""

    def choices(self, changelist: Any) -> Iterable:
        for choice in super().choices(changelist):
            rows = self.model_admin.related_rows(self.field.remote_field.model, self.request)
            choice["form"].fields[self.lookup_kwarg].queryset = rows
            yield choice


class QuestionFilter(DropdownFilter):
    """A filter of named questions: ``questions`` is ``{value: (label, function of a queryset)}``."""

    questions: dict[str, tuple[Any, Callable[[QuerySet], QuerySet]]] = {}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(value, label) for value, (label, _narrow) in self.questions.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        question = self.questions.get(self.value() or "")
        return question[1](queryset) if question else queryset


def among(rows: QuerySet, parts: QuerySet, key: str, *, is_narrow: bool = False) -> QuerySet:
    """Of ``rows`` those that one of ``parts`` points at with its foreign key ``key``.

    Of everything there is, the answer comes from an index of the parts in the order of the rows, newest first. Where
    the list ``is_narrow``, its own rows are gone through instead and each is asked for.
    """
    column = f"{key}_id"
    if is_narrow:
        return rows.filter(Exists(parts.filter(**{column: OuterRef("pk")}).order_by()))
    return rows.filter(pk__in=parts.order_by(f"-{column}").distinct(column).values(column))


# --- Moves ------------------------------------------------------------------------------------------------------------


class NoQuestions(forms.Form):
    """What a move asks for before it is made: nothing."""

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        self.request = request
        super().__init__(*args, **kwargs)


class Reason(NoQuestions):
    """Asks why."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=200, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2})
    )


class Day(NoQuestions):
    """Asks for a day."""

    on = forms.DateField(label=gettext_lazy("Day"), widget=UnfoldAdminSingleDateWidget)


@dataclass(frozen=True)
class Move:
    """A change of state that staff can make, on a page and on chosen rows of a list.

    ``do`` gets the row (with ``together`` the list of chosen rows, all or none), ``by`` and the answers of ``form``.
    ``states`` are those in which a page offers the button; ``permission`` is needed beside the right to see the row
    (the right to change it, unless named). ``why_not`` of a row and a person is the sentence beside a button that they
    cannot press; a move with ``has_page`` is asked about on a page of its own, which says what it will do.
    """

    name: str
    label: Any
    do: Callable[..., Any]
    form: type[NoQuestions] = NoQuestions
    states: Sequence[str] | None = None
    state_of: Callable[[Any], str] = field(default=lambda row: row.state)
    permission: str = ""
    together: bool = False
    is_main: bool = False
    why_not: Callable[[Any, Any], Any] = field(default=lambda row, user: "")
    has_page: bool = False

    @property
    def asks(self) -> bool:
        return bool(self.form.base_fields)

    def fits(self, row: Any) -> bool:
        return self.states is None or self.state_of(row) in self.states


@dataclass(frozen=True)
class Section:
    """A read-only part of a page below its fields: a title and a piece of HTML; ``note`` says it in a word."""

    title: Any
    html: SafeString
    note: Any = ""


PART_SHOWN = 10  # rows of a part of a page


@dataclass(frozen=True)
class Part:
    """The first rows of a part of a page, and whether there are more; one query, whatever there is."""

    rows: list[Any]
    has_more: bool

    @classmethod
    def of(cls, rows: QuerySet, most: int = PART_SHOWN) -> "Part":
        found = list(rows[: most + 1])
        return cls(found[:most], len(found) > most)

    @property
    def count(self) -> str:
        """``3``, ``10+``, nothing for none."""
        return f"{len(self.rows)}+" if self.has_more else f"{len(self.rows) or ''}"

    def link(self, model: type[Model], search: str, **filters: str) -> tuple[str, Any] | None:
        """Where all of them are: the model's list, searched; nothing where all are shown."""
        if not self.has_more:
            return None
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        return f"{url}?{urlencode({'q': search, **filters})}", _("Show all in their list")


def table(
    title: Any,
    headings: Sequence[Any],
    rows: Iterable[Sequence[Any]],
    *,
    empty: Any = "",
    more: tuple[str, Any] | None = None,
    note: Any = "",
) -> Section:
    """A section that is a table; ``empty`` is said instead when there are no rows, ``more`` is a link below it."""
    context = {"headings": headings, "rows": list(rows), "empty": empty, "more": more}
    return Section(title, render_to_string("admin/desk/table.html", context), note)


def columns(title: Any, sections: Iterable[Section], *, note: Any = "") -> Section:
    """Sections one below the other as one, each under its own title."""
    return Section(title, render_to_string("admin/desk/parts.html", {"parts": list(sections)}), note)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened to what a page is about: when, what, who did it (none for a program), and why."""

    at: datetime
    what: Any
    by: Any = None
    why: Any = ""


HAPPENINGS_SHOWN = 20


def facts(title: Any, pairs: Iterable[tuple[Any, Any]]) -> Section:
    """A section of names and values."""
    return Section(title, render_to_string("admin/desk/facts.html", {"pairs": list(pairs)}))


def link_to(row: Model | None, text: Any = None) -> Any:
    """The row's name as a link to its page in the desk, plain where it has none, a dash for none."""
    if row is None:
        return "-"
    name = row if text is None else text
    try:
        url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[quote(row.pk)])
    except NoReverseMatch:
        return str(name)
    return format_html('<a class="desk-link" href="{}">{}</a>', url, name)


def link_where_open(request: HttpRequest, row: Model | None, text: Any = None) -> Any:
    """As ``link_to``, and plain for whoever may not look at such pages. That the row itself is theirs is not asked."""
    desk = None if row is None else admin.site._registry.get(type(row))
    if row is not None and (desk is None or not desk.has_view_permission(request)):
        return str(row if text is None else text)
    return link_to(row, text)


def number(value: int | None) -> str:
    """``1,234,567``, and a dash for what is not known: unknown is never 0."""
    return "-" if value is None else f"{value:,}"


class Colours(dict[str, str]):
    """Colours of a column of states. One without a colour is shown in its words: of a plain dictionary that does not
    name it, the theme would show the raw value.
    """

    def __missing__(self, state: str) -> str:
        return ""


# --- What a higher room offers on every list --------------------------------------------------------------------------


@dataclass(frozen=True)
class ListTool:
    """Something that can be done with any list: a button above it, and an action on its chosen rows.

    ``view`` gets the desk and the request at the list's address + ``name``, with the list's own query; ``chosen`` gets
    the chosen rows as well. Whoever may look at the list is offered it.
    """

    name: str
    label: Any
    label_of_chosen: Any
    icon: str
    view: Callable[["ScopedAdmin", HttpRequest], Any]
    chosen: Callable[["ScopedAdmin", HttpRequest, QuerySet], Any]


_LIST_TOOLS: dict[str, ListTool] = {}


def offer_on_every_list(tool: ListTool) -> None:
    """Put a tool on every list of the desk; to be called when its room is loaded, before addresses are."""
    _LIST_TOOLS[tool.name] = tool


# --- What higher rooms add to the pages of lower ones -----------------------------------------------------------------


@dataclass
class Extension:
    """What one model's list and pages have beside what their own room gives them."""

    columns: list[Callable[[Any], Any]] = field(default_factory=list)
    list_rows: list[Callable[[QuerySet], QuerySet]] = field(default_factory=list)
    filters: list[Any] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    inlines: list[Any] = field(default_factory=list)
    exported: list[Exported] = field(default_factory=list)
    sections: list[Callable[[HttpRequest, Any], Section | None]] = field(default_factory=list)
    # What happened to a row as far as the room knows, the newest of it: at most HAPPENINGS_SHOWN.
    happenings: list[Callable[[HttpRequest, Any], Iterable[Happening]]] = field(default_factory=list)
    media: list[forms.Media] = field(default_factory=list)  # of the sections


_EXTENSIONS: dict[type[Model], Extension] = {}
_NOTHING = Extension()


def extend_desk(model: type[Model], **additions: Iterable) -> None:
    """Add to the list and pages of a lower room's model: the keywords are the fields of ``Extension``.

    The lower room need not know who adds: a trainee's page shows awards, and ``trainees`` knows of no award.
    """
    extension = _EXTENSIONS.setdefault(model, Extension())
    for name, items in additions.items():
        getattr(extension, name)[:0] = items  # the highest room is loaded first and comes last on the page


# --- Admin classes ----------------------------------------------------------------------------------------------------


class ScopedAdmin(ScopedFields, ModelAdmin):
    """A list and its pages, scoped to the person who looks."""

    is_reference = False  # rows of no region, that everybody with the permission may see
    may_add = True
    may_edit = True  # where not, a page is looked at and its moves are made
    may_delete = False  # people, ledgers, awards and whatever hangs on them are never deleted
    is_long = False  # too many rows for a drop-down (filters on it are search fields), and too many to count
    exported: Sequence[Exported] = ()  # columns of the list's files, beside those of the list or in place of them
    not_exported: Sequence[str] = ()  # columns of the list that say nothing in a file: buttons, bars
    names_nobody = False  # files of the list tell of no person, so that taking one need not be recorded
    moves: Sequence[Move] = ()
    sections: Sequence[Callable[[HttpRequest, Any], Section | None]] = ()
    has_contents = False  # so many sections that a line of links to them stands on top
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_filter_submit = True
    list_per_page = 50
    change_form_template = "admin/desk/change_form.html"

    @property
    def extension(self) -> Extension:
        return _EXTENSIONS.get(self.model, _NOTHING)

    @property
    def all_moves(self) -> list[Move]:
        return [*self.moves, *self.extension.moves]

    @property
    def all_exported(self) -> list[Exported]:
        return [*self.exported, *self.extension.exported]

    def rows_to_export(self, rows: QuerySet) -> QuerySet:
        """What only the list's files need of its rows."""
        return rows

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = visible_rows(self.model, request.user, is_reference=self.is_reference)
        if self.list_select_related:
            rows = rows.select_related(*self.list_select_related)  # type: ignore[misc]
        if self._is_list(request):
            rows = self.list_rows(rows)
            for add in self.extension.list_rows:
                rows = add(rows)
        return rows.order_by(*(self.get_ordering(request) or self.model._meta.ordering))

    def get_paginator(self, request: HttpRequest, queryset: QuerySet, per_page: int, *args: Any, **kw: Any) -> Any:
        if not self.is_long:
            return super().get_paginator(request, queryset, per_page, *args, **kw)
        return LongPaginator(queryset, per_page, *args, rows=self.get_queryset(request), **kw)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return LongChangeList if self.is_long else DeskChangeList

    def list_rows(self, rows: QuerySet) -> QuerySet:
        """What only the list needs: annotations and prefetches of its columns."""
        return rows

    def _is_list(self, request: HttpRequest) -> bool:
        match = request.resolver_match
        return match is not None and match.url_name == f"{self.opts.app_label}_{self.opts.model_name}_changelist"

    def get_list_display(self, request: HttpRequest) -> list:
        return [*super().get_list_display(request), *self.extension.columns]

    def get_inlines(self, request: HttpRequest, obj: Any) -> list:
        return [*super().get_inlines(request, obj), *self.extension.inlines]

    def get_list_filter(self, request: HttpRequest) -> list:
        return [self._scoped_filter(item) for item in (*super().get_list_filter(request), *self.extension.filters)]

    def _scoped_filter(self, item: Any) -> Any:
        """Field names become filters that offer visible rows only."""
        if not isinstance(item, str):
            return item
        target = get_fields_from_path(self.model, item)[-1]
        if target.is_relation:
            own = self.admin_site._registry.get(target.related_model)
            return (item, ScopedSearchFilter if getattr(own, "is_long", False) else ScopedRelatedFilter)
        if target.choices:
            return (item, ChoicesDropdownFilter)
        return (item, BooleanRadioFilter) if isinstance(target, BooleanField) else item

    # Permissions

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may_add and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_edit and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_delete and super().has_delete_permission(request, obj)

    def may_move(self, request: HttpRequest, move: Move) -> bool:
        permission = move.permission or f"{self.opts.app_label}.change_{self.opts.model_name}"
        return request.user.has_perm(permission)

    # Forms whose service may refuse

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        """As ever; when a service refuses what was entered, the form comes back filled, with the sentence on top."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except RuleBroken as refusal:
            request.refusal = str(refusal)  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Only what was changed is written: a form open for an hour must not put back what services wrote since."""
        if not change:
            return super().save_model(request, obj, form, change)
        names = {field.name for field in self.opts.concrete_fields}
        obj.save(update_fields=[name for name in form.changed_data if name in names])
        return None

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        sentence = getattr(request, "refusal", None)
        return _refused(form, sentence) if sentence else form

    # Moves on lists

    @admin.display(description=ModelAdmin.action_checkbox.short_description)
    def action_checkbox(self, obj: Model) -> SafeString:
        """The theme's own, rendered once: fifty of them through their template took a tenth of a list's time."""
        return SafeString(_checkbox(get_language()).replace(OF_ROW, escape(obj.pk)))

    def get_actions(self, request: HttpRequest) -> dict:
        actions = super().get_actions(request)
        if IS_POPUP_VAR in request.GET:
            return actions
        for move in self.all_moves:
            if self.may_move(request, move):
                actions[move.name] = (_action(move), move.name, move.label)
        for tool in _LIST_TOOLS.values():
            actions[tool.name] = (tool.chosen, tool.name, tool.label_of_chosen)
        return actions

    def _move_chosen(self, request: HttpRequest, move: Move, rows: QuerySet) -> HttpResponse | None:
        confirmed = "confirmed" in request.POST
        form = move.form(request.POST if confirmed else None, request=request)
        if move.asks and not (confirmed and form.is_valid()):
            return self._ask(request, move, form, list(rows[: REFUSALS_SHOWN + 1]), rows)
        self._carry_out(request, move, list(rows), form.cleaned_data if move.asks else {})
        return None

    def _ask(
        self, request: HttpRequest, move: Move, form: forms.Form, rows: list, chosen: QuerySet | None = None
    ) -> HttpResponse:
        """The page between: what was chosen, and the move's questions. It posts to where it came from."""
        context = {
            **self.admin_site.each_context(request),
            "title": move.label,
            "move": move,
            "form": form,
            "media": self.media + form.media,
            "rows": rows[:REFUSALS_SHOWN],
            "about": self.about_move(request, move, rows[:REFUSALS_SHOWN]),
            "more": chosen.count() - REFUSALS_SHOWN if chosen is not None and len(rows) > REFUSALS_SHOWN else 0,
            "action": request.get_full_path(),
            "chosen": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "select_across": request.POST.get("select_across", "0"),
            "checkbox_name": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/desk/ask.html", context)

    def about_move(self, request: HttpRequest, move: Move, rows: list) -> SafeString:
        """What must be known before the move is made; shown on the page between."""
        return SafeString("")

    def _carry_out(self, request: HttpRequest, move: Move, rows: list, answers: dict[str, Any]) -> None:
        """Make the move for each row, telling every refusal and how many were made."""
        done, refusals = self._make(request, move, rows, answers)
        for sentence in refusals[:REFUSALS_SHOWN]:
            messages.error(request, sentence)
        if len(refusals) > REFUSALS_SHOWN:
            hidden = len(refusals) - REFUSALS_SHOWN
            messages.error(request, _("And %(count)s more refusals.") % {"count": hidden})
        if done:
            sentence = ngettext("%(move)s: %(count)s row.", "%(move)s: %(count)s rows.", done)
            messages.success(request, sentence % {"move": move.label, "count": done})

    def _make(self, request: HttpRequest, move: Move, rows: list, answers: dict[str, Any]) -> tuple[int, list[str]]:
        done, refusals = 0, []
        for subject in [rows] if move.together else rows:
            try:
                with transaction.atomic():
                    move.do(subject, by=request.user, **answers)
            except RuleBroken as refusal:
                refusals.append(str(refusal) if len(rows) == 1 or move.together else f"{subject}: {refusal}")
                continue
            for row in rows if move.together else [subject]:
                self.log_change(request, row, str(move.label))
                done += 1
        return done, refusals

    # Tools of lists

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        tools = [] if IS_POPUP_VAR in request.GET else [(t, self.tool_url(t.name)) for t in _LIST_TOOLS.values()]
        return super().changelist_view(request, {"list_tools": tools, **(extra_context or {})})

    def tool_url(self, name: str) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}")

    def tool_view(self, request: HttpRequest, name: str) -> Any:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return _LIST_TOOLS[name].view(self, request)

    # Moves on pages

    def get_urls(self) -> list:
        info = f"{self.opts.app_label}_{self.opts.model_name}"
        view, tool_view = self.admin_site.admin_view(self.move_view), self.admin_site.admin_view(self.tool_view)
        tools = [path(f"{name}/", tool_view, {"name": name}, name=f"{info}_{name}") for name in _LIST_TOOLS]
        return [path("<path:object_id>/move/<slug:name>/", view, name=f"{info}_move"), *tools, *super().get_urls()]

    def move_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Make one move of one row: at once when posted with good answers, else ask."""
        row = self.get_object(request, unquote(object_id))
        if row is None or not self.has_view_permission(request, row):
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        move = next((move for move in self.all_moves if move.name == name), None)
        if move is None or not self.may_move(request, move):
            raise PermissionDenied
        form = move.form(request.POST if request.method == "POST" else None, request=request)
        if not form.is_valid():
            return self._ask(request, move, form, [row])
        self._carry_out(request, move, [row], form.cleaned_data)
        page = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[quote(row.pk)])
        return HttpResponseRedirect(page)

    def get_sections(self, request: HttpRequest, obj: Any) -> list[Section]:
        """Read-only parts of the page below its fields: this room's own, then those of higher rooms."""
        found = [section(request, obj) for section in (*self.sections, *self.extension.sections)]
        return [section for section in found if section is not None]

    def happenings(self, request: HttpRequest, obj: Any) -> list[Happening]:
        """What the higher rooms know to have happened, the newest first."""
        found = [happening for tell in self.extension.happenings for happening in tell(request, obj)]
        return sorted(found, key=lambda happening: happening.at, reverse=True)[:HAPPENINGS_SHOWN]

    @property
    def media(self) -> forms.Media:
        return sum(self.extension.media, super().media)

    def render_change_form(self, request: HttpRequest, context: dict, *args: Any, obj: Any = None, **kw: Any) -> Any:
        if obj is not None:
            context["moves"] = [
                (move, move.form(request=request, prefix=None, auto_id=f"{move.name}_%s"))
                for move in self.all_moves
                if move.fits(obj) and self.may_move(request, move)
            ]
            context["sections"] = self.get_sections(request, obj)
            context["has_contents"] = self.has_contents
            for move, form in context["moves"]:
                form.why_not = move.why_not(obj, request.user)  # type: ignore[attr-defined]
                context["media"] += form.media
        return super().render_change_form(request, context, *args, obj=obj, **kw)


def _refused(form: type[forms.ModelForm], sentence: str) -> type[forms.ModelForm]:
    """The form again, with the service's refusal as its error."""

    class Refused(form):  # type: ignore[misc, valid-type]
        def clean(self) -> Any:
            super().clean()
            raise ValidationError(sentence)

    return Refused


def adopt(obj: Model, written: Model) -> None:
    """Let the form's unsaved object be the row that a service wrote."""
    obj.pk = written.pk
    obj._state.adding = False
    obj.refresh_from_db()


@cache
def _checkbox(language: str | None) -> str:
    """The checkbox of a row in a language, with OF_ROW where its key belongs."""
    return theme_checkbox.render(ACTION_CHECKBOX_NAME, OF_ROW)


def _action(move: Move) -> Callable[[ScopedAdmin, HttpRequest, QuerySet], HttpResponse | None]:
    def make_move(model_admin: ScopedAdmin, request: HttpRequest, rows: QuerySet) -> HttpResponse | None:
        return model_admin._move_chosen(request, move, rows)

    return make_move


class ReadOnlyAdmin(ScopedAdmin):
    """A list to look at: nothing is added, edited or deleted."""

    may_add = may_edit = False


class ScopedInline(ScopedFields, TabularInline):
    """Rows below a page. ``is_part_of_parent``: they have no region of their own; whoever sees the parent sees them."""

    is_part_of_parent = False
    extra = 0
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = visible_rows(self.model, request.user, is_reference=self.is_part_of_parent)
        return rows if self.has_view_or_change_permission(request) else rows.none()


class ReadOnlyInline(ScopedInline):
    """Rows below a page, to look at."""

    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
