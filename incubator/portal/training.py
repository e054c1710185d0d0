"""My training: hours, days, attendance, assessments, what is missing for graduation, and the form after a class."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from courses.choices import AssessmentKind, CourseKind, EnrolmentState
from courses.models import Assessment, Attempt, Attendance, Enrolment, SatisfactionTicket, Session
from courses.models.satisfaction import QUESTIONS
from courses.queries import Reason, TrainingStanding, class_hours, training_standings
from courses.satisfaction import LABELS
from courses.services import answer_form, appeal, hand_in_work
from courses.services.assessment import appeal_ends_on, may_appeal, number_to_hand_in
from incubator.common.errors import RuleBroken
from incubator.portal.people import own_trainee
from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Participation
from trainees.models import Trainee

# --- What the page shows ----------------------------------------------------------------------------------------------

MORE_HOURS = _("Come to the sessions of this kind that are still to be held, or finish such courses online.")
WHAT_NEXT = {
    "days": _("Come on further days: every day on which you attend a session counts."),
    **{f"{kind}_hours": MORE_HOURS for kind in CourseKind.values},
    "hours": _("Come to the sessions that are still to be held, or finish courses online."),
    "attendance": _(
        "Come to all sessions that are still to be held. Where you were present and are not marked so, ask the head "
        "teacher of your class to have it corrected."
    ),
    "assessments": _("Take the assessments below that are open; who has failed may resit."),
}


@dataclass(frozen=True, slots=True)
class Missing:
    """One reason why somebody does not graduate yet: the sentence staff read too, the amounts, and what to do."""

    reason: Reason
    amounts: str
    what_next: Any

    @classmethod
    def of(cls, reason: Reason) -> "Missing":
        values = {"have": reason.have, "need": reason.need, "missing": reason.missing}
        if reason.code == "days":
            amounts = gettext("You have %(have)s of %(need)s days.")
        elif reason.code == "attendance":
            amounts = gettext("You have %(have)s %% of %(need)s %%; %(missing)s class hours are missing.")
        elif reason.code == "assessments":
            amounts = ""
        else:
            amounts = gettext("You have %(have)s of %(need)s class hours; %(missing)s are missing.")
        return cls(reason, amounts % values, WHAT_NEXT.get(reason.code, ""))


@dataclass(frozen=True, slots=True)
class KindHours:
    """Class hours of one kind: taught, counted, needed at least, and counted at most (None: without limit)."""

    label: Any
    hours: Decimal
    counted: Decimal
    needed: Decimal
    cap: Decimal | None


@dataclass(frozen=True, slots=True)
class AttemptLine:
    attempt: Attempt
    may_appeal: bool
    appeal_ends_on: Any
    appeal_reason: str = ""  # what was typed and refused


@dataclass(frozen=True, slots=True)
class AssessmentCard:
    """An assessment as its examinee sees it. ``refusal`` says why nothing can be handed in now."""

    assessment: Assessment
    attempts: Sequence[AttemptLine]
    may_hand_in: bool = False
    refusal: str = ""
    link: str = ""  # handed in already, or typed and refused
    is_handed_in: bool = False

    @property
    def is_passed(self) -> bool:
        return any(line.attempt.is_passed for line in self.attempts)

    @property
    def is_work(self) -> bool:
        return self.assessment.kind == AssessmentKind.WORK


@dataclass(frozen=True, slots=True)
class ClassPart:
    """One class somebody is in or was in: its sessions with their marks, and its assessments."""

    enrolment: Enrolment
    sessions: Sequence[tuple[Session, Attendance | None]]
    assessments: Sequence[AssessmentCard]
    next_session: Session | None
    form: str  # "open", "done", or empty: not yet, or not for this person

    @property
    def attended(self) -> int:
        return sum(mark is not None and mark.minutes > 0 for _session, mark in self.sessions)


@dataclass(frozen=True, slots=True)
class TrainingPart:
    """Everything about one participation."""

    participation: Participation
    standing: TrainingStanding | None
    kinds: Sequence[KindHours]
    missing: Sequence[Missing]
    classes: Sequence[ClassPart]

    @property
    def is_in_training(self) -> bool:
        return self.participation.state in (ParticipationState.ADMITTED, ParticipationState.TRAINING)

    @property
    def next_session(self) -> Session | None:
        coming = [part.next_session for part in self.classes if part.next_session]
        return min(coming, key=lambda session: session.starts_at, default=None)


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed and refused, by the id of what it was typed for, so that nobody types it again."""

    links: Mapping[int, str] = field(default_factory=dict)
    reasons: Mapping[int, str] = field(default_factory=dict)


