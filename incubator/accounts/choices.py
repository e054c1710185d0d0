"""Closed lists of the accounts room."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    STAFF = "staff", _("programme staff")
    OFFICIAL = "official", _("official")
    TRAINEE = "trainee", _("trainee")
