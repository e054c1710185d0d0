"""The staff desk's pages of this room: people who may be one, two of them side by side, and the decision."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from incubator.common.dates import moment
from incubator.common.desk import (
    Colours,
    Move,
    NoQuestions,
    QuestionFilter,
    Reason,
    ScopedAdmin,
    Section,
    adopt,
    extend_desk,
    link_to,
    table,
)
from incubator.common.errors import RuleBroken
from incubator.duplicates.choices import PairState
from incubator.duplicates.models import DuplicatePair, Merge
from incubator.duplicates.people import differing, suggested
from incubator.duplicates.plan import Plan, plan_merge
from incubator.duplicates.queries import Line, Strand, lines_of, people_of, strands_of, suggested_to_stay
from incubator.duplicates.services import (
    MERGE_PERMISSION,
    UNDO_DAYS,
    ask_again,
    decide_different,
    fingerprint,
    may_decide,
    merge_people,
    name_pair,
    undo_merge,
    undo_obstacles,
    undo_until,
)
from trainees.models import Trainee
from trainees.queries import person_q


class Remark(NoQuestions):
    """Asks for a remark, which may stay empty."""

    remark = forms.CharField(
        label=_("Remark"), max_length=200, required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2})
    )


def to_decide(rows: QuerySet) -> QuerySet:
    """Those that wait for a decision."""
    return rows.filter(state=PairState.OPEN)


class DecisionFilter(QuestionFilter):
    """Shows what waits for a decision unless asked for something else."""

    title = _("decision")
    parameter_name = "decision"
    all_option = None
    questions = {
        "open": (_("to be decided"), to_decide),
        "same": (_("the same person"), lambda rows: rows.filter(state=PairState.SAME)),
        "different": (_("decided: two people"), lambda rows: rows.filter(state=PairState.DIFFERENT)),
        "all": (_("all"), lambda rows: rows),
    }

    def value(self) -> str:
        return super().value() or "open"


class MergeForm(forms.Form):
    """Which of two records stays, and for each field that differs whose value is kept."""

    remark = forms.CharField(
        label=_("Remark"), max_length=200, required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2})
    )
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, one: Trainee, other: Trainee, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        both = [(str(one.pk), one.number), (str(other.pk), other.number)]
        names = ["stays", *(f"keep_{kept.name}" for kept in differing(one, other))]
        self.fields |= {name: forms.ChoiceField(choices=both, widget=forms.RadioSelect) for name in names}

    @property
    def kept(self) -> dict[str, int]:
        """Field name to the key of the record whose value is kept."""
        prefix = "keep_"
        return {
            name.removeprefix(prefix): int(value)
            for name, value in self.cleaned_data.items()
            if name.startswith(prefix)
        }


class PairForm(forms.ModelForm):
    """Two people in any order."""

    def clean(self) -> dict[str, Any]:
        both = [self.cleaned_data[name] for name in ("first", "second") if self.cleaned_data.get(name)]
        if len(both) == 2:
            self.cleaned_data["first"], self.cleaned_data["second"] = sorted(both, key=lambda person: person.pk)
        return super().clean() or self.cleaned_data


class SideBySide:
    """What the page of an open or decided pair shows of two people who are both there."""

    def __init__(self, request: HttpRequest, pair: DuplicatePair) -> None:
        people = people_of(pair.first_id, pair.second_id)  # type: ignore[arg-type]
        self.one, self.other = people[pair.first_id], people[pair.second_id]  # type: ignore[index]
        self.plan: Plan = plan_merge(self.one.pk, self.other.pk)
        self._request = request
        self._lines = lines_of(self.one, self.other)

    def form(self) -> MergeForm:
        """The form with what is suggested."""
        stays = suggested_to_stay(self.one, self.other, self.plan)
        goes = self.other if stays is self.one else self.one
        initial = {f"keep_{name}": str(pk) for name, pk in suggested(stays, goes).items()}
        initial |= {"stays": str(stays.pk), "seen": fingerprint(self.one, self.other, self.plan)}
        return MergeForm(self.one, self.other, initial=initial)

    def posted(self) -> MergeForm:
        return MergeForm(self.one, self.other, self._request.POST)

    def context(self, form: MergeForm | None) -> dict[str, Any]:
        """``lines`` are facts, each with two radio buttons where a value is chosen."""
        return {
            "one": self.one,
            "other": self.other,
            "form": form,
            "stays": list(form["stays"]) if form is not None else None,
            "lines": [(line, self._choice(line, form)) for line in self._lines],
            "strands": [self._tables(strand) for strand in strands_of(self._request.user, self.one, self.other)],
            "joined": self.plan.joined,
            "obstacles": self.plan.obstacles,
        }

    @staticmethod
    def _choice(line: Line, form: MergeForm | None) -> list[tuple[str, Any]] | None:
        """Both values with their radio buttons; None where nothing is chosen."""
        name = f"keep_{line.name}"
        if form is None or name not in form.fields:
            return None
        return list(zip(line.texts, form[name], strict=True))

    def _tables(self, strand: Strand) -> tuple[Any, list[Section]]:
        both = zip((self.one, self.other), strand.rows, strict=True)
        return strand.title, [table(p.number, strand.headings, rows, empty=_("None.")) for p, rows in both]


@admin.register(DuplicatePair)
class DuplicatePairAdmin(ScopedAdmin):
    """People who may be one person. Both halves of a pair are of the region of whoever sees it."""

    may_edit = False
    form = PairForm
    list_display = ["one", "other", "county", "why_label", "asked_at", "state_label"]
    list_display_links = ["one", "other"]
    list_filter = [DecisionFilter, "why", "first__county"]
    list_select_related = ["first__county", "second__county"]
    search_fields = ["first__number"]
    search_help_text = _("Number, beginning of the name, or a whole mobile or ID number")
    autocomplete_fields = ["first", "second"]
    fields = [("first", "second")]
    moves = [
        Move("different", _("They are two people"), decide_different, form=Remark, states=[PairState.OPEN]),
        Move("again", _("Ask again"), ask_again, states=[PairState.DIFFERENT]),
        Move(
            "undo",
            _("Undo the merge"),
            undo_merge,
            form=Reason,
            states=[PairState.SAME],
            permission=MERGE_PERMISSION,
        ),
    ]

    class Media:
        css = {"all": ["admin/duplicates.css"]}

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        if not search_term.strip():
            return queryset, False
        return queryset.filter(person_q(search_term, "first__") | person_q(search_term, "second__")), False

    def save_model(self, request: HttpRequest, obj: DuplicatePair, form: Any, change: bool) -> None:
        adopt(obj, name_pair(form.cleaned_data["first"], form.cleaned_data["second"], by=request.user))

    # The page

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        """Two people side by side, with the decision; of a merged pair what was done and whether it can be undone."""
        pair = self.get_object(request, unquote(object_id))
        if pair is None or not self.has_view_permission(request, pair):
            raise Http404
        if pair.state == PairState.SAME:
            return self._page(request, pair, _merge_context(pair))
        beside = SideBySide(request, pair)
        form = beside.form() if self._may_merge(request, pair) else None
        if request.method == "POST":
            if form is None:
                raise PermissionDenied
            form = beside.posted()
            if form.is_valid() and self._merge(request, pair, form):
                return HttpResponseRedirect(request.path)
        return self._page(request, pair, beside.context(form))

    def _may_merge(self, request: HttpRequest, pair: DuplicatePair) -> bool:
        is_open = pair.state == PairState.OPEN
        return is_open and request.user.has_perm(MERGE_PERMISSION) and may_decide(pair, request.user)

    def _merge(self, request: HttpRequest, pair: DuplicatePair, form: MergeForm) -> bool:
        """Merge as the form says; a refusal stands on the form."""
        answers = form.cleaned_data
        try:
            merge = merge_people(
                pair,
                stays=int(answers["stays"]),
                kept=form.kept,
                by=request.user,
                seen=answers["seen"],
                remark=answers["remark"],
            )
        except RuleBroken as refusal:
            form.add_error(None, str(refusal))
            return False
        self.log_change(request, pair, gettext("Merged"))
        sentence = gettext("%(former)s is now %(now)s. This can be undone for %(days)s days.")
        now = {"former": merge.former_number, "now": merge.survivor.number, "days": UNDO_DAYS}
        messages.success(request, sentence % now)
        return True

    def _page(self, request: HttpRequest, pair: DuplicatePair, more: dict[str, Any]) -> HttpResponse:
        decides = may_decide(pair, request.user)
        moves = [
            (move, move.form(request=request, auto_id=f"{move.name}_%s"))
            for move in self.all_moves
            if decides and move.fits(pair) and self.may_move(request, move)
        ]
        if more.get("obstacles_of_undoing"):
            moves = [(move, form) for move, form in moves if move.name != "undo"]
        context = {
            **self.admin_site.each_context(request),
            "title": capitalised(pair._meta.verbose_name),
            "media": self.media,
            "opts": self.opts,
            "original": pair,
            "pair": pair,
            "moves": moves,
            "is_elsewhere": not decides,
            "merges": _earlier_merges(pair),
            **more,
        }
        return TemplateResponse(request, "admin/duplicates/pair.html", context)

    # Columns

    @display(description=_("one person"), ordering="first__number")
    def one(self, row: DuplicatePair) -> str:
        return str(row.first or "-")

    @display(description=_("other person"), ordering="second__number")
    def other(self, row: DuplicatePair) -> str:
        return str(row.second or "-")

    @display(description=_("county"), ordering="first__county")
    def county(self, row: DuplicatePair) -> str:
        names = [person.county.name for person in (row.first, row.second) if person is not None]
        return " / ".join(dict.fromkeys(names))

    @display(description=_("why asked"), ordering="why")
    def why_label(self, row: DuplicatePair) -> str:
        return row.get_why_display()

    @display(description=_("decision"), ordering="state", label=Colours({PairState.OPEN: "warning"}))
    def state_label(self, row: DuplicatePair) -> tuple[str, str]:
        return row.state, row.get_state_display()


def capitalised(words: Any) -> str:
    text = str(words)
    return text[:1].upper() + text[1:]


def _merge_context(pair: DuplicatePair) -> dict[str, Any]:
    merge = pair.merges.in_force().select_related("survivor__county", "by").get()
    return {
        "merge": merge,
        "survivor": link_to(merge.survivor),
        "until": undo_until(merge),
        "obstacles_of_undoing": undo_obstacles(merge, at=timezone.now()),
    }


def _earlier_merges(pair: DuplicatePair) -> Section | None:
    """Merges of this pair that were undone."""
    undone = pair.merges.exclude(undone_at=None).select_related("survivor", "by", "undone_by")
    rows = [(str(m), f"{moment(m.at)} {m.by}", f"{moment(m.undone_at)} {m.undone_by}", m.why_undone) for m in undone]
    headings = [_("merge"), _("merged"), _("undone"), _("why undone")]
    return table(_("Merged and undone before"), headings, rows) if rows else None


# --- Added to a trainee's pages ---------------------------------------------------------------------------------------


class OtherNumber(NoQuestions):
    """Asks for the number of the other record, where not both were chosen in the list."""

    number = forms.CharField(
        label=_("Number of the other record"), max_length=20, required=False, widget=UnfoldAdminTextInputWidget
    )


def _name_in_list(people: list[Trainee], *, by: Any, number: str = "") -> DuplicatePair:
    if len(people) == 2 and not number:
        return name_pair(people[0], people[1], by=by)
    if len(people) != 1 or not number:
        raise RuleBroken(gettext("Choose two people in the list, or one and write the number of the other record."))
    other = Trainee.objects.visible_to(by).filter(number=number.strip().upper()).first()
    if other is None:
        raise RuleBroken(
            gettext(
                "Nobody whom you may see has this number. If the person takes part elsewhere, ask the programme's head "
                "office."
            )
        )
    return name_pair(people[0], other, by=by)


def _questions(request: HttpRequest, trainee: Trainee) -> Section | None:
    """Whom this person may be the same as, and which records were merged into this one."""
    if not request.user.has_perm("duplicates.view_duplicatepair"):
        return None
    pairs = DuplicatePair.objects.visible_to(request.user).select_related("first", "second")
    rows: list[tuple] = [
        (link_to(p, _other_half(p, trainee)), p.get_why_display(), p.get_state_display())
        for p in (pairs.filter(first=trainee) | pairs.filter(second=trainee)).order_by("pk")
        if p.state != PairState.SAME
    ]
    merges = Merge.objects.in_force().visible_to(request.user).filter(survivor=trainee).select_related("pair")
    rows += [(link_to(m.pair, m.former_number), "-", PairState.SAME.label) for m in merges]
    return table(_("Entered twice?"), [_("other person"), _("why asked"), _("decision")], rows) if rows else None


def _other_half(pair: DuplicatePair, trainee: Trainee) -> Trainee | None:
    return pair.second if pair.first_id == trainee.pk else pair.first


extend_desk(
    Trainee,
    sections=[_questions],
    moves=[
        Move(
            "entered_twice",
            _("Entered twice?"),
            _name_in_list,
            form=OtherNumber,
            permission="duplicates.add_duplicatepair",
            together=True,
        )
    ],
)