def training_of(trainee: Trainee, *, at: datetime, typed: Typed | None = None) -> list[TrainingPart]:
    """The training of somebody, the newest participation first; eight queries for any number of anything."""
    typed = typed or Typed()
    participations = list(Participation.objects.filter(trainee=trainee).select_related("cohort__programme"))
    participations.sort(key=lambda participation: -participation.pk)
    standings = training_standings(participations)
    enrolments = list(
        Enrolment.objects.filter(participation__in=participations)
        .select_related("training_class", "satisfaction_ticket")
        .order_by("-pk")
    )
    classes = [enrolment.training_class_id for enrolment in enrolments]
    sessions = _by(
        Session.objects.filter(training_class__in=classes).select_related("version").order_by("starts_at"),
        "training_class_id",
    )
    marks = {
        (mark.session_id, mark.participation_id): mark
        for mark in Attendance.objects.filter(participation__in=participations)
    }
    assessments = _by(Assessment.objects.filter(training_class__in=classes).order_by("pk"), "training_class_id")
    attempts = _by(
        Attempt.objects.filter(participation__in=participations).select_related("assessment").order_by("number"),
        "assessment_id",
    )
    parts: dict[int, list[ClassPart]] = {}
    for enrolment in enrolments:
        own = sessions.get(enrolment.training_class_id, [])
        met = [(session, marks.get((session.pk, enrolment.participation_id))) for session in own]
        cards = [
            _card(assessment, enrolment, attempts.get(assessment.pk, []), typed, at)
            for assessment in assessments.get(enrolment.training_class_id, [])
        ]
        parts.setdefault(enrolment.participation_id, []).append(_class_part(enrolment, met, cards, at))
    return [_part(p, standings.get(p.pk), parts.get(p.pk, [])) for p in participations]


def _by(rows: Iterable[Any], name: str) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(getattr(row, name), []).append(row)
    return found


def _card(
    assessment: Assessment, enrolment: Enrolment, attempts: list[Attempt], typed: Typed, at: datetime
) -> AssessmentCard:
    own = [attempt for attempt in attempts if attempt.participation_id == enrolment.participation_id]
    lines = [
        AttemptLine(a, may_appeal(a, at=at), appeal_ends_on(a), typed.reasons.get(a.pk, ""))
        for a in own
        if a.marks is not None
    ]
    if assessment.kind != AssessmentKind.WORK or enrolment.state != EnrolmentState.ENROLLED:
        return AssessmentCard(assessment, lines)
    waiting = own[-1].link if own and own[-1].marks is None else ""
    link = typed.links.get(assessment.pk, waiting)
    try:
        number_to_hand_in(assessment, own, at=at)
    except RuleBroken as refusal:
        return AssessmentCard(assessment, lines, refusal=str(refusal), link=waiting, is_handed_in=bool(waiting))
    return AssessmentCard(assessment, lines, may_hand_in=True, link=link, is_handed_in=bool(waiting))


def _class_part(
    enrolment: Enrolment, met: list[tuple[Session, Attendance | None]], cards: list[AssessmentCard], at: datetime
) -> ClassPart:
    is_in = enrolment.state == EnrolmentState.ENROLLED
    shown = met if is_in else [(session, mark) for session, mark in met if mark is not None]
    coming = next((session for session, _mark in met if is_in and session.starts_at > at), None)
    is_over = bool(met) and max(session.ends_at for session, _mark in met) <= at
    form = "done" if _has_answered(enrolment) else "open" if is_in and is_over else ""
    return ClassPart(enrolment, shown, cards, coming, form)


def _has_answered(enrolment: Enrolment) -> bool:
    try:
        return enrolment.satisfaction_ticket is not None
    except SatisfactionTicket.DoesNotExist:
        return False


def _part(
    participation: Participation, standing: TrainingStanding | None, classes: Sequence[ClassPart]
) -> TrainingPart:
    if standing is None:
        return TrainingPart(participation, None, [], [], classes)
    kinds = [
        KindHours(
            CourseKind(kind).label,
            class_hours(standing.minutes[kind]),
            class_hours(standing.counted_minutes_of(kind)),
            getattr(standing.rule, f"min_{kind}_hours"),
            getattr(standing.rule, f"{kind}_hours_cap"),
        )
        for kind in CourseKind.values
    ]
    return TrainingPart(participation, standing, kinds, [Missing.of(r) for r in standing.reasons()], classes)


