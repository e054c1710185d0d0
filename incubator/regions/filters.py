"""A filter by region for lists of the staff desk."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from incubator.common.desk import ScopedSearchFilter
from incubator.regions.models import Region
from incubator.regions.scoping import scope_of


class RegionFilter(ScopedSearchFilter):
    """Rows of a county, or of all counties of a prefecture or province: one search field for the three levels.

    Stands on the foreign key to the county. Whatever code is asked for, the list shows no row that it would not show
    without the filter.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("region (county, prefecture or province)")

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        code = self.value()
        if not code:
            return queryset
        return queryset.filter(**{f"{self.field_path}__in": _counties_of(code)})


def _counties_of(code: str) -> list[str]:
    """Codes of the divisions in a region, its own among them."""
    inside = Q(pk=code) | Q(prefecture=code) | Q(province=code)
    return list(Region.objects.filter(inside).values_list("pk", flat=True))


def is_narrow(request: HttpRequest) -> bool:
    """Whether a list shows some regions only, because of who looks or of what is asked for."""
    asked = any(name.endswith("county__code__exact") for name in request.GET)
    return asked or not scope_of(request.user).everything
