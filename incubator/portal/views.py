"""The trainee's pages, and the door that leads everybody to their own."""

import secrets

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from incubator.accounts.choices import Role
from incubator.certificates.downloads import as_download
from incubator.certificates.paper import certificate_pdf, notice_pdf
from incubator.certificates.queries import editions_as_they_are
from incubator.certificates.services import edition_to_print
from incubator.common.charts import line_chart
from incubator.common.errors import RuleBroken
from incubator.common.pdf import PDF
from incubator.credentials.addresses import verification_url
from incubator.metrics.choices import CONSENTED
from incubator.metrics.models import CreatorAccount
from incubator.metrics.queries import FRESH_DAYS
from incubator.metrics.readings_file import readings_file
from incubator.metrics.services import begin_consent, complete_consent, withdraw_consent
from incubator.portal.consent import account_cards, notices_of
from incubator.portal.forecast import outlook_of
from incubator.portal.people import own_award, own_trainee
from incubator.portal.queries import standing_of
from incubator.portal.support import mark_seen

SESSION_SECRET = "consent_secret"  # noqa: S105 - the name of a place in the session


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """To the pages of whoever asks: the desk, the reports, or one's own progress."""
    user = request.user
    if user.is_staff:
        return redirect("admin:index")
    if user.role == Role.OFFICIAL:  # type: ignore[union-attr]
        return redirect("reports")
    if user.role == Role.TRAINEE and hasattr(user, "trainee"):  # type: ignore[union-attr]
        return redirect("progress")
    return render(request, "portal/nothing.html")


@require_safe
def progress(request: HttpRequest) -> HttpResponse:
    """How far am I, what is missing, what do I do next."""
    standing = standing_of(own_trainee(request), on=timezone.localdate())
    mark_seen(standing.support, at=timezone.now())
    outlook = outlook_of(standing.participation, award=standing.award, on=standing.on)
    label = _("Followers in the last 90 days")
    chart = line_chart(standing.points, label=label, threshold=standing.goal, days_between=FRESH_DAYS)
    return render(request, "portal/progress.html", {"standing": standing, "chart": chart, "outlook": outlook})


@require_safe
def certificate(request: HttpRequest, number: str) -> HttpResponse:
    """One's own certificate, to look at and take as a PDF; one that is not valid any more says so."""
    award = own_award(request, number)
    standing = award.standing(on=timezone.localdate())
    context = {"award": award, "standing": standing, "address": verification_url(award)}
    return render(request, "portal/certificate.html", context)


@require_safe
@never_cache
def certificate_file(request: HttpRequest, number: str) -> HttpResponse:
    """One's own certificate as a PDF; the page says why where there is none."""
    award, today = own_award(request, number), timezone.localdate()
    try:
        edition = edition_to_print(award, by=request.user, on=today)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
        return redirect("certificate", number)
    return as_download(certificate_pdf(edition, on=today), PDF, f"证书-{award.number}.pdf")


@require_safe
@never_cache
def notice_file(request: HttpRequest, number: str) -> HttpResponse:
    """The notice that one's own award was withdrawn, with the reason and how to object."""
    award = own_award(request, number)
    if award.withdrawn_at is None:
        raise Http404
    [edition] = editions_as_they_are([award], by=request.user)
    return as_download(notice_pdf(edition), PDF, f"撤销通知书-{award.number}.pdf")


@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """One's accounts: what is read, since when and until when, and what happened to the consent."""
    trainee = own_trainee(request)
    cards = account_cards(trainee, notices_of(request.user, at=timezone.now()))
    return render(request, "portal/account.html", {"cards": cards})


def _own_account(request: HttpRequest, pk: int) -> CreatorAccount:
    return get_object_or_404(CreatorAccount, trainee=own_trainee(request), pk=pk)


@require_safe
def account_readings(request: HttpRequest, pk: int) -> HttpResponseBase:
    """What was read of one's own account, all of it, as a file."""
    return readings_file(_own_account(request, pk), on=timezone.localdate())


@require_POST
def connect(request: HttpRequest, pk: int) -> HttpResponse:
    """To the platform's page, where the creator consents."""
    is_mobile = "Mobile" in request.headers.get("User-Agent", "")
    found, session = _own_account(request, pk), _session_secret(request)
    return redirect(begin_consent(found, by=request.user, at=timezone.now(), session=session, mobile=is_mobile))


def _session_secret(request: HttpRequest) -> str:
    """What this session alone knows: a way back from the platform is good in the session it set out from."""
    secret: str = request.session.setdefault(SESSION_SECRET, secrets.token_urlsafe(24))
    return secret


@require_safe
def consent_callback(request: HttpRequest) -> HttpResponse:
    """Back from the platform, with a code or without."""
    state, code = request.GET.get("state", ""), request.GET.get("code", "")
    session = _session_secret(request)
    try:
        complete_consent(state=state, code=code, by=request.user, at=timezone.now(), session=session)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Your account is connected. Its followers are read from tonight on."))
    return redirect("account" if hasattr(request.user, "trainee") else "home")


@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraw the consent: the first tap asks, the second does."""
    found = _own_account(request, pk)
    if found.state not in CONSENTED:
        raise Http404
    if request.method == "POST":
        try:
            withdraw_consent(found, by=request.user, at=timezone.now())
        except RuleBroken as refusal:  # the second of two taps at once
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Your consent is withdrawn. The account is not read any more."))
        return redirect("account")
    return render(request, "portal/withdraw.html", {"account": found})
