"""One's own credential as a file, and whether strangers who verify the certificate read one's name."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from incubator.certification.services.names import agree_to_show_name, take_back_name
from incubator.common.errors import RuleBroken
from incubator.credentials.services import issue_credential
from incubator.portal.people import own_award


@never_cache
@require_safe
def own_credential(request: HttpRequest, number: str) -> HttpResponse:
    """One's own signed credential, named by the certificate's number. Issued now where that is still to come."""
    award = own_award(request, number)
    try:
        credential = issue_credential(award)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
        return redirect("certificate", number=number)
    answer = HttpResponse(credential.text, content_type="application/vc+ld+json; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{award.number}.json"'
    return answer


@require_POST
def show_name(request: HttpRequest, number: str) -> HttpResponse:
    """Agree that strangers who verify the certificate read one's name, or take that back."""
    award, shows = own_award(request, number), request.POST.get("show") == "yes"
    try:
        (agree_to_show_name if shows else take_back_name)(award, by=request.user)
    except RuleBroken as refusal:  # the second of two taps at once
        messages.error(request, str(refusal))
    else:
        messages.success(request, _shown() if shows else _hidden())
    return redirect("certificate", number=number)


def _shown() -> str:
    return _(
        "Whoever verifies the certificate now reads your name. Take the credential's file anew: the old one is over."
    )


def _hidden() -> str:
    return _("Your name is not shown any more. Take the credential's file anew: the old one is over.")
