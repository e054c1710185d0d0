"""Closed lists of the metrics room."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Platform(models.TextChoices):
    KUAISHOU = "kuaishou", _("Kuaishou")
    DOUYIN = "douyin", _("Douyin")


class AccountState(models.TextChoices):
    UNLINKED = "unlinked", _("not connected")
    LINKED = "linked", _("connected")
    NEEDS_CONSENT = "needs_consent", _("needs consent again")
    WITHDRAWN = "withdrawn", _("consent withdrawn")
    GONE = "gone", _("not found on the platform")


# There is, or was until the platform said otherwise, a consent: it can be withdrawn.
CONSENTED = (AccountState.LINKED, AccountState.NEEDS_CONSENT, AccountState.GONE)


class ConsentAct(models.TextChoices):
    """What happened to a consent."""

    GRANTED = "granted", _("consent given")
    RENEWED = "renewed", _("consent renewed")
    WITHDRAWN = "withdrawn", _("consent withdrawn")
    LOST = "lost", _("consent lost")


class ConsentReason(models.TextChoices):
    """Why a consent was lost; or what was odd about a renewal."""

    OVER = "over", _("its time was over")
    REVOKED = "revoked", _("withdrawn on the platform")
    KEY = "key", _("the platform does not accept our key any more")
    OTHER_ACCOUNT = "other_account", _("for another account of the platform than before")


class ConsentNeed(models.TextChoices):
    """What an account that needs consent is waiting for. The last is part of the one before."""

    NEVER = "never", _("never connected")
    OVER = "over", _("over or revoked")
    WITHDRAWN = "withdrawn", pgettext_lazy("consent", "withdrawn")
    SOON = "soon", _("ends within 30 days")
    URGENT = "urgent", _("ends within 3 days")


class ReminderEnd(models.TextChoices):
    """Why a reminder is not open any more."""

    RENEWED = "renewed", _("consented anew")
    WITHDRAWN = "withdrawn", _("consent withdrawn")
    LOST = "lost", _("consent over or lost")


class Source(models.TextChoices):
    """Where a figure comes from. One told by the platform beats one from a file."""

    API = "api", _("platform interface")
    FILE = "file", _("file of figures")


class Suspicion(models.TextChoices):
    """Why an answer is not taken for a fact: the figure is odd, or there is none that could be one."""

    DROP = "drop", _("fell by half or more")
    RISE = "rise", _("rose tenfold or more")
    MISSING = "missing", _("no figure in the answer")
    NO_NUMBER = "no_number", _("not a whole number")
    NEGATIVE = "negative", _("below zero")
    ABSURD = "absurd", _("larger than can be")


UNUSABLE = (Suspicion.MISSING, Suspicion.NO_NUMBER, Suspicion.NEGATIVE, Suspicion.ABSURD)


class QuarantineState(models.TextChoices):
    OPEN = "open", _("to be looked at")
    ACCEPTED = "accepted", _("accepted")
    REJECTED = "rejected", _("rejected")


class EventKind(models.TextChoices):
    CLEANING = "cleaning", _("followers removed by the platform")


class AlarmKind(models.TextChoices):
    NOT_STARTED = "not_started", _("the refresh did not start")
    NOT_FINISHED = "not_finished", _("the refresh is not finished")
    COVERAGE = "coverage", _("too few accounts were read lately")
    OLDEST = "oldest", _("an account was not read for too long")
    PARTITION = "partition", _("a month has no place of its own for readings")
    NOT_AWARDED = "not_awarded", _("people meet a rule, and no evaluation found them")
    UNPROVEN = "unproven", _("awards without evidence")


class Failure(models.TextChoices):
    """Why an account got no reading in a run; the platform errors fall in these classes."""

    TRANSIENT = "transient", _("platform did not answer")
    RATE_LIMITED = "rate_limited", _("too many calls a second")
    QUOTA_SPENT = "quota_spent", _("calls of the day used up")
    ACCOUNT_LIMIT = "account_limit", _("calls of the day for this account used up")
    REAUTHORISE = "reauthorise", _("needs consent again")
    GONE = "gone", _("not found on the platform")
    BAD_ANSWER = "bad_answer", _("answer without a usable figure")
    OTHER_DAY = "other_day", _("the platform's day is another one")
    MISCONFIGURED = "misconfigured", _("wrong settings for the platform")
