"""Which rows an export has: those of the list, as the person who asks sees it with these filters.

The list itself is asked: the same admin, the same filters, the same search. Nothing here decides who sees what.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib.admin.filters import ListFilter, RelatedFieldListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import PAGE_VAR
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.urls import resolve, reverse
from django.utils.translation import gettext as _

from incubator.common.desk import ScopedAdmin
from incubator.common.errors import RuleBroken

LONG_NUMBER = 7  # digits from which a search text may be a phone or an ID number


class ListRequest(HttpRequest):
    """The list's page as ``user`` would open it, from a worker or from another page."""

    def __init__(self, desk: ScopedAdmin, user: Any, query: str) -> None:
        super().__init__()
        self.method = "GET"
        self.user = user
        self.path = self.path_info = reverse(f"admin:{desk.opts.app_label}_{desk.opts.model_name}_changelist")
        self.resolver_match = resolve(self.path)
        wanted = QueryDict(query, mutable=True)
        wanted.pop(PAGE_VAR, None)
        wanted.pop("_changelist_filters", None)
        self.GET = wanted  # type: ignore[assignment]
        self._messages = _Refusals()


class _Refusals:
    """Where a list would say that it could not understand: an export of something else is not wanted."""

    def add(self, *args: Any, **kwargs: Any) -> None:
        raise RuleBroken(_unclear())


def _unclear() -> str:
    return _("The filters of this list are not understood. Go back to the list and set them again.")


@dataclass(frozen=True)
class ListRows:
    """The rows of a list: all that its query shows, or of those the ``chosen`` primary keys.

    Raises ``RuleBroken`` for a query that the list does not understand.
    """

    desk: ScopedAdmin
    user: Any
    query: str = ""
    chosen: Sequence[str] = ()

    @cached_property
    def request(self) -> ListRequest:
        return ListRequest(self.desk, self.user, self.query)

    @cached_property
    def _changelist(self) -> Any:
        desk, request = self.desk, self.request
        shown = desk.get_list_display(request)
        try:
            return _all_rows(desk.get_changelist(request))(
                request=request,
                model=desk.model,
                list_display=["action_checkbox", *shown],
                list_display_links=desk.get_list_display_links(request, shown),
                list_filter=desk.get_list_filter(request),
                date_hierarchy=desk.date_hierarchy,
                search_fields=desk.get_search_fields(request),
                list_select_related=desk.get_list_select_related(request),
                list_per_page=desk.list_per_page,
                list_max_show_all=desk.list_max_show_all,
                list_editable=(),
                model_admin=desk,
                sortable_by=desk.get_sortable_by(request),
                search_help_text=desk.search_help_text,
            )
        except IncorrectLookupParameters:
            raise RuleBroken(_unclear()) from None

    @property
    def queryset(self) -> QuerySet:
        rows: QuerySet = self.desk.rows_to_export(self._changelist.queryset)
        if not self.chosen:
            return rows
        key = self.desk.model._meta.pk
        return rows.filter(pk__in=[key.to_python(unquote(pk)) for pk in self.chosen])  # type: ignore[union-attr]

    def count_up_to(self, most: int) -> int:
        """How many rows there are, and ``most + 1`` for any number above: a long list is not counted to its end."""
        return self.queryset.order_by()[: most + 1].count()

    def filters(self) -> Iterator[tuple[str, str]]:
        """The list's filters that are set, as name and words; of a search only what may be repeated in a file."""
        for spec in self._changelist.filter_specs:
            if words := _words(self.desk, self.request, spec):
                yield str(spec.title), words
        if text := self._changelist.query.strip():
            is_number = sum(character.isdigit() for character in text) >= LONG_NUMBER
            yield _("Search"), _("a number, not repeated here") if is_number else text
        if self.chosen:
            yield _("Rows"), _("only those that were chosen")


def _all_rows(changelist: type) -> type:
    """A change list that reads nothing by itself: no page, no count."""

    class AllRows(changelist):  # type: ignore[misc, valid-type]
        def get_results(self, request: HttpRequest) -> None:
            """Rows are read by whoever writes them."""

    return AllRows


def _words(desk: ScopedAdmin, request: HttpRequest, spec: ListFilter) -> str:
    value = spec.value() if hasattr(spec, "value") else None  # type: ignore[attr-defined]
    if value in (None, "", []):
        return ""
    if isinstance(spec, RelatedFieldListFilter):
        field: Any = spec.field
        named = desk.related_rows(field.remote_field.model, request).filter(pk=value).first()
        return str(named or "-")
    choices = getattr(spec, "lookup_choices", None) or getattr(getattr(spec, "field", None), "flatchoices", None) or ()
    known = {str(key): words for key, words in choices} or {"1": _("yes"), "0": _("no")}
    return str(known.get(str(value), value))
