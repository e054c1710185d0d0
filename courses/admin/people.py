"""What the pages of participations and people say of their teaching."""

from collections.abc import Iterator

from django.db.models import Count, F, Q
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from courses.choices import AttendanceState
from courses.models import Attendance, Enrolment, TrainingClass
from courses.queries import TrainingStanding, class_hours, training_standings
from incubator.common.dates import moment
from incubator.common.desk import PART_SHOWN, Part, Section, columns, extend_desk, link_to, table
from incubator.programmes.models import Participation
from trainees.models import Trainee


def _attendances(request: HttpRequest, participation: Participation) -> Section | None:
    if not request.user.has_perm("courses.view_attendance"):
        return None
    found = participation.attendances.select_related("session__version", "session__training_class")
    rows = [
        (moment(a.session.starts_at), a.session.version, a.session.training_class, a.get_state_display(), a.minutes)
        for a in found.order_by("session__starts_at")
    ]
    headings = [_("from"), _("course"), _("class"), _("attendance"), _("minutes")]
    return table(_("Attendance"), headings, rows, empty=_("No session has been marked yet."))


def _teaching(request: HttpRequest, trainee: Trainee) -> Section | None:
    """The classes somebody is in, and the hours that count towards graduation."""
    if not request.user.has_perm("courses.view_attendance"):
        return None
    standings = list(_trainee_standings(request, trainee))
    counted = max((standing.counted_hours for _p, standing in standings), default=None)
    note = gettext("%(hours)s h") % {"hours": counted} if counted is not None else ""
    return columns(_("Classes and hours"), [_trainee_classes(request, trainee), _trainee_hours(standings)], note=note)


def _trainee_classes(request: HttpRequest, trainee: Trainee) -> Section:
    was_there = Q(
        participation__attendances__session__training_class=F("training_class"),
        participation__attendances__state=AttendanceState.PRESENT,
    )
    found = Enrolment.objects.visible_to(request.user).filter(participation__trainee=trainee).order_by("-pk")
    found = found.select_related("training_class__region", "training_class__cohort__programme")
    part = Part.of(found.annotate(attended=Count("participation__attendances", filter=was_there)))
    own = TrainingClass.objects.visible_to(request.user).filter(pk__in=[e.training_class_id for e in part.rows])
    may_open = set(own.values_list("pk", flat=True)) if request.user.has_perm("courses.view_trainingclass") else set()
    rows = [
        (
            link_to(e.training_class) if e.training_class_id in may_open else e.training_class.name,
            e.training_class.cohort,
            e.training_class.region,
            e.attended,
        )
        for e in part.rows
    ]
    headings = [_("class"), _("cohort"), _("held in"), _("sessions attended")]
    more = part.link(Attendance, trainee.number)
    return table("", headings, rows, empty=_("Is in no class yet."), more=more)


def _trainee_standings(request: HttpRequest, trainee: Trainee) -> Iterator[tuple[Participation, TrainingStanding]]:
    found = Participation.objects.visible_to(request.user).filter(trainee=trainee).select_related("cohort__programme")
    people = list(found[:PART_SHOWN])
    standings = training_standings(people)
    yield from ((person, standings[person.pk]) for person in people if person.pk in standings)


def _trainee_hours(standings: list[tuple[Participation, TrainingStanding]]) -> Section:
    rows = [
        (p.cohort, s.days, class_hours(s.professional_minutes), class_hours(s.general_minutes), s.counted_hours)
        for p, s in standings
    ]
    headings = [_("cohort"), _("days"), _("professional hours"), _("general hours"), _("class hours that count")]
    return table("", headings, rows, empty=_("No hours yet."))


extend_desk(Participation, sections=[_attendances])
extend_desk(Trainee, sections=[_teaching])
