"""The timetable of a class as a calendar feed. It has no login, so it names the sessions and nobody who is taught."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from icalendar import Calendar, Event

from courses.models import Session, TrainingClass

LOOKED_AT_EVERY = timedelta(hours=1)


def feed_address(training_class: TrainingClass) -> str:
    """Where a calendar program finds the timetable. Whoever has the address may read it."""
    return settings.PUBLIC_URL + reverse("class_feed", args=[training_class.feed_key])


@login_not_required
@require_safe
def class_feed(request: HttpRequest, key: str) -> HttpResponse:
    training_class = get_object_or_404(TrainingClass, feed_key=key)
    answer = HttpResponse(calendar_of(training_class), content_type="text/calendar; charset=utf-8")
    answer.headers["Cache-Control"] = "private, max-age=600"
    answer.headers["X-Robots-Tag"] = "noindex"
    answer.headers["Content-Disposition"] = 'inline; filename="class.ics"'
    return answer


def calendar_of(training_class: TrainingClass, at: datetime | None = None) -> bytes:
    """All sessions of a class as an iCalendar file (RFC 5545), in the time of China. Two queries."""
    calendar = Calendar()
    calendar.add("prodid", "-//Happy Village Leaders//Training//ZH")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", training_class.name)
    calendar.add("x-wr-timezone", settings.TIME_ZONE)
    calendar.add("refresh-interval", LOOKED_AT_EVERY, parameters={"value": "DURATION"})
    for session in training_class.sessions.select_related("version", "lecturer"):
        calendar.add_component(_event(session, training_class, at or timezone.now()))
    calendar.add_missing_timezones()
    return calendar.to_ical()


def _event(session: Session, training_class: TrainingClass, at: datetime) -> Event:
    event = Event()
    event.add("uid", f"session-{session.pk}@{_host()}")
    event.add("dtstamp", at.astimezone(UTC))
    event.add("dtstart", timezone.localtime(session.starts_at))
    event.add("dtend", timezone.localtime(session.ends_at))
    event.add("summary", session.version.title)
    where = [training_class.place, session.room]
    event.add("location", " ".join(part for part in where if part))
    event.add("description", "\n".join(_said(session, training_class)))
    return event


def _said(session: Session, training_class: TrainingClass) -> list[Any]:
    said = [training_class.name]
    if session.lecturer:
        said.append(_("Lecturer: %(name)s") % {"name": session.lecturer})
    return said


def _host() -> str:
    return settings.PUBLIC_URL.split("//")[-1].split("/")[0].split(":")[0]
