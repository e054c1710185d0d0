"""Doors that stand open: the page where anybody verifies an award, and what programs read to verify a credential."""

import json
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from incubator.certification.models import Award
from incubator.credentials.codes import as_code, in_groups, is_code, is_number
from incubator.credentials.documents import did_document
from incubator.credentials.limits import SECONDS, may_ask, was_unknown
from incubator.credentials.models import SigningKey, StatusList
from incubator.credentials.queries import county_of
from incubator.credentials.services.status_lists import etag_of, publish_status_list

DID_MINUTES = 10  # a distrusted key is believed no longer than that
VC_JSON, DID_JSON = "application/vc+ld+json", "application/did+json"


# --- For people -------------------------------------------------------------------------------------------------------


@login_not_required
@csrf_exempt  # it changes nothing, and a page kept open for a day still works
@require_http_methods(["GET", "HEAD", "POST"])
def verify_form(request: HttpRequest) -> HttpResponse:
    """Where a code is typed. It leads to the award's page; what cannot be a code is told at once."""
    typed = request.POST.get("code", "")
    if request.method != "POST":
        return _page(request, "credentials/verify_form.html", {})
    code = as_code(typed)
    if is_code(code):
        return _kept_nowhere(redirect("verify", code=code))
    problem = (
        _("This is the number of a certificate. Type the verification code, which stands beside the QR code.")
        if is_number(code)
        else _("A verification code has 20 letters and digits. Look at the certificate again and type all of them.")
    )
    return _page(request, "credentials/verify_form.html", {"typed": typed[:60], "problem": problem})


@login_not_required
@require_safe
def verify(request: HttpRequest, code: str) -> HttpResponse:
    """What an award is worth today: valid, expired, withdrawn; or that there is none."""
    if not may_ask(request):
        answer = _page(request, "credentials/verify_later.html", {"minutes": SECONDS // 60}, status=429)
        answer.headers["Retry-After"] = str(SECONDS)
        return answer
    code = as_code(code)
    award = Award.objects.filter(code=code).select_related("badge").first()
    if award is None:
        was_unknown(request)
        return _page(request, "credentials/verify.html", {"standing": "unknown"}, status=404)
    context = {
        "award": award,
        "standing": award.standing(on=timezone.localdate()),
        "county": county_of(award),
        "name": award.public_name,
        "code": in_groups(award.code),
    }
    return _page(request, "credentials/verify.html", context)


def _page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    return _kept_nowhere(render(request, template, context, status=status))


def _kept_nowhere(answer: HttpResponse) -> HttpResponse:
    """No browser and no proxy shows it again after a withdrawal, and no search engine shows it at all."""
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


# --- For programs -----------------------------------------------------------------------------------------------------


@login_not_required
@require_safe
def did(request: HttpRequest) -> HttpResponse:
    """The issuer's DID document (``did:web``). Without a key there is none yet."""
    keys = list(SigningKey.objects.all())
    if not keys:
        raise Http404
    answer = HttpResponse(json.dumps(did_document(keys), indent=2), content_type=DID_JSON)
    answer.headers["Cache-Control"] = f"public, max-age={DID_MINUTES * 60}"
    return _for_every_page(answer)


@login_not_required
@require_safe
def credential_status(request: HttpRequest, number: int) -> HttpResponse:
    """A signed status list. Caches may keep it and ask each time whether it still is so: a withdrawal shows at once."""
    status_list = get_object_or_404(StatusList, pk=number)
    etag = etag_of(status_list)
    known = {one.removeprefix("W/") for one in parse_etags(request.headers.get("If-None-Match", ""))}
    answer: HttpResponse = HttpResponseNotModified()
    if f'"{etag}"' not in known:
        published = publish_status_list(status_list)
        answer, etag = HttpResponse(published.text, content_type=VC_JSON), published.etag
    answer.headers["ETag"] = f'"{etag}"'
    answer.headers["Cache-Control"] = "public, no-cache"
    return _for_every_page(answer)


def _for_every_page(answer: HttpResponse) -> HttpResponse:
    """Verifiers that run in a browser may read it: it is public and the same for everybody."""
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer
