"""The screen of a session: its code, large enough for a wall, and who has come. And a class's calendar address."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import segno
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from courses.check_in_codes import digits_at, is_open, opens_at, seconds_left, shuts_at, token_at
from courses.choices import AttendanceState
from courses.feeds import feed_address
from courses.models import Attendance, CheckIn, Enrolment, Session, TrainingClass
from courses.services.attendance import of_the_session
from incubator.common.desk import Section, extend_desk

PERMISSION = "courses.add_attendance"


@dataclass(frozen=True, slots=True)
class Came:
    """Who of the people one may see has come to a session: names. ``marked`` are those present by another way."""

    expected: int
    checked_in: int
    marked: int
    inside: list[str]
    missing: list[str]


def who_came(session: Session, user: Any) -> Came:
    """Three queries. ``inside`` are those who came and have yet to check out."""
    enrolled = Enrolment.objects.visible_to(user).filter(of_the_session(session))
    names = dict(
        enrolled.order_by("participation__trainee__name").values_list("participation", "participation__trainee__name")
    )
    came = CheckIn.objects.visible_to(user).filter(session=session).values_list("participation", "left_at")
    left = dict(came)
    marks = dict(
        Attendance.objects.visible_to(user).filter(session=session).values_list("participation", "state"),
    )
    present = {pk for pk, state in marks.items() if state == AttendanceState.PRESENT}
    return Came(
        expected=len(names),
        checked_in=len(left),
        marked=len(present - set(left)),
        inside=[name for pk, name in names.items() if pk in left and left[pk] is None and pk not in marks],
        missing=[name for pk, name in names.items() if pk not in left and pk not in marks],
    )


def qr_code(address: str, label: str) -> SafeString:
    """An address as a square drawing that fills its box."""
    drawing = segno.make(address, error="m", boost_error=False)
    return mark_safe(drawing.svg_inline(omitsize=True, border=2, title=label, svgclass="code-qr"))  # noqa: S308


def _shows_code(session: Session, at: datetime) -> bool:
    """While people check in; where they check out as well, until that ends."""
    if session.is_closed:
        return False
    return is_open(session, at) or (session.asks_check_out and session.ends_at <= at < shuts_at(session))


def live_part(session: Session, user: Any, at: datetime) -> dict[str, Any]:
    """What the screen shows at that moment."""
    address = settings.PUBLIC_URL + reverse("check_in_scan", args=[session.pk, token_at(session, at)])
    digits = digits_at(session, at)
    shows = _shows_code(session, at)
    return {
        "session": session,
        "shows_code": shows,
        "is_before": at < opens_at(session),
        "opens_at": opens_at(session),
        "is_for_leaving": session.asks_check_out and at >= session.ends_at - timedelta(minutes=10),
        "qr": qr_code(address, _("QR code to check in")) if shows else "",
        "digits": f"{digits[:3]} {digits[3:]}",
        "address": (settings.PUBLIC_URL + reverse("check_in")).split("//")[-1],
        "seconds_left": seconds_left(at),
        "came": who_came(session, user),
        "sheet": reverse("admin:courses_session_attendance", args=[session.pk]),
    }


def _session(request: HttpRequest, pk: int) -> Session:
    rows = Session.objects.visible_to(request.user).select_related("training_class", "version", "lecturer")
    found = get_object_or_404(rows, pk=pk)
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    return found


@never_cache
@require_safe
def check_in_screen(request: HttpRequest, pk: int) -> HttpResponse:
    """The screen. Its script asks for the live part again and again; without one the page loads itself."""
    live = live_part(_session(request, pk), request.user, timezone.now())
    return render(request, "admin/courses/check_in.html", live)


@never_cache
@require_safe
def check_in_live(request: HttpRequest, pk: int) -> HttpResponse:
    """The live part alone."""
    live = live_part(_session(request, pk), request.user, timezone.now())
    return render(request, "admin/courses/check_in_live.html", live)


def _screen_of(request: HttpRequest, session: Session) -> Section | None:
    if not request.user.has_perm(PERMISSION):  # type: ignore[union-attr]
        return None
    context = {"came": who_came(session, request.user), "url": reverse("session_check_in", args=[session.pk])}
    html = render_to_string("admin/courses/check_in_section.html", context)
    return Section(gettext_lazy("Check-in by phone"), html)


def _calendar_of(request: HttpRequest, training_class: TrainingClass) -> Section:
    html = render_to_string("admin/courses/feed_section.html", {"address": feed_address(training_class)})
    return Section(gettext_lazy("Timetable in a calendar"), html)


extend_desk(Session, sections=[_screen_of])
extend_desk(TrainingClass, sections=[_calendar_of])
