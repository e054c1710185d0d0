"""Addresses that are printed, signed and kept for years: all under ``CREDENTIAL_BASE_URL``."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse


def verification_url(award: Any) -> str:
    """Where anybody verifies an award: what its QR code says, and the id of its credential."""
    return settings.CREDENTIAL_BASE_URL + reverse("verify", args=[award.code])


def form_url() -> str:
    """Where a code is typed."""
    return settings.CREDENTIAL_BASE_URL + reverse("verify_form")


def status_list_url(number: int) -> str:
    return settings.CREDENTIAL_BASE_URL + reverse("credential_status", args=[number])


def issuer_did() -> str:
    """``did:web:example.org``; a port is written ``%3A8000`` as the method says."""
    return "did:web:" + urlsplit(settings.CREDENTIAL_BASE_URL).netloc.replace(":", "%3A")


def key_address(name: str) -> str:
    """The verification method of a key."""
    return f"{issuer_did()}#{name}"
