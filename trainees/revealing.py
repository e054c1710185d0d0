"""The desk's way to an ID number or phone in full: with a permission and a reason, for one answer, recorded.

It is asked for by POST and stands in no address, no log and no cache; to see it again is to ask again.
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from unfold.widgets import UnfoldAdminTextInputWidget

from incubator.accounts.models import AccessRecord
from incubator.common.desk import Section, extend_desk
from incubator.common.errors import RuleBroken
from trainees.models import Trainee
from trainees.services import reveal

PERMISSION = "trainees.reveal_personal_data"
RECORDS_SHOWN = 20
FIELDS = {"phone": gettext_lazy("phone"), "id_number": gettext_lazy("ID number")}  # Enter shows the first


class RevealForm(forms.Form):
    """Why it is needed. Which of the two is shown is said by the button."""

    reason = forms.CharField(
        label=gettext_lazy("What you need it for"),
        max_length=200,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )


@never_cache
def reveal_view(request: HttpRequest, pk: int) -> HttpResponse:
    """One number in full, in the answer to a POST."""
    trainee = get_object_or_404(Trainee.objects.visible_to(request.user), pk=pk)
    if not request.user.has_perms(["trainees.view_trainee", PERMISSION]):  # type: ignore[union-attr]
        raise PermissionDenied
    page = reverse("admin:trainees_trainee_change", args=[pk])
    if request.method != "POST":
        return HttpResponseRedirect(page)
    field, form = request.POST.get("field", ""), RevealForm(request.POST)
    try:
        reason = form.cleaned_data["reason"] if form.is_valid() else ""
        shown = reveal(trainee, field, by=request.user, reason=reason, at=timezone.now())  # type: ignore[arg-type]
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(page)
    context = {
        **admin.site.each_context(request),
        "title": str(trainee),
        "page": page,
        "what": FIELDS[field],
        "shown": shown,
        "reason": reason,
    }
    return TemplateResponse(request, "admin/trainees/revealed.html", context)


def _section(request: HttpRequest, trainee: Trainee) -> Section | None:
    """The buttons for whoever may, and for everybody who sees the page who had something shown."""
    may = request.user.has_perm(PERMISSION)  # type: ignore[union-attr]
    context = {
        "url": reverse("trainee_reveal", args=[trainee.pk]),
        "form": RevealForm(auto_id="reveal_%s") if may else None,
        "fields": FIELDS.items(),
        "headings": [_("When"), _("Who"), _("What"), _("Reason")],
        "records": _records(trainee),
    }
    html = render_to_string("admin/trainees/reveal.html", context, request)
    return Section(_("ID number and phone in full"), html)


def _records(trainee: Trainee) -> list[list[Any]]:
    records = AccessRecord.objects.filter(what=Trainee._meta.label_lower, row=str(trainee.pk)).select_related("by")
    return [
        [
            date_format(timezone.localtime(record.at), "Y-m-d H:i"),
            record.by,
            ", ".join(str(FIELDS.get(name, name)) for name in record.fields),
            Truncator(record.reason).chars(80),
        ]
        for record in records[:RECORDS_SHOWN]
    ]


extend_desk(Trainee, sections=[_section])
