"""How often one address may ask about awards. Counted in the cache that all processes share."""

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

POINTS, SECONDS = 120, 600  # so many points in so many seconds
KNOWN, UNKNOWN = 1, 10  # points for a code that exists, and for one that does not


def may_ask(request: HttpRequest) -> bool:
    """Counts one question; False when the address has asked too much. Known and unknown codes are refused alike."""
    return _count(request, KNOWN) <= POINTS


def was_unknown(request: HttpRequest) -> None:
    """A code that does not exist costs more than one that does."""
    _count(request, UNKNOWN - KNOWN)


def _count(request: HttpRequest, points: int) -> int:
    key = _key(request)
    cache.add(key, 0, SECONDS)
    try:
        return cache.incr(key, points)
    except ValueError:  # the time ended just now
        return points


def _key(request: HttpRequest) -> str:
    """By the address that the login's limits go by; it does not lie readable in the cache."""
    address = get_adapter().get_client_ip(request)
    return f"verify:{salted_hmac('verify', address, algorithm='sha256').hexdigest()}"
