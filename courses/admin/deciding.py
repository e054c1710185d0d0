"""The pages on which graduation is decided: of a class person by person, of a cohort by its rule."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSingleDateWidget, UnfoldAdminTextInputWidget

from courses.choices import CourseKind
from courses.models import GraduationDecision, TrainingClass
from courses.queries import KINDS, TrainingStanding, class_hours, ready_to_graduate, training_standings
from courses.services import decide_graduation
from incubator.common.dates import moment
from incubator.common.desk import Section, table
from incubator.common.errors import RuleBroken
from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Cohort, Participation
from incubator.regions.scoping import scope_of

NAMES_SHOWN = 20
PROPOSED, OTHERWISE = "proposed", "otherwise"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One person of a class and what the rule proposes for them."""

    person: Participation
    standing: TrainingStanding

    @property
    def seen(self) -> str:
        """What the page showed, so that a decision about other figures is noticed."""
        return "graduate" if self.standing.is_enough else "not yet"

    @property
    def label(self) -> Any:
        return _("graduate") if self.standing.is_enough else _("not yet")

    @property
    def choices(self) -> list[tuple[str, Any]]:
        otherwise = _("otherwise: keep back") if self.standing.is_enough else _("otherwise: graduate")
        return [(PROPOSED, _("as proposed")), (OTHERWISE, otherwise)]

    def figures(self) -> Iterator[tuple[Any, str]]:
        standing, rule = self.standing, self.standing.rule
        yield _("days"), f"{standing.days} / {rule.min_days}"
        yield _("hours that count"), of_needed(standing.counted_hours, rule.min_hours)
        for kind in KINDS:
            yield (
                CourseKind(kind).label,
                of_needed(class_hours(standing.minutes[kind]), getattr(rule, f"min_{kind}_hours")),
            )
        percent = standing.attendance_percent
        yield _("attendance"), of_needed(percent, rule.min_attendance_percent, " %")
        yield _("assessments to pass"), f"{standing.open_assessments}"

    @property
    def last_day(self) -> date | None:
        return self.standing.last_day


def of_needed(have: Any, need: Any, unit: str = "") -> str:
    """``8.0 / 16.0``, and only what there is where nothing is asked."""
    have = "-" if have is None else f"{have}{unit}"
    return f"{have} / {need}{unit}" if need is not None and Decimal(need) else have


