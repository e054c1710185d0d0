"""The staff desk's pages of this room. What a trainee took part in, earned and was given is added by higher rooms."""

from typing import Any

from django.apps import apps
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from incubator.common.dates import moment
from incubator.common.desk import (
    HAPPENINGS_SHOWN,
    Happening,
    Part,
    ReadOnlyAdmin,
    ScopedAdmin,
    Section,
    table,
)
from incubator.common.exports import Exported
from incubator.common.long_lists import DaysFilter
from incubator.common.masking import mask_birth
from incubator.regions.filters import RegionFilter
from trainees import revealing  # noqa: F401 - adds to the page
from trainees.desk import SearchedByPerson
from trainees.history import in_words
from trainees.models import FormerNumber, Trainee, TraineeChange
from trainees.queries import NUMBER, SEARCH_HELP
from trainees.services import change_trainee


def _history(request: HttpRequest, trainee: Trainee, told: list[Happening]) -> Section:
    """What was changed about the person and what higher rooms ``told``, the newest first."""
    own = TraineeChange.objects.visible_to(request.user).filter(trainee=trainee).select_related("by")
    part = Part.of(own, HAPPENINGS_SHOWN)
    happened = [_happening(*pair) for pair in zip(part.rows, in_words(part.rows), strict=True)]
    if not part.has_more:
        happened.append(Happening(trainee.created_at, _("Entered")))
    newest = sorted([*happened, *told], key=lambda one: one.at, reverse=True)[:HAPPENINGS_SHOWN]
    rows = [(moment(one.at), one.what, one.by or "-", one.why or "-") for one in newest]
    more = part.link(TraineeChange, trainee.number) if request.user.has_perm("trainees.view_traineechange") else None
    return table(_("History"), [_("at"), _("what happened"), _("by whom"), _("why")], rows, more=more)


def _happening(change: TraineeChange, words: str) -> Happening:
    what = f"{change.get_kind_display()} · {words}" if words else change.get_kind_display()
    return Happening(change.at, what, change.by, change.why or _origin(change))


def _origin(change: TraineeChange) -> Any:
    """A link to the row that a change came from, an import or a merge."""
    label, _slash, pk = change.origin.partition("/")
    try:
        url = reverse(f"admin:{label.replace('.', '_')}_change", args=[pk])
    except NoReverseMatch:
        return change.origin
    return format_html('<a class="desk-link" href="{}">{}</a>', url, apps.get_model(label)._meta.verbose_name)


def year_of_birth(trainee: Trainee) -> int | None:
    """The whole day would fill the gap in the masked ID number."""
    return trainee.born_on.year if trainee.born_on else None


