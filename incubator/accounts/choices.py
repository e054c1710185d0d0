"""Closed lists of the accounts room."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    STAFF = "staff", _("programme staff")
    OFFICIAL = "official", _("official")
    TRAINEE = "trainee", _("trainee")


class StaffGroup(models.TextChoices):
    """Groups every installation has; the value is the group's name in the table."""

    MANAGER = "programme manager", _("programme manager")
    CLERK = "county clerk", _("county clerk")
    CERTIFIER = "certifier", _("certifier")
    VIEWER = "viewer", _("viewer")
    INSTITUTION = "institution staff", _("institution staff")


class AccessKind(models.TextChoices):
    """What somebody did with personal data."""

    REVEAL = "reveal", _("shown in full")
    EXPORT = "export", _("exported")
