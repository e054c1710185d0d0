"""What this room needs of the credentials: where a certificate is checked, and that each award has one."""

from collections.abc import Sequence

from incubator.certification.models import Award
from incubator.credentials.addresses import verification_url
from incubator.credentials.services import issue_credentials


def check_address(award: Award) -> str:
    """The page that tells what the award is worth today; the QR code leads there."""
    return verification_url(award)


def give_credentials(awards: Sequence[Award]) -> int:
    """Sign a credential for each award that has none; returns how many were made."""
    return issue_credentials(awards)
