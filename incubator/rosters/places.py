"""The counties and townships that a template offers."""

from collections import Counter
from typing import Any

from django.db.models import Q

from incubator.regions.choices import Level
from incubator.regions.models import Region
from trainees.models import Trainee

MOST_TOWNSHIPS = 100  # a county has twenty or so; more would be spellings of the same
TOWNSHIP_ENDS = ("镇", "乡", "街道", "苏木", "办事处", "区", "场")


def county_names(region: Region) -> list[str]:
    """What may stand in the county column of a roster of ``region``; equal names carry their path in front."""
    inside = Q(pk=region.pk) | Q(prefecture=region) | Q(province=region)
    found = list(
        Region.objects.with_people().current().filter(inside).select_related("province", "prefecture").order_by("code")
    )
    times = Counter(county.name for county in found)
    return [c.name if times[c.name] == 1 else c.path_name.replace(" ", "") for c in found]


def township_names(region: Region, *, by: Any) -> list[str]:
    """Townships known from the county's people whom ``by`` may see; none for a larger region."""
    if region.level != Level.COUNTY:
        return []
    people = Trainee.objects.visible_to(by).filter(county=region)
    names = people.order_by("township").values_list("township", flat=True).distinct()[:MOST_TOWNSHIPS]
    return [name for name in names if name.endswith(TOWNSHIP_ENDS)]
