"""Who sees which region: the one rule, as a ``Q``. Default deny: no posting, no rows."""

from dataclasses import dataclass
from typing import Any, Self

from django.db import models
from django.db.models import Q

from incubator.regions.choices import Level

NOTHING = Q(pk__in=[])


@dataclass(frozen=True, slots=True)
class RegionScope:
    """The regions a person is posted to today: everything, or codes by level."""

    everything: bool = False
    provinces: frozenset[str] = frozenset()
    prefectures: frozenset[str] = frozenset()
    counties: frozenset[str] = frozenset()

    @classmethod
    def of(cls, regions: "list[tuple[str, str]]") -> "RegionScope":
        """From ``(level, code)`` pairs."""
        by_level: dict[str, set[str]] = {level: set() for level in Level.values}
        for level, code in regions:
            by_level[level].add(code)
        return cls(False, *(frozenset(by_level[level]) for level in (Level.PROVINCE, Level.PREFECTURE, Level.COUNTY)))

    @property
    def is_empty(self) -> bool:
        return not (self.everything or self.provinces or self.prefectures or self.counties)


def in_scope_q(scope: RegionScope, path: str = "") -> Q:
    """Rows whose region (reached over ``path``, e.g. ``"trainee__county"``) lies in ``scope``.

    A person of a prefecture without counties (东莞, 儋州 …) hangs on the prefecture's own row, which names itself as
    its prefecture: so one comparison per level is enough.
    """
    if scope.everything:
        return Q()
    if scope.is_empty:
        return NOTHING
    prefix = f"{path}__" if path else ""
    here = f"{path}_id" if path else "code"
    q = Q()
    if scope.counties:
        q |= Q(**{f"{here}__in": scope.counties})
    if scope.prefectures:
        q |= Q(**{f"{prefix}prefecture_id__in": scope.prefectures})
    if scope.provinces:
        q |= Q(**{f"{prefix}province_id__in": scope.provinces})
    return q


def within_q(region: Any, path: str = "") -> Q:
    """Rows whose region lies in ``region``: that one and what belongs to it."""
    return in_scope_q(RegionScope.of([(region.level, region.pk)]), path)


def scope_of(user: Any) -> RegionScope:
    """The scope of whoever asks: all for an active superuser, the postings of a user, nothing for anybody else."""
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return RegionScope()
    if user.is_superuser:
        return RegionScope(everything=True)
    scope: RegionScope = user.region_scope()
    return scope


class RegionScopedQuerySet(models.QuerySet):
    """A queryset that knows where its rows' region is. ``visible_to`` starts every view, list, count and export."""

    region_path = ""

    def visible_to(self, user: Any) -> Self:
        return self.filter(in_scope_q(scope_of(user), self.region_path))


class WholeCountryQuerySet(models.QuerySet):
    """Rows about the whole country: they count what lies in every region, so only who sees all of it sees them."""

    def visible_to(self, user: Any) -> Self:
        return self if scope_of(user).everything else self.none()
