"""Headers that every answer carries."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'{platforms}; base-uri 'none'; frame-ancestors 'none'"
)
# The admin theme evaluates expressions (Alpine) and sets inline styles; nothing else on the site may.
ADMIN = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


def content_security_policy(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable:
    """Middleware: a strict Content-Security-Policy everywhere, a looser one below the admin only.

    A form's redirect counts as its action, so the platforms' consent pages are named beside ``'self'``.
    """
    pages = dict.fromkeys((settings.KUAISHOU_BASE_URL, settings.DOUYIN_BASE_URL))
    strict = STRICT.format(platforms="".join(f" {page}" for page in pages))

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        in_admin = request.path.startswith(reverse("admin:index"))
        response.headers.setdefault("Content-Security-Policy", ADMIN if in_admin else strict)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        return response

    return middleware
