"""Asking for a report's workbook."""

import re
from typing import Any

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from incubator.common.errors import RuleBroken
from incubator.jobs.models import Job
from incubator.jobs.services import ask_for_job
from incubator.regions.models import Region
from incubator.regions.scoping import scope_of
from incubator.reports.periods import Period

COUNTRY = "all"
CODE = re.compile(rf"{COUNTRY}|[0-9]{{6}}")


def region_for(code: str, *, user: Any) -> Region | None:
    """The region of a report's address: None is the whole country. Raises ``Region.DoesNotExist`` for what the user may
    not see, as for what is not there."""
    if not CODE.fullmatch(code):
        raise Region.DoesNotExist
    if code == COUNTRY:
        if not scope_of(user).everything:
            raise Region.DoesNotExist
        return None
    return Region.objects.visible_to(user).select_related("province", "prefecture").get(code=code)


def request_county_report(region: Region | None, period: Period, *, by: Any) -> Job:
    """Ask for the workbook; asked again while it is made, it is the same job. Raises ``RuleBroken`` out of scope."""
    code, language = region.code if region else COUNTRY, get_language() or settings.LANGUAGE_CODE
    try:
        region_for(code, user=by)
    except Region.DoesNotExist:
        raise RuleBroken(_("You can open the reports of your own region only.")) from None
    name = region.name if region else _("The whole country")
    return ask_for_job(
        "county_report",
        key=f"{code}:{period.code}:{by.pk}:{language}",
        title=_("County report %(region)s, %(period)s") % {"region": name, "period": period.label},
        by=by,
        region=code,
        period=period.code,
        language=language,
    )
