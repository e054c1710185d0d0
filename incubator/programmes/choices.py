"""States of a participation, and which moves are allowed."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class ParticipationState(models.TextChoices):
    NOMINATED = "nominated", _("nominated")
    ADMITTED = "admitted", _("admitted")
    TRAINING = "training", _("in training")
    GRADUATED = "graduated", _("graduated")
    CONCLUDED = "concluded", _("concluded")
    WITHDRAWN = "withdrawn", pgettext_lazy("participation", "withdrawn")
    REFUSED = "refused", _("refused")


class Weight(models.TextChoices):
    """What it means for a roster when a row does not keep a condition of the cohort."""

    IGNORE = "ignore", _("no matter")
    WARN = "warn", _("a warning")
    REFUSE = "refuse", _("an error")


class ChangeKind(models.TextChoices):
    """What a row of the support period's history did."""

    EXTENSION = "extension", _("extension")
    PAUSE = "pause", pgettext_lazy("support period", "pause")
    RESUMPTION = "resumption", _("end of a pause")
    TAKING_BACK = "taking_back", _("taking back")


class Cause(models.TextChoices):
    """Why a support period is lengthened or stands still."""

    ILLNESS = "illness", _("illness")
    SUSPENDED = "suspended", _("account suspended by the platform")
    OTHER = "other", pgettext_lazy("cause", "other")


class SupportReminderEnd(models.TextChoices):
    """Why a reminder of the end is not open any more."""

    NEXT = "next", _("the next reminder fell due")
    MOVED = "moved", _("the end was moved")
    PAUSED = "paused", _("the period is paused")
    SETTLED = "settled", _("certified")
    ENDED = "ended", _("the participation ended")
    OVER = "over", _("the period is over")


S = ParticipationState
MOVES: dict[str, frozenset[str]] = {
    S.NOMINATED: frozenset({S.ADMITTED, S.REFUSED, S.WITHDRAWN}),
    S.ADMITTED: frozenset({S.TRAINING, S.WITHDRAWN}),
    S.TRAINING: frozenset({S.GRADUATED, S.WITHDRAWN}),
    S.GRADUATED: frozenset({S.CONCLUDED, S.WITHDRAWN, S.TRAINING}),
    S.CONCLUDED: frozenset(),
    S.WITHDRAWN: frozenset(),
    S.REFUSED: frozenset(),
}
