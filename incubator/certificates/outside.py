"""What this room needs of the credentials: where a certificate is checked, and that each award has one."""

from collections.abc import Sequence

from django.conf import settings

from incubator.certification.models import Award


def check_address(award: Award) -> str:
    """The page that tells what the award is worth today; the QR code leads there."""
    base = getattr(settings, "CREDENTIAL_BASE_URL", "") or settings.PUBLIC_URL
    return f"{base.rstrip('/')}/verify/{award.code}/"


def give_credentials(awards: Sequence[Award]) -> int:
    """Sign a credential for each award that has none; returns how many were made. Without that room: none."""
    return 0
