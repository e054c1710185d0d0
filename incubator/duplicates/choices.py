"""States of a pair of people who look like one."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class PairState(models.TextChoices):
    OPEN = "open", _("to be decided")
    SAME = "same", _("the same person")
    DIFFERENT = "different", pgettext_lazy("people", "two people")
