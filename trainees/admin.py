"""The staff desk's pages of this room. What a trainee took part in, earned and was given is added by higher rooms."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from incubator.common.desk import ScopedAdmin
from trainees.models import FormerNumber, Trainee
from trainees.queries import NUMBER, person_q


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
    readonly_fields = ["number", "county_path", "sex", "born_on", "id_masked", "phone_masked", "login", "created_at"]
    fieldsets = [
        (None, {"fields": [("number", "name"), ("county_path", "township"), ("background", "education")]}),
        (_("Person"), {"fields": [("sex", "born_on"), ("id_masked", "phone_masked"), ("login", "created_at")]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """ID numbers stay ciphertext where no page asks for them."""
        return super().get_queryset(request).defer("id_number")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        self._tell_new_number(request, queryset, search_term)
        return (queryset.filter(person_q(search_term)) if search_term.strip() else queryset), False

    def _tell_new_number(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> None:
        """Who looks for a number that somebody had before is told what it is now."""
        term = search_term.strip().upper()
        if not self._is_list(request) or not NUMBER.fullmatch(term):
            return
        former = FormerNumber.objects.filter(number=term, trainee__in=queryset).select_related("trainee").first()
        if former is not None:
            sentence = gettext("%(former)s is now %(now)s: the two were the same person.")
            messages.info(request, sentence % {"former": former.number, "now": former.trainee.number})

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