# --- Pages ------------------------------------------------------------------------------------------------------------


def _show(request: HttpRequest, trainee: Trainee, typed: Typed | None = None) -> HttpResponse:
    parts = training_of(trainee, at=timezone.now(), typed=typed)
    return render(request, "portal/training.html", {"parts": parts})


@require_safe
def training(request: HttpRequest) -> HttpResponse:
    """My hours, days, marks, and what is missing."""
    return _show(request, own_trainee(request))


def _typed(request: HttpRequest, name: str) -> str:
    """A field of a form that is no ``Form``; without the one character that no text in the database may have."""
    return request.POST.get(name, "").replace("\x00", "")


@require_POST
def hand_in(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand in the link to a work for an assessment of one's own class."""
    trainee = own_trainee(request)
    own = Enrolment.objects.enrolled().filter(participation__trainee=trainee, training_class__assessments=pk)
    enrolment = get_object_or_404(own.select_related("participation__trainee"))
    link = _typed(request, "link")
    try:
        assessment = Assessment.objects.get(pk=pk)
        hand_in_work(assessment, participation=enrolment.participation, link=link, by=request.user)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
        return _show(request, trainee, Typed(links={pk: link}))
    messages.success(request, gettext("Your work is handed in."))
    return redirect("training")


@require_POST
def appeal_marks(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for a second marker of one's own attempt."""
    trainee = own_trainee(request)
    attempt = get_object_or_404(Attempt, pk=pk, participation__trainee=trainee)
    reason = _typed(request, "reason")
    try:
        appeal(attempt, reason=reason, by=request.user)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
        return _show(request, trainee, Typed(reasons={pk: reason}))
    messages.success(request, gettext("Your appeal is sent. Somebody else will mark this again."))
    return redirect("training")


SCORES = [
    (5, pgettext_lazy("satisfaction", "very good")),
    (4, pgettext_lazy("satisfaction", "good")),
    (3, pgettext_lazy("satisfaction", "fair")),
    (2, pgettext_lazy("satisfaction", "not so good")),
    (1, pgettext_lazy("satisfaction", "poor")),
]


class SatisfactionForm(forms.Form):
    """Four questions, if one likes a score for each course, and a remark."""

    remark = forms.CharField(
        label=_("What should be better? (if you like)"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, enrolment: Enrolment, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": ""} | kwargs)
        for name in QUESTIONS:
            self.fields[name] = forms.TypedChoiceField(
                label=LABELS[name],
                choices=SCORES,
                coerce=int,
                widget=forms.RadioSelect,
                error_messages={"required": gettext("Choose one of the five.")},
            )
        taught = Session.objects.filter(training_class=enrolment.training_class_id).order_by("starts_at")
        versions = taught.values_list("version__course", "version__title")
        self.courses = dict(versions)
        for pk, title in self.courses.items():
            self.fields[f"course_{pk}"] = forms.TypedChoiceField(
                label=title,
                choices=[("", gettext("no answer")), *SCORES],
                coerce=int,
                empty_value=None,
                required=False,
            )

    def question_fields(self) -> list[Any]:
        return [self[name] for name in QUESTIONS]

    def course_fields(self) -> list[Any]:
        return [self[f"course_{pk}"] for pk in self.courses]

    def answers(self) -> dict[str, Any]:
        """As ``answer_form`` takes them."""
        data = self.cleaned_data
        courses = {pk: data[f"course_{pk}"] for pk in self.courses if data[f"course_{pk}"] is not None}
        return {"scores": {name: data[name] for name in QUESTIONS}, "courses": courses, "remark": data["remark"]}


@require_http_methods(["GET", "HEAD", "POST"])
def satisfaction(request: HttpRequest, pk: int) -> HttpResponse:
    """The form of a class one was in; filled in, it says thank you."""
    own = Enrolment.objects.enrolled().filter(participation__trainee=own_trainee(request))
    enrolment = get_object_or_404(own.select_related("training_class", "satisfaction_ticket"), pk=pk)
    if _has_answered(enrolment):
        return render(request, "portal/satisfaction_thanks.html", {"enrolment": enrolment})
    form = SatisfactionForm(request.POST or None, enrolment=enrolment)
    if form.is_valid():
        try:
            answer_form(enrolment, by=request.user, **form.answers())
        except RuleBroken as refusal:
            messages.error(request, str(refusal))
        else:
            return redirect("satisfaction", enrolment.pk)
    return render(request, "portal/satisfaction.html", {"form": form, "enrolment": enrolment})
