"""Files as answers."""

from urllib.parse import quote

from django.http import HttpResponse


def as_download(content: bytes, content_type: str, name: str) -> HttpResponse:
    """To be saved, never shown within this site, and never kept by a shared cache."""
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
