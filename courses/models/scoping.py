"""Who sees which class: by region as everywhere, and the staff of a training institution their institution's own."""

from typing import Any, Self

from django.db.models import Q
from django.utils import timezone

from incubator.accounts.models import posted_q
from incubator.regions.scoping import RegionScopedQuerySet, in_scope_q, scope_of


def institutions_of(user: Any) -> list[int]:
    """The institutions a user is posted to today; read once per instance, that is once per request."""
    from courses.models.classes import InstitutionPosting

    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return []
    kept: list[int] | None = user.__dict__.get("_institutions")
    if kept is None:
        found = InstitutionPosting.objects.filter(posted_q(timezone.localdate()), user=user)
        kept = user.__dict__["_institutions"] = list(found.values_list("institution_id", flat=True))
    return kept


class ClassScopedQuerySet(RegionScopedQuerySet):
    """Rows of a class: ``region_path`` as everywhere, ``class_path`` leads to the class (empty: the row is one)."""

    class_path = ""

    def visible_to(self, user: Any) -> Self:
        scope = scope_of(user)
        seen = in_scope_q(scope, self.region_path)
        if not scope.everything and (own := institutions_of(user)):
            prefix = f"{self.class_path}__" if self.class_path else ""
            seen |= Q(**{f"{prefix}institution__in": own})
        return self.filter(seen)
