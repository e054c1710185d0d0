"""Closed lists of the metrics room."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Platform(models.TextChoices):
    KUAISHOU = "kuaishou", _("Kuaishou")


class AccountState(models.TextChoices):
    UNLINKED = "unlinked", _("not connected")
    LINKED = "linked", _("connected")
    NEEDS_CONSENT = "needs_consent", _("needs consent again")
    GONE = "gone", _("not found on the platform")


class Source(models.TextChoices):
    """Where a figure comes from. One told by the platform beats one from a file."""

    API = "api", _("platform interface")
    FILE = "file", _("file of figures")


class Failure(models.TextChoices):
    """Why an account got no reading in a run; the platform errors fall in these classes."""

    TRANSIENT = "transient", _("platform did not answer")
    RATE_LIMITED = "rate_limited", _("too many calls a second")
    QUOTA_SPENT = "quota_spent", _("calls of the day used up")
    REAUTHORISE = "reauthorise", _("needs consent again")
    GONE = "gone", _("not found on the platform")
    BAD_ANSWER = "bad_answer", _("answer without a usable figure")
    OTHER_DAY = "other_day", _("the platform's day is another one")
    MISCONFIGURED = "misconfigured", _("wrong settings for the platform")
