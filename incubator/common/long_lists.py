"""Lists of a million rows: pages without counting or sorting them all, and a filter of days.

Of a list up to ``EXACT_UP_TO`` rows the keys are read once: their number is the count, and pages are cut from them
here. The database is not asked for an ordered page of few rows, because it may look for them in the order of the list,
through everybody who is not in it. Of a longer list the count is the planner's estimate, and says so; its pages come
from an index in the order of the list.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from functools import cached_property
from operator import itemgetter
from typing import Any

from django.core.paginator import Page, PageNotAnInteger, Paginator
from django.db import connection, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.utils import parse_date_str

from incubator.common.change_lists import DeskChangeList

EXACT_UP_TO = 3_000
SIGNIFICANT = 3  # digits of an estimate that are shown


class Estimate(int):
    """About so many: the number is an estimate, and is written as one."""

    def __str__(self) -> str:
        step = 10 ** max(0, len(f"{int(self)}") - SIGNIFICANT)
        return _("about %(count)s") % {"count": f"{round(self / step) * step:,}"}


class LongPaginator(Paginator):
    """Pages of ``object_list``, whose rows are fetched from ``rows``: the same rows without filters and search.

    Where the count is an estimate, a page behind the end shows the last rows there are.
    """

    object_list: QuerySet[Any]

    def __init__(self, object_list: QuerySet, per_page: int, *args: Any, rows: QuerySet, **kwargs: Any) -> None:
        super().__init__(object_list, per_page, *args, **kwargs)
        self._keys = object_list.values_list("pk", flat=True)
        self._rows = rows
        names = object_list.query.order_by or object_list.model._meta.ordering
        self._ordering = list(dict.fromkeys(str(name) for name in names))

    @cached_property
    def count(self) -> int:
        if len(self._first) <= EXACT_UP_TO:
            return len(self._first)
        return Estimate(max(len(self._first), estimated_rows(self._keys.order_by())))

    @cached_property
    def _first(self) -> list[tuple]:
        """Keys of the first rows that come, in no order, each with the values the list is ordered by where it can be
        ordered by them here."""
        columns = [name.removeprefix("-") for name in self._ordering] if self._is_sortable else []
        return list(self.object_list.order_by().values_list("pk", *columns)[: EXACT_UP_TO + 1])

    @property
    def _is_sortable(self) -> bool:
        """Ordered by columns of its own that always have a value."""
        own = {field.name: field for field in self.object_list.model._meta.concrete_fields}
        names = [name.removeprefix("-") for name in self._ordering]
        return all(name == "pk" or (name in own and not own[name].null and not own[name].is_relation) for name in names)

    def validate_number(self, number: Any) -> int:
        if not isinstance(self.count, Estimate):
            return super().validate_number(number)
        try:
            return max(1, min(int(number), 2 * self.num_pages))  # an estimate is seldom wrong by half
        except (TypeError, ValueError):
            raise PageNotAnInteger(_("That page number is not an integer")) from None

    def page(self, number: Any) -> Page:
        number = self.validate_number(number)
        return Page(self._rows_of(self._keys_of(number)), number, self)

    def everything(self) -> list[Any]:
        """All rows of a list that is short enough to be shown as one page."""
        return self._rows_of(self._sorted if self._is_sortable else list(self._keys))

    def _rows_of(self, keys: list[Any]) -> list[Any]:
        found = self._rows.in_bulk(keys)
        return [found[key] for key in keys if key in found]

    def _keys_of(self, number: int) -> list[Any]:
        first, after = (number - 1) * self.per_page, number * self.per_page
        if not isinstance(self.count, Estimate):
            return self._sorted[first:after] if self._is_sortable else list(self._keys[first:after])
        with _row_by_row():
            found = list(self._keys[first:after])
            return found or list(self._keys.reverse()[: self.per_page])[::-1]

    @cached_property
    def _sorted(self) -> list[Any]:
        rows = list(self._first)
        for column, name in reversed(list(enumerate(self._ordering, start=1))):
            rows.sort(key=itemgetter(column), reverse=name.startswith("-"))
        return [row[0] for row in rows]


@contextmanager
def _row_by_row() -> Iterator[None]:
    """Joins that keep the order of an index and can stop early: the planner does not know that those of an old cohort
    are all at the end of the list, and would merge or hash its way through everybody before them."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('enable_mergejoin', 'off', true), set_config('enable_hashjoin', 'off', true)")
        yield
        cursor.execute("SELECT set_config('enable_mergejoin', 'on', true), set_config('enable_hashjoin', 'on', true)")


class LongChangeList(DeskChangeList):
    """Takes its rows from the paginator also when they are one page."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if isinstance(self.paginator, LongPaginator) and not isinstance(self.result_list, list):
            self.result_list = self.paginator.everything()


def estimated_rows(rows: QuerySet) -> int:
    """How many rows the planner expects; reads none."""
    [plan] = json.loads(rows.explain(format="json"))
    return int(plan["Plan"]["Plan Rows"])


class DaysFilter(RangeDateFilter):
    """Rows whose instant lies on the days from one until another, both included, by the clock of China."""

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet | None:
        since, until = (self._day(end) for end in ("from", "to"))
        limits: dict[str, datetime] = {}
        if since:
            limits[f"{self.field_path}__gte"] = _beginning(since)
        if until and until < date.max:
            limits[f"{self.field_path}__lt"] = _beginning(until + timedelta(days=1))
        return queryset.filter(**limits)

    def _day(self, end: str) -> date | None:
        """A day that is none is as good as empty; the field beside it says so."""
        return parse_date_str(self.used_parameters.get(f"{self.parameter_name}_{end}", ""))


def _beginning(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
