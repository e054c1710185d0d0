"""What this room does not let happen below it."""

from typing import Any

from django.dispatch import receiver
from django.utils.translation import gettext as _

from courses.signals import graduation_taken_back
from incubator.certification.models import Award
from incubator.common.errors import RuleBroken
from incubator.programmes.models import Participation


@receiver(graduation_taken_back)
def awards_rest_on_graduation(sender: Any, *, participation: Participation, **kwargs: Any) -> None:
    """Nobody holds a badge without having graduated: the award goes first, and says why."""
    held = Award.objects.live().filter(candidate__participation=participation).select_related("badge").first()
    if held is not None:
        raise RuleBroken(
            _("The award %(number)s (“%(badge)s”) rests on this graduation. Withdraw it first.")
            % {"number": held.number, "badge": held.badge.name}
        )
