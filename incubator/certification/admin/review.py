"""Several candidates side by side, decided one by one and sent together.

Each decision is made in a transaction of its own, by the services that decide on the page of one. A refusal is shown
where it belongs, and what was decided stays decided.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from incubator.certification.admin.evidence import chart_of, day_of_support, flags_of, held_words, seen_token
from incubator.certification.choices import IN_REVIEW, CandidateState
from incubator.certification.models import Candidate, Flag
from incubator.certification.queries import Line, conditions_of, leaps_of_many, readings_around
from incubator.certification.services import approve_candidate, propose_candidate, refuse_candidate
from incubator.common.desk import number
from incubator.common.errors import RuleBroken

MOST = 20
LEAVE, PROPOSE, APPROVE, REFUSE = "leave", "propose", "approve", "refuse"


@dataclass
class Card:
    """One candidate as the page shows it; ``outcome`` is what became of a decision, ``refusal`` why it was not made."""

    candidate: Candidate
    lines: list[Line]
    chart: SafeString
    flags: list[Flag]
    leaps: list[Any]
    user: Any
    form: Any = None
    outcome: str = ""
    refusal: str = ""
    choices: list[tuple[str, Any]] = field(init=False)
    own_proposal: bool = field(init=False)

    def __post_init__(self) -> None:
        self.own_proposal = self.state == CandidateState.PROPOSED and self.candidate.proposed_by_id == self.user.pk
        self.choices = list(self._choices())

    @property
    def state(self) -> str:
        return self.candidate.state

    @property
    def seen(self) -> str:
        return seen_token(self.candidate, sum(flag.cleared_at is None for flag in self.flags))

    @property
    def open_flags(self) -> list[Flag]:
        return [flag for flag in self.flags if flag.cleared_at is None]

    @property
    def unexplained(self) -> list[Any]:
        return [leap for leap in self.leaps if not leap.ran_traffic]

    def _choices(self) -> Iterator[tuple[str, Any]]:
        yield LEAVE, _("leave")
        if self.state in (CandidateState.PENDING, CandidateState.ASKED):
            yield PROPOSE, _("propose")
        if self.state == CandidateState.PROPOSED and not self.own_proposal:
            yield APPROVE, _("approve")
        if self.state in IN_REVIEW:
            yield REFUSE, _("refuse")

    @property
    def figures(self) -> list[tuple[Any, Any]]:
        candidate, participation = self.candidate, self.candidate.participation
        return [
            (_("account"), candidate.account or "-"),
            (_("reached on"), candidate.crossed_on or "-"),
            (_("followers that day"), number(candidate.followers)),
            (_("held"), held_words(candidate)),
            (_("day of the period"), day_of_support(candidate)),
            (_("support until"), participation.support_ends_on or "-"),
            (_("graduated on"), participation.graduated_on or "-"),
        ]


class Decision(forms.Form):
    """What is decided about one candidate, with a remark or a reason."""

    choice = forms.ChoiceField(label=_("Decision"), widget=forms.RadioSelect, initial=LEAVE)
    words = forms.CharField(
        label=_("Remark, or reason of a refusal"),
        max_length=300,
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, data: Any = None, *, card: Card) -> None:
        super().__init__(data, prefix=f"c{card.candidate.pk}", initial={"seen": card.seen, "choice": LEAVE})
        self.fields["choice"].choices = card.choices  # type: ignore[attr-defined]


def review_view(desk: Any, request: HttpRequest) -> HttpResponse:
    """The chosen candidates, as far as the reader sees them; posted, what was decided about each is done."""
    if not request.user.has_perm("certification.change_candidate"):
        raise PermissionDenied
    ids = [int(part) for part in request.GET.get("ids", "").split(",") if part.isdigit()][:MOST]
    cards = cards_of(desk, request, ids)
    if request.method == "POST" and cards:
        results = {card.candidate.pk: _decide(desk, request, card) for card in cards}
        _tell(request, results)
        if not any(refusal for _outcome, refusal, _form in results.values()):
            return HttpResponseRedirect(request.get_full_path())
        cards = cards_of(desk, request, ids)
        for card in cards:
            card.outcome, card.refusal, form = results.get(card.candidate.pk, ("", "", None))
            card.form = form if card.refusal and _still_offers(card, form) else card.form
    context = {
        **desk.admin_site.each_context(request),
        "title": gettext("Candidates side by side"),
        "media": desk.media,
        "candidate_opts": desk.opts,
        "cards": cards,
        "back": reverse("admin:certification_candidate_changelist"),
        "may_decide": any(len(card.choices) > 1 for card in cards),
    }
    return TemplateResponse(request, "admin/certification/review.html", context)


def cards_of(desk: Any, request: HttpRequest, ids: Sequence[int]) -> list[Card]:
    """The cards in the order asked for; as many queries for twenty as for one, but for one a version of a rule."""
    own: QuerySet = desk.get_queryset(request).filter(pk__in=ids).select_related("proposed_by")
    by_pk = {candidate.pk: candidate for candidate in own}
    candidates = [by_pk[pk] for pk in dict.fromkeys(ids) if pk in by_pk]
    lines = conditions_of(candidates, on=timezone.localdate())
    readings = readings_around(candidates)
    leaps = leaps_of_many(candidates)
    flags: dict[int, list[Flag]] = {}
    if request.user.has_perm("certification.view_flag"):
        for flag in flags_of(request, [c.participation.trainee_id for c in candidates]):
            flags.setdefault(flag.account.trainee_id, []).append(flag)
    cards = [
        Card(
            candidate=candidate,
            lines=lines.get(candidate.pk, []),
            chart=chart_of(
                candidate,
                readings.get(candidate.pk, []),
                label=gettext("Followers of %(name)s") % {"name": candidate.participation.trainee.name},
            ),
            flags=flags.get(candidate.participation.trainee_id, []),
            leaps=leaps.get(candidate.pk, []),
            user=request.user,
        )
        for candidate in candidates
    ]
    for card in cards:
        card.form = Decision(card=card)
    return cards


def _decide(desk: Any, request: HttpRequest, card: Card) -> tuple[str, str, Any]:
    """``(what was done, why it was refused, the form)`` of one candidate; nothing for one that is left."""
    form = Decision(request.POST, card=card)
    if not form.is_valid():
        if request.POST.get(form.add_prefix("choice"), LEAVE) == LEAVE:
            return "", "", form
        return "", gettext("This cannot be decided any more, or not by you. Look at it again."), form
    choice, words = form.cleaned_data["choice"], form.cleaned_data["words"]
    if choice == LEAVE:
        return "", "", form
    if form.cleaned_data["seen"] != card.seen:
        return "", gettext("Something changed since this page was opened. Look at it again and decide then."), form
    try:
        with transaction.atomic():
            _carry_out(card.candidate, choice, words, by=request.user)
            desk.log_change(request, card.candidate, str(dict(card.choices)[choice]))
    except RuleBroken as refusal:
        return "", str(refusal), form
    return choice, "", form


def _carry_out(candidate: Candidate, choice: str, words: str, *, by: Any) -> None:
    if choice == PROPOSE:
        propose_candidate(candidate, by=by, remark=words)
    elif choice == APPROVE:
        approve_candidate(candidate, by=by, on=timezone.localdate())
    else:
        refuse_candidate(candidate, by=by, reason=words)


def _still_offers(card: Card, form: Any) -> bool:
    return form is not None and form.data.get(form.add_prefix("choice")) in dict(card.choices)


def _tell(request: HttpRequest, results: dict[int, tuple[str, str, Any]]) -> None:
    done = [outcome for outcome, _refusal, _form in results.values() if outcome]
    refused = sum(bool(refusal) for _outcome, refusal, _form in results.values())
    for choice, words in (
        (PROPOSE, ngettext("%(count)d candidate proposed.", "%(count)d candidates proposed.", done.count(PROPOSE))),
        (APPROVE, ngettext("%(count)d candidate approved.", "%(count)d candidates approved.", done.count(APPROVE))),
        (REFUSE, ngettext("%(count)d candidate refused.", "%(count)d candidates refused.", done.count(REFUSE))),
    ):
        if choice in done:
            messages.success(request, words % {"count": done.count(choice)})
    if refused:
        words = ngettext(
            "%(count)d decision was not made: the reason stands with the candidate.",
            "%(count)d decisions were not made: the reason stands with each candidate.",
            refused,
        )
        messages.error(request, words % {"count": refused})
    elif not done:
        messages.info(request, gettext("Nothing was decided."))
