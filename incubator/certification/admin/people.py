"""Added to the pages of trainees and participations."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from incubator.certification.models import Award, Candidate
from incubator.common.desk import (
    HAPPENINGS_SHOWN,
    Happening,
    Part,
    Section,
    extend_desk,
    link_to,
    number,
    table,
)
from incubator.programmes.models import Participation
from trainees.models import Trainee


def _awards(request: HttpRequest, trainee: Trainee) -> Section | None:
    if not request.user.has_perm("certification.view_award"):
        return None
    part = Part.of(Award.objects.visible_to(request.user).filter(trainee=trainee).select_related("badge"))
    rows = [
        (link_to(a, a.number), a.badge, a.awarded_on, _("withdrawn") if a.withdrawn_at else _("valid"))
        for a in part.rows
    ]
    headings = [_("certificate number"), _("badge"), _("awarded on"), _("state")]
    more = part.link(Award, trainee.number)
    return table(_("Awards"), headings, rows, empty=_("None."), more=more, note=part.count)


def _candidacies(request: HttpRequest, trainee: Trainee) -> Section | None:
    if not request.user.has_perm("certification.view_candidate"):
        return None
    found = Candidate.objects.visible_to(request.user).filter(participation__trainee=trainee)
    part = Part.of(found.select_related("rule__badge"))
    rows = [
        (link_to(c, c.rule), c.crossed_on, number(c.followers), c.get_state_display(), c.reason or "-")
        for c in part.rows
    ]
    headings = [_("rule"), _("reached on"), _("followers that day"), _("state"), _("reason")]
    more = part.link(Candidate, trainee.number, decision="all")
    return table(_("Candidacies"), headings, rows, empty=_("None."), more=more, note=part.count)


def _decisions(request: HttpRequest, trainee: Trainee) -> Iterator[Happening]:
    """Candidacies decided and awards withdrawn."""
    if not request.user.has_perm("certification.view_candidate"):
        return
    own = Candidate.objects.visible_to(request.user).filter(participation__trainee=trainee)
    decided: Any = own.exclude(decided_at=None).select_related("rule__badge", "decided_by", "award__withdrawn_by")
    for candidate in decided.order_by("-decided_at")[:HAPPENINGS_SHOWN]:
        words = f"{candidate.rule} · {candidate.get_state_display()}"
        yield Happening(candidate.decided_at, words, candidate.decided_by, candidate.reason)
        award = getattr(candidate, "award", None)
        if award is not None and award.withdrawn_at:
            words = gettext("Award %(number)s withdrawn") % {"number": award.number}
            yield Happening(award.withdrawn_at, words, award.withdrawn_by, award.withdrawal_reason)


extend_desk(Trainee, sections=[_candidacies, _awards], happenings=[_decisions])
extend_desk(Participation, sections=[lambda request, participation: _awards(request, participation.trainee)])
