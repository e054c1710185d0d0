"""What a rule can ask for, states of a candidate, and what an award is worth today."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class CandidateState(models.TextChoices):
    """HOLDING waits for the days that the rule asks to be held; LAPSED met the rule until a figure was corrected."""

    HOLDING = "holding", _("holding the number")
    PENDING = "pending", _("to be reviewed")
    ASKED = "asked", _("asked back")
    PROPOSED = "proposed", _("proposed, a second person decides")
    APPROVED = "approved", _("approved")
    REFUSED = "refused", _("refused")
    LAPSED = "lapsed", _("no longer meets the rule")


OPEN = (CandidateState.HOLDING, CandidateState.PENDING, CandidateState.ASKED, CandidateState.PROPOSED)
IN_REVIEW = (CandidateState.PENDING, CandidateState.ASKED, CandidateState.PROPOSED)
DECIDED = (CandidateState.APPROVED, CandidateState.REFUSED)


class AwardStanding(models.TextChoices):
    """What anybody may know about an award; never stored, always computed for a day."""

    VALID = "valid", _("valid")
    EXPIRED = "expired", _("expired")
    WITHDRAWN = "withdrawn", _("withdrawn")


class ConditionKind(models.TextChoices):
    """What a rule can ask for."""

    GRADUATED = "graduated", _("graduated")
    FOLLOWERS = "followers", _("followers")
    CLASS_HOURS = "class_hours", _("class hours")
    PUBLISHED = "published", _("published works")
    NO_OPEN_FLAG = "no_open_flag", _("no open question")


class Window(models.TextChoices):
    """The days on which followers count."""

    SUPPORT = "support", _("support period")
    COHORT = "cohort", _("days of the cohort")
    EVER = "ever", _("any day")


class FlagKind(models.TextChoices):
    """Why somebody should look at the followers of an account before a badge is given."""

    INFLATION = "inflation", _("followers leapt, and no traffic explains it")
    REGRESSION = "regression", _("fell below the number again")
    REPORTED = "reported", _("reported by a person")


class NearMissKind(models.TextChoices):
    """How somebody missed a number in a way that a person should look at."""

    UNREAD = "unread", _("not read around the last day, and at the number soon after")
    CLOSE = "close", _("close to the number on the last day")
