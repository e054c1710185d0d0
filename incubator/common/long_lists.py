"""Lists of a million rows: pages without counting them all, and a filter of days.

A count is exact up to ``EXACT_UP_TO``; beyond that it is the database's estimate, and says so. A page asks for the keys
of its rows first and for nothing else, so that a page far down passes over keys and not over rows.
"""

import json
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any

from django.core.paginator import Page, PageNotAnInteger, Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.utils import parse_date_str

EXACT_UP_TO = 10_000
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
        self._keys = object_list.values("pk")
        self._rows = rows

    @cached_property
    def count(self) -> int:
        keys = self._keys.order_by()
        found: int = keys[: EXACT_UP_TO + 1].count()
        return found if found <= EXACT_UP_TO else Estimate(max(found, estimated_rows(keys)))

    def validate_number(self, number: Any) -> int:
        if not isinstance(self.count, Estimate):
            return super().validate_number(number)
        try:
            return max(1, min(int(number), 2 * self.num_pages))  # an estimate is seldom wrong by half
        except (TypeError, ValueError):
            raise PageNotAnInteger(_("That page number is not an integer")) from None

    def page(self, number: Any) -> Page:
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        found = self._rows_of(self._keys[first : first + self.per_page])
        if not found and number > 1:
            found = self._rows_of(self._keys.reverse()[: self.per_page])
        return Page(found, number, self)

    def _rows_of(self, keys: QuerySet) -> list[Model]:
        """The rows of a page's keys, in one statement, in the order of the list."""
        ordering = self.object_list.query.order_by or self.object_list.model._meta.ordering
        return list(self._rows.filter(pk__in=keys).order_by(*ordering))


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
