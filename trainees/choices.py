"""Closed lists of the trainees room."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Sex(models.TextChoices):
    MALE = "male", _("male")
    FEMALE = "female", _("female")


class LookAlike(models.TextChoices):
    """Why two people look like one."""

    PHONE = "phone", _("same mobile")
    ACCOUNT = "account", _("same account")
    NAME = "name", _("same name, county and date of birth")
    STAFF = "staff", _("named by staff")


class Background(models.TextChoices):
    """Whom the programme looks for (DESIGN: rural founders, returning graduates, recorders, village cadres)."""

    FOUNDER = "founder", _("rural founder")
    GRADUATE = "graduate", _("returning graduate")
    RECORDER = "recorder", _("recorder of village life")
    CADRE = "cadre", _("village cadre")
    OTHER = "other", _("other")


class ChangeKind(models.TextChoices):
    """By what way something about a person was changed."""

    ENTERED = "entered", _("entered")
    EDITED = "edited", _("edited by hand")
    IMPORTED = "imported", _("changed by a roster")
    UNDONE = "undone", _("roster taken back")
    MERGED = "merged", _("merged with another person")
    SEPARATED = "separated", _("merge taken back")