class DecisionForm(forms.Form):
    """A day for all, and for everybody: as proposed or otherwise, and why otherwise."""

    on = forms.DateField(label=_("Day of graduation"), widget=UnfoldAdminSingleDateWidget)

    def __init__(self, *args: Any, proposals: Sequence[Proposal] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["on"].initial = timezone.localdate
        self.proposals = proposals
        for proposal in proposals:
            pk = proposal.person.pk
            self.fields[f"choice_{pk}"] = forms.ChoiceField(
                choices=proposal.choices, widget=forms.RadioSelect, initial=PROPOSED
            )
            self.fields[f"reason_{pk}"] = forms.CharField(
                label=_("Reason"), required=False, max_length=200, widget=UnfoldAdminTextInputWidget
            )
            self.fields[f"seen_{pk}"] = forms.CharField(widget=forms.HiddenInput, initial=proposal.seen)

    def rows(self) -> Iterator[tuple[Proposal, Any, Any, Any]]:
        for proposal in self.proposals:
            pk = proposal.person.pk
            yield proposal, self[f"choice_{pk}"], self[f"reason_{pk}"], self[f"seen_{pk}"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for proposal in self.proposals:
            pk, name = proposal.person.pk, proposal.person.trainee.name
            if data.get(f"seen_{pk}") != proposal.seen:
                raise ValidationError(
                    gettext("The figures of %(name)s have changed since this page was opened. Open it again.")
                    % {"name": name}
                )
            if data.get(f"choice_{pk}") == OTHERWISE and not (data.get(f"reason_{pk}") or "").strip():
                self.add_error(f"reason_{pk}", gettext("Say why you decide against the proposal."))
        return data

    def overrides(self) -> dict[int, tuple[bool, str]]:
        """As ``decide_graduation`` takes them."""
        data = self.cleaned_data
        return {
            p.person.pk: (not p.standing.is_enough, data[f"reason_{p.person.pk}"].strip())
            for p in self.proposals
            if data[f"choice_{p.person.pk}"] == OTHERWISE
        }


# --- Of a class -------------------------------------------------------------------------------------------------------


def class_view(desk: Any, request: HttpRequest, training_class: TrainingClass) -> HttpResponse:
    """Everybody of the class whom the reader may see, with the proposal; posted, the decision is taken."""
    if not request.user.has_perm("courses.add_graduation"):
        raise PermissionDenied
    enrolled = training_class.enrolments.enrolled()
    own = Participation.objects.visible_to(request.user).filter(pk__in=enrolled.values("participation"))
    people = list(own.select_related("trainee__county", "cohort__programme").order_by("trainee__name", "pk"))
    undecided = [person for person in people if person.state == ParticipationState.TRAINING]
    standings = training_standings(undecided)
    proposals = [Proposal(person, standings[person.pk]) for person in undecided if person.pk in standings]
    form = DecisionForm(request.POST or None, proposals=proposals)
    if request.method == "POST" and form.is_valid() and _decide_class(request, training_class, form):
        desk.log_change(request, training_class, gettext("Graduation decided"))
        return HttpResponseRedirect(request.path)
    context = {
        **desk.admin_site.each_context(request),
        "title": gettext("Graduation of %(class)s") % {"class": training_class},
        "media": desk.media + form.media,
        "form": form,
        "training_class": training_class,
        "back": reverse("admin:courses_trainingclass_change", args=[quote(training_class.pk)]),
        "count_ready": sum(proposal.standing.is_enough for proposal in proposals),
        "has_no_rule": bool(undecided) and not proposals,
        "decided": [person for person in people if person.state != ParticipationState.TRAINING],
        "elsewhere": enrolled.count() - len(people),
        "earlier": _earlier(training_class),
    }
    return TemplateResponse(request, "admin/desk/decide_class.html", context)


def _decide_class(request: HttpRequest, training_class: TrainingClass, form: DecisionForm) -> bool:
    overrides, on = form.overrides(), form.cleaned_data["on"]
    people = [proposal.person for proposal in form.proposals]
    try:
        with transaction.atomic():
            decision = decide_graduation(
                people,
                cohort=training_class.cohort,
                on=on,
                by=request.user,
                training_class=training_class,
                overrides=overrides,
            )
            graduated = set(decision.graduations.values_list("participation_id", flat=True))
            late, wanted = _not_graduated(form.proposals, overrides, graduated, on)
            if not graduated and not decision.holds.exists():
                raise RuleBroken(_nobody(late))
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
        return False
    _tell(request, len(graduated), len(overrides) - sum(graduates for graduates, _why in overrides.values()), on)
    if late:
        messages.warning(request, gettext("Still have sessions after that day: %(names)s.") % {"names": _names(late)})
    if wanted:
        names = {"names": _names(wanted)}
        messages.warning(request, gettext("Somebody else has just changed these people: %(names)s.") % names)
    return True


def _not_graduated(
    proposals: Sequence[Proposal], overrides: Mapping[int, tuple[bool, str]], graduated: set[int], on: date
) -> tuple[list[Participation], list[Participation]]:
    """Who was to graduate and did not: those taught after the day, and those somebody else has just changed."""
    late: list[Participation] = []
    others: list[Participation] = []
    for proposal in proposals:
        pk = proposal.person.pk
        wanted = overrides[pk][0] if pk in overrides else proposal.standing.is_enough
        if wanted and pk not in graduated:
            is_late = proposal.last_day is not None and proposal.last_day > on
            (late if is_late else others).append(proposal.person)
    return late, others


def _nobody(late: Sequence[Participation]) -> str:
    if late:
        return gettext("Nobody graduates: %(names)s still have sessions after that day.") % {"names": _names(late)}
    return gettext("Nobody here meets the rule, and for nobody it was decided otherwise.")


def _names(people: Sequence[Participation]) -> str:
    named = gettext(", ").join(person.trainee.name for person in people[:NAMES_SHOWN])
    return named + (" …" if len(people) > NAMES_SHOWN else "")


def _tell(request: HttpRequest, graduated: int, kept: int, on: date) -> None:
    sentence = ngettext("%(count)s person graduated on %(day)s.", "%(count)s people graduated on %(day)s.", graduated)
    messages.success(request, sentence % {"count": graduated, "day": date_format(on, "DATE_FORMAT")})
    if kept:
        sentence = ngettext("%(count)s person was kept back.", "%(count)s people were kept back.", kept)
        messages.success(request, sentence % {"count": kept})


def _earlier(training_class: TrainingClass) -> Section | None:
    found = GraduationDecision.objects.filter(training_class=training_class).select_related("by")
    rows = [
        (moment(d.at), d.on, d.by, d.graduated, d.kept)
        for d in found.annotate(
            graduated=Count("graduations", distinct=True), kept=Count("holds", distinct=True)
        ).order_by("-pk")
    ]
    headings = [_("decided at"), _("day of graduation"), _("by"), _("graduated"), _("kept back")]
    return table(_("Decisions so far"), headings, rows) if rows else None


# --- Of a cohort ------------------------------------------------------------------------------------------------------


def cohort_view(desk: Any, request: HttpRequest, cohort_id: int) -> HttpResponse:
    """How many of the cohort meet the rule; posted, they all graduate.

    Whoever sees the whole country decides about the whole cohort, everybody else about the people of their regions.
    """
    if not request.user.has_perm("courses.add_graduation"):
        raise PermissionDenied
    cohort = Cohort.objects.select_related("programme").filter(pk=cohort_id).first()
    if cohort is None:
        raise Http404
    people = Participation.objects.visible_to(request.user).filter(cohort=cohort, state=ParticipationState.TRAINING)
    form = DecisionForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _decide_cohort(request, cohort, form.cleaned_data["on"]):
        return HttpResponseRedirect(request.path)
    context = {
        **desk.admin_site.each_context(request),
        "title": gettext("Graduation of %(class)s") % {"class": cohort},
        "media": desk.media + form.media,
        "form": form,
        "back": reverse("admin:programmes_cohort_change", args=[quote(cohort.pk)]),
        "in_training": people.count(),
        "count_ready": ready_to_graduate(people).count(),
        "has_no_rule": not cohort.graduation_rules.current().exists(),
        "is_everybody": scope_of(request.user).everything,
        "list_of_ready": f"{reverse('admin:programmes_participation_changelist')}"
        f"?graduation=ready&cohort__id__exact={cohort.pk}",
    }
    return TemplateResponse(request, "admin/desk/decide_cohort.html", context)


def _decide_cohort(request: HttpRequest, cohort: Cohort, on: date) -> bool:
    people = None
    if not scope_of(request.user).everything:
        people = list(ready_to_graduate(Participation.objects.visible_to(request.user).filter(cohort=cohort)))
    try:
        with transaction.atomic():
            decision = decide_graduation(people, cohort=cohort, on=on, by=request.user)
            count = decision.graduations.count()
            if not count:
                raise RuleBroken(gettext("Nobody graduates: nobody meets the rule without sessions after that day."))
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
        return False
    _tell(request, count, 0, on)
    remaining = Participation.objects.visible_to(request.user).filter(cohort=cohort)
    if late := ready_to_graduate(remaining).count():
        sentence = ngettext(
            "%(count)s person who meets the rule still has sessions after that day.",
            "%(count)s people who meet the rule still have sessions after that day.",
            late,
        )
        messages.warning(request, sentence % {"count": late})
    return True
