"""Why not? On the pages of participations and trainees, and a page of its own for whoever answers the telephone."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from incubator.certification.explaining import Explanation, explain_all
from incubator.certification.services import current_rules
from incubator.common.desk import Section, extend_desk
from incubator.programmes.models import Participation
from trainees.models import Trainee
from trainees.queries import SEARCH_HELP, person_q

PERMISSION = "certification.explain_candidate"
MOST_PARTICIPATIONS = 3  # the newest of a person
MOST_FOUND = 10


def explanations_of(participations: Sequence[Participation]) -> list[Explanation]:
    """Of each by every rule that decides today."""
    on = timezone.localdate()
    return explain_all(participations, current_rules(on), on=on)


def _newest_of(user: Any, trainee: Trainee) -> list[Participation]:
    own = Participation.objects.visible_to(user).filter(trainee=trainee)
    return list(own.select_related("trainee", "cohort__programme").order_by("-pk")[:MOST_PARTICIPATIONS])


# --- Sections ---------------------------------------------------------------------------------------------------------


def _of_participation(request: HttpRequest, participation: Participation) -> Section | None:
    return _section(request, [participation])


def _of_trainee(request: HttpRequest, trainee: Trainee) -> Section | None:
    if not request.user.has_perm(PERMISSION):  # type: ignore[union-attr]
        return None
    return _section(request, _newest_of(request.user, trainee))


def _section(request: HttpRequest, participations: Sequence[Participation]) -> Section | None:
    if not request.user.has_perm(PERMISSION):  # type: ignore[union-attr]
        return None
    explanations = explanations_of(participations)
    if not explanations:
        return None
    return Section(_("Why not?"), render_to_string("admin/certification/why.html", {"explanations": explanations}))


extend_desk(Participation, sections=[_of_participation])
extend_desk(Trainee, sections=[_of_trainee])


# --- For the telephone ------------------------------------------------------------------------------------------------


@never_cache
@require_safe
def hotline_view(request: HttpRequest) -> HttpResponse:
    """Find a person as every list does, and read the answer aloud."""
    user: Any = request.user
    if not user.has_perms(["trainees.view_trainee", PERMISSION]):
        raise PermissionDenied
    people = Trainee.objects.visible_to(user).select_related("county__prefecture", "county__province")
    term, chosen = request.GET.get("q", "").strip(), request.GET.get("trainee", "")
    found: list[Trainee] = []
    if chosen:
        found = [get_object_or_404(people, pk=chosen if chosen.isdecimal() else 0)]
    elif term:
        found = list(people.filter(person_q(term)).order_by("number")[: MOST_FOUND + 1])
    person = found[0] if len(found) == 1 else None
    context = {
        **admin.site.each_context(request),
        "title": _("Why not? For the telephone"),
        "term": term,
        "help": SEARCH_HELP,
        "found": found[:MOST_FOUND],
        "has_more": len(found) > MOST_FOUND,
        "person": person,
        "explanations": explanations_of(_newest_of(user, person)) if person else [],
    }
    return TemplateResponse(request, "admin/certification/hotline.html", context)
