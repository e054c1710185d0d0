"""What this room does when a lower one tells of a change."""

from typing import Any

from incubator.certification.models import Award
from incubator.credentials.services import reissue_credential


def say_it_anew(sender: Any, *, award: Award, **kwargs: Any) -> None:
    """A credential says a name as long as it is shown. Those of withdrawn awards are good for nothing anyway."""
    if award.withdrawn_at is None:
        reissue_credential(award)
