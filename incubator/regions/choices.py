"""Closed lists of the regions room."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Level(models.TextChoices):
    PROVINCE = "province", _("province")
    PREFECTURE = "prefecture", _("prefecture")
    COUNTY = "county", _("county")


class KeyCountyStatus(models.TextChoices):
    """How well the selection as a key county is sourced; ``checked`` is set by staff against the notice's annex."""

    TWO_SOURCES = "two_sources", _("two sources")
    ONE_SOURCE = "one_source", _("one source")
    UNVERIFIED = "unverified", _("unverified")
    CHECKED = "checked", _("checked against the notice")
