"""Bands of a forecast, and why there is none."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Band(models.TextChoices):
    """How likely the number is reached by the last day of support; from the likeliest down."""

    ON_COURSE = "on_course", _("on course")
    WITHIN_REACH = "within_reach", _("within reach")
    NEEDS_HELP = "needs_help", _("needs help")
    OUT_OF_REACH = "out_of_reach", _("out of reach")


class NoForecast(models.TextChoices):
    """Why nothing is said about the future."""

    NO_ACCOUNT = "no_account", _("no account is entered")
    NOT_READ = "not_read", _("not read in the last 14 days")
    TOO_FEW = "too_few", _("not enough readings in the last 14 days")


# In the order in which staff should look: first where help decides most, then where it is dear, then where a reading is
# missing that somebody can see to; who gets there alone, and who hardly can, come last.
LOOKED_AT: tuple[str, ...] = (
    Band.WITHIN_REACH,
    Band.NEEDS_HELP,
    "",  # no forecast
    Band.ON_COURSE,
    Band.OUT_OF_REACH,
)

# By the kinds of ``method``: 0 to 3 of those read seldom, 4 to 7 of those read often.
KINDS_OF_ACCOUNT = [
    (0, _("falling, seldom read")),
    (1, _("still, seldom read")),
    (2, _("growing, seldom read")),
    (3, _("growing strongly, seldom read")),
    (4, _("falling, often read")),
    (5, _("still, often read")),
    (6, _("growing, often read")),
    (7, _("growing strongly, often read")),
]
