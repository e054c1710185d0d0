"""States of a signing key, and how long a list of status bits is."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class KeyState(models.TextChoices):
    """One key signs; what retired keys signed stays valid; what a compromised key signed is valid no more."""

    ACTIVE = "active", _("signs")
    RETIRED = "retired", _("retired, still trusted")
    COMPROMISED = "compromised", _("not trusted any more")


TRUSTED = (KeyState.ACTIVE, KeyState.RETIRED)

STATUS_LIST_LENGTH = 131_072  # bits; the least that the recommendation allows, so that an index hides among many
STATUS_LIST_FULL = STATUS_LIST_LENGTH // 2  # so many are given out: random places stay easy to find
