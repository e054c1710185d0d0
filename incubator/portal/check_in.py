"""Checking in with one's own phone, and one's own timetable. Looking at a page changes nothing; a button does."""

import secrets
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from courses.check_in_codes import DIGITS, is_pass, is_token, pass_for
from courses.choices import AttendanceMethod, EnrolmentState
from courses.feeds import feed_address
from courses.models import CheckIn
from courses.presence import OwnSession, Step, classes_of, own_session, own_sessions_now, timetable_of
from courses.services import check_in, check_out, require_code
from incubator.common.errors import RuleBroken
from incubator.portal.people import own_trainee
from incubator.programmes.models import Participation

PHONE = "phone"  # the cookie by which a phone is known again
PHONE_SECONDS = 2 * 365 * 24 * 3600
get_or_post = require_http_methods(["GET", "HEAD", "POST"])


# --- Timetable --------------------------------------------------------------------------------------------------------


@never_cache
@require_safe
def timetable(request: HttpRequest) -> HttpResponse:
    """The sessions of one's classes, those to come and those past, and the queues one stands in."""
    trainee = own_trainee(request)
    coming, past = timetable_of(trainee, at=timezone.now())
    classes = classes_of(trainee)
    enrolled = [e.training_class for e in classes if e.state == EnrolmentState.ENROLLED]
    context = {
        "coming": coming,
        "past": past,
        "feeds": [(training_class, feed_address(training_class)) for training_class in enrolled],
        "waiting": [e for e in classes if e.state == EnrolmentState.WAITING],
    }
    return render(request, "portal/timetable.html", context)


# --- Pages of checking in ---------------------------------------------------------------------------------------------


@never_cache
@require_safe
def check_in_now(request: HttpRequest) -> HttpResponse:
    """What one may check in to, or out of, now: usually one session, with a field for its code."""
    return _page(request, own_sessions_now(own_trainee(request), at=timezone.now()))


@never_cache
@get_or_post
def check_in_session(request: HttpRequest, pk: int) -> HttpResponse:
    """One session: what was counted, and a field for its code while something may be done. Posting sends a code."""
    at = timezone.now()
    own = _own(request, pk, at)
    if request.method != "POST":
        return _page(request, [own], is_one=True)
    if _is_done(own, request.POST.get("what", "")):
        return redirect("check_in_session", pk=pk)
    try:
        require_code(own.session, _digits(request), at=at, by=request.user)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
        return redirect("check_in_session", pk=pk)
    return _do(request, own, AttendanceMethod.CODE)


@never_cache
@get_or_post
def check_in_scan(request: HttpRequest, pk: int, token: str) -> HttpResponse:
    """Where a scanned code leads: one big button. It is good for this person and a moment, however slow the network."""
    at = timezone.now()
    trainee = own_trainee(request)
    own = own_session(trainee, pk, at=at)
    if own is None:
        return render(request, "portal/check_in_elsewhere.html", status=404)
    is_good = is_token(own.session, token, at)
    if request.method == "POST":
        if not is_good and not is_pass(own.session, request.user.pk, request.POST.get("pass", ""), at):  # type: ignore[arg-type]
            messages.error(request, _over())
            return redirect("check_in_session", pk=pk)
        return _do(request, own, AttendanceMethod.QR)
    if not is_good:
        return _page(request, [own], is_one=True, refusal=_over() if own.step != Step.NOTHING else "")
    scan = {"token": token, "pass": pass_for(own.session, request.user.pk, at)}  # type: ignore[arg-type]
    return _page(request, [own], is_one=True, scan=scan)


def _over() -> str:
    return _("This code is over. Scan the screen again, or type the code that stands there now.")


def _own(request: HttpRequest, pk: int, at: datetime) -> OwnSession:
    own = own_session(own_trainee(request), pk, at=at)
    if own is None:
        raise Http404
    return own


def _digits(request: HttpRequest) -> str:
    """What was typed, as plain digits: phones write full-width ones and people put spaces between."""
    typed = unicodedata.normalize("NFKC", request.POST.get("code", ""))
    return "".join(typed.split())[: DIGITS + 1]


def _is_done(own: OwnSession, what: str) -> bool:
    """Whether what is asked for has been done already: the second of two taps."""
    if own.check_in is None:
        return False
    return own.check_in.left_at is not None if what == Step.CHECK_OUT else own.step != Step.CHECK_IN


def _do(request: HttpRequest, own: OwnSession, method: str) -> HttpResponse:
    """Check in or out as the button said, and show what was counted. A second tap never turns coming into leaving."""
    phone = _phone(request)
    try:
        _write(request, own, method, phone)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    answer = redirect("check_in_session", pk=own.session.pk)
    _remember(answer, phone)
    return answer


def _write(request: HttpRequest, own: OwnSession, method: str, phone: str) -> CheckIn:
    write = check_out if request.POST.get("what") == Step.CHECK_OUT else check_in
    person = Participation.objects.get(pk=own.participation_id)
    # The clock is read again: the page may have waited for the network and the database.
    return write(own.session, person, method=method, device=phone, at=timezone.now(), by=request.user)


def _page(request: HttpRequest, sessions: Sequence[OwnSession], **more: Any) -> HttpResponse:
    answer = render(request, "portal/check_in.html", {"sessions": sessions, "code_length": DIGITS, **more})
    _remember(answer, _phone(request))
    return answer


# --- Phones -----------------------------------------------------------------------------------------------------------


def _phone(request: HttpRequest) -> str:
    """What this phone calls itself; a new name for one that was never here."""
    known = request.get_signed_cookie(PHONE, default=None, salt=PHONE)
    return known or secrets.token_urlsafe(24)


def _remember(answer: HttpResponse, phone: str) -> None:
    answer.set_signed_cookie(
        PHONE,
        phone,
        salt=PHONE,
        max_age=PHONE_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