@admin.register(Trainee)
class TraineeAdmin(SearchedByPerson, ScopedAdmin):
    """People come from rosters, so none are added here; identity is what the roster said."""

    person_path = ""
    may_add = False
    is_long = True
    list_display = ["number", "name", "county_path", "phone_masked"]
    list_filter = [("county", RegionFilter), "background", "sex", ("created_at", DaysFilter)]
    list_select_related = ["county__province", "county__prefecture"]
    search_fields = ["number"]
    sortable_by = ["number"]  # by anything else a million people would be sorted for a page
    search_help_text = SEARCH_HELP
    exported = [
        Exported("phone_masked", _("phone"), "phone", masked=lambda trainee: trainee.masked_phone or None),
        Exported(
            "id_number",
            _("ID number"),
            "id_number",
            masked=lambda trainee: trainee.masked_id_number or None,
            after="phone_masked",
        ),
        Exported("sex", _("sex"), "sex", after="name"),
        Exported("born_on", _("date of birth"), "born_on", masked=lambda trainee: year_of_birth(trainee), after="sex"),
        Exported("township", _("township"), "township", after="county_path"),
        Exported("background", _("background"), "background"),
        Exported("education", _("education"), "education"),
        Exported("created_at", _("entered at"), "created_at"),
    ]
    readonly_fields = [
        "number", "county_path", "sex", "born_masked", "id_masked", "phone_masked", "login", "created_at",
    ]  # fmt: skip
    fieldsets = [
        (None, {"fields": [("number", "name"), ("county_path", "township"), ("background", "education")]}),
        (_("Person"), {"fields": [("sex", "born_masked"), ("id_masked", "phone_masked"), ("login", "created_at")]}),
    ]
    has_contents = True
    compressed_fields = True

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """ID numbers stay ciphertext where no page asks for them."""
        return super().get_queryset(request).defer("id_number")

    def get_ordering(self, request: HttpRequest) -> list[str]:
        """The newest first; asked for days of entry, by those: else they would be looked for among everybody."""
        by_days = request.GET.get("created_at_from") or request.GET.get("created_at_to")
        return ["-created_at", "-pk"] if by_days else ["-pk"]

    def save_model(self, request: HttpRequest, obj: Trainee, form: Any, change: bool) -> None:
        change_trainee(obj, by=request.user, values={n: form.cleaned_data[n] for n in form.changed_data})

    def get_sections(self, request: HttpRequest, obj: Trainee) -> list[Section]:
        """The history is below everything else."""
        return [*super().get_sections(request, obj), _history(request, obj, self.happenings(request, obj))]

    def rows_to_export(self, rows: QuerySet) -> QuerySet:
        """Files have the ID number, masked or not."""
        return rows.defer(None)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        self._tell_new_number(request, queryset, search_term)
        return super().get_search_results(request, queryset, search_term)

    def _tell_new_number(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> None:
        """Who looks for a number that somebody had before is told what it is now."""
        term = search_term.strip().upper()
        if not self._is_list(request) or not NUMBER.fullmatch(term):
            return
        former = FormerNumber.objects.filter(number=term, trainee__in=queryset).select_related("trainee").first()
        if former is not None:
            sentence = gettext("%(former)s is now %(now)s: the two were the same person.")
            messages.info(request, sentence % {"former": former.number, "now": former.trainee.number})

    @display(description=_("county"))
    def county_path(self, trainee: Trainee) -> str:
        return trainee.county.path_name

    @display(description=_("date of birth"))
    def born_masked(self, trainee: Trainee) -> str:
        return mask_birth(trainee.born_on) or "-"

    @display(description=_("ID number"))
    def id_masked(self, trainee: Trainee) -> str:
        return trainee.masked_id_number or "-"

    @display(description=_("phone"))
    def phone_masked(self, trainee: Trainee) -> str:
        return trainee.masked_phone or "-"

    @display(description=_("login"))
    def login(self, trainee: Trainee) -> Any:
        return trainee.user.username if trainee.user else None


@admin.register(TraineeChange)
class TraineeChangeAdmin(SearchedByPerson, ReadOnlyAdmin):
    """Who changed what about people, as far as one sees them."""

    person_path = "trainee"
    is_long = True
    list_display = ["at", "person", "kind", "changed", "by", "why"]
    list_filter = ["kind", ("trainee__county", RegionFilter), ("at", DaysFilter)]
    list_select_related = ["trainee", "by"]
    search_fields = ["trainee__number"]
    search_help_text = SEARCH_HELP
    exported = [Exported("changed", _("changed"), lambda change: in_words([change], regions={})[0] or None)]
    sortable_by: list[str] = []
    fields = ["trainee", "kind", "changed", ("by", "at"), "why", "came_from"]
    readonly_fields = ["changed", "came_from"]

    @display(description=_("trainee"))
    def person(self, change: TraineeChange) -> str:
        return str(change.trainee)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """All rows of the page are put into words at once."""
        changelist = super().get_changelist_instance(request)
        for change, words in zip(changelist.result_list, in_words(changelist.result_list), strict=True):
            change.words = words
        return changelist

    @display(description=_("changed"))
    def changed(self, change: Any) -> str:
        return (change.words if hasattr(change, "words") else in_words([change])[0]) or "-"

    @display(description=_("came from"))
    def came_from(self, change: TraineeChange) -> Any:
        return _origin(change) or "-"
