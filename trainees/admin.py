"""The staff desk's pages of this room. What a trainee took part in, earned and was given is added by higher rooms."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from incubator.common.desk import ScopedAdmin
from incubator.common.exports import Exported
from trainees.models import Trainee
from trainees.queries import person_q


def year_of_birth(trainee: Trainee) -> int | None:
    """The whole day would fill the gap in the masked ID number."""
    return trainee.born_on.year if trainee.born_on else None


@admin.register(Trainee)
class TraineeAdmin(ScopedAdmin):
    """People come from rosters, so none are added here; identity is what the roster said."""

    may_add = False
    is_long = True
    list_display = ["number", "name", "county_path", "phone_masked"]
    list_filter = ["county", "background", "sex"]
    list_select_related = ["county__province", "county__prefecture"]
    search_fields = ["number"]
    search_help_text = _("Number, beginning of the name, or a whole mobile or ID number")
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
    readonly_fields = ["number", "county_path", "sex", "born_on", "id_masked", "phone_masked", "login", "created_at"]
    fieldsets = [
        (None, {"fields": [("number", "name"), ("county_path", "township"), ("background", "education")]}),
        (_("Person"), {"fields": [("sex", "born_on"), ("id_masked", "phone_masked"), ("login", "created_at")]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """ID numbers stay ciphertext where no page asks for them."""
        return super().get_queryset(request).defer("id_number")

    def rows_to_export(self, rows: QuerySet) -> QuerySet:
        """Files have the ID number, masked or not."""
        return rows.defer(None)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        return (queryset.filter(person_q(search_term)) if search_term.strip() else queryset), False

    @display(description=_("county"), ordering="county")
    def county_path(self, trainee: Trainee) -> str:
        return trainee.county.path_name

    @display(description=_("ID number"))
    def id_masked(self, trainee: Trainee) -> str:
        return trainee.masked_id_number or "-"

    @display(description=_("phone"))
    def phone_masked(self, trainee: Trainee) -> str:
        return trainee.masked_phone or "-"

    @display(description=_("login"))
    def login(self, trainee: Trainee) -> Any:
        return trainee.user.username if trainee.user else None
