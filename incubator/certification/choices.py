"""States of a candidate, and what an award is worth today."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class CandidateState(models.TextChoices):
    PENDING = "pending", _("to be reviewed")
    APPROVED = "approved", _("approved")
    REFUSED = "refused", _("refused")


class AwardStanding(models.TextChoices):
    """What anybody may know about an award; never stored, always computed for a day."""

    VALID = "valid", _("valid")
    EXPIRED = "expired", _("expired")
    WITHDRAWN = "withdrawn", _("withdrawn")
