"""Closed lists of this room."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class CeremonyOrder(models.TextChoices):
    """In what order the certificates of a ceremony lie on the table."""

    COUNTY = "county", _("by county, then by name")
    NAME = "name", _("by name")
    NUMBER = "number", _("by certificate number")


class Obstacle(models.TextChoices):
    """Why no certificate is printed of an award."""

    WITHDRAWN = "withdrawn", _("withdrawn")
    EXPIRED = "expired", _("expired")
    GLYPHS = "glyphs", _("characters that cannot be printed")
