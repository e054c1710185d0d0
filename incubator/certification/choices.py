"""States of a candidate."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class CandidateState(models.TextChoices):
    PENDING = "pending", _("to be reviewed")
    APPROVED = "approved", _("approved")
    REFUSED = "refused", _("refused")
