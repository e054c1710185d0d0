"""Told to the charts of followers: when traffic was given, and how much."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from incubator.common.charts import Mark
from incubator.grants.choices import GrantState
from incubator.grants.models import Grant
from incubator.metrics.marks import tells_marks


@tells_marks
def approved_grants(trainee_id: int, user: Any) -> Iterator[Mark]:
    """Approved grants of a trainee, on the day of their approval."""
    if not user.has_perm("grants.view_grant"):
        return
    given = Grant.objects.visible_to(user).filter(participation__trainee=trainee_id, state=GrantState.APPROVED)
    for grant in given.exclude(approved_on=None):
        label = _("%(level)s, %(count)s impressions") % {
            "level": grant.get_level_display(),
            "count": f"{grant.impressions:,}",
        }
        yield Mark(grant.approved_on, None, label, "grant", _("Grant"))  # type: ignore[arg-type]
