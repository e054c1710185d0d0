"""The name on an award's certificate, corrected."""

from django.utils.translation import gettext as _

from incubator.certification.models import Award
from incubator.certification.services.names import shown_name_changed
from incubator.common.errors import Stale


def correct_holder_name(award: Award, *, name: str) -> Award:
    """Let the award bear another name from now on; who did it and why stands with the edition that prints it.

    Raises ``Stale`` when the name was changed meanwhile or the award withdrawn.
    """
    same = Award.objects.live().filter(pk=award.pk, holder_name=award.holder_name)
    if not same.update(holder_name=name):
        raise Stale(_("This award was changed meanwhile. Look at it again."))
    award.holder_name = name
    if award.name_shown_since is not None:
        shown_name_changed.send(Award, award=award)
    return award
