"""What the demo does at the platform: hires its creators, sets its clock, and agrees on its consent page."""

import json
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime
from email.message import Message
from typing import Any


class VendorAway(Exception):
    """The platform simulator does not answer."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


class Vendor:
    """The platform simulator at ``base_url``, over real HTTP."""

    def __init__(self, base_url: str) -> None:
        self._base = base_url
        self._opener = urllib.request.build_opener(_NoRedirect)

    def set_clock(self, now: datetime | None) -> None:
        """Set the simulator's clock; None gives it back its own."""
        self._post("/_simulator/clock", {"now": now.isoformat()} if now else {"real": True})

    def cast(self, creators: list[dict]) -> None:
        """Tell the simulator who its creators are and how they grow."""
        self._post("/_simulator/creators", creators)

    def agree(self, address: str, *, handle: str) -> tuple[str, str]:
        """Agree on the consent page at ``address`` as the creator ``handle``; ``(state, code)`` of the way back."""
        form = urllib.parse.urlencode({"handle": handle, "decision": "agree"}).encode()
        headers = self._open(urllib.request.Request(address, data=form, method="POST"))  # noqa: S310 - our own simulator
        back = urllib.parse.parse_qs(urllib.parse.urlsplit(headers.get("Location", "")).query)
        return back.get("state", [""])[0], back.get("code", [""])[0]

    def _post(self, path: str, body: Any) -> None:
        data = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        self._open(urllib.request.Request(self._base + path, data=data, headers=headers))  # noqa: S310 - as above

    def _open(self, request: urllib.request.Request) -> Message:
        """The headers of the answer; a redirect is an answer, and not followed."""
        try:
            with self._opener.open(request, timeout=10) as answer:
                return answer.headers
        except urllib.error.HTTPError as answer:
            with answer:
                if answer.code in (302, 303):
                    return answer.headers
                raise VendorAway(f"HTTP {answer.code}") from None
        except OSError as error:
            raise VendorAway(type(error).__name__) from None
