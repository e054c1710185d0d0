"""The desk: keys for superusers, credentials to look at, and what stands on an award's page."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from incubator.certification.models import Award
from incubator.common.dates import moment
from incubator.common.desk import (
    Colours,
    Move,
    Part,
    QuestionFilter,
    ReadOnlyAdmin,
    Reason,
    Section,
    columns,
    extend_desk,
    facts,
    link_to,
    link_where_open,
    number,
    table,
)
from incubator.credentials.addresses import issuer_did, verification_url
from incubator.credentials.choices import KeyState
from incubator.credentials.models import Credential, SigningKey, good_no_more_q
from incubator.credentials.services import distrust_signing_key, rotate_signing_key
from trainees.queries import person_q

# --- Keys -------------------------------------------------------------------------------------------------------------


def _rotate(key: SigningKey, *, by: Any, reason: str) -> SigningKey:
    return rotate_signing_key(by=by, reason=reason, key=key)


def _published(request: HttpRequest, key: SigningKey) -> Section:
    pairs = [
        (_("issuer"), issuer_did()),
        (_("name of the key"), key.address),
        (_("public key"), key.public_key),
    ]
    return facts(_("As others know it"), pairs)


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnlyAdmin):
    """Nobody but superusers: a key speaks for the whole programme, so it belongs to no region."""

    list_display = ["name", "shown_state", "active_from", "made_by", "retired_at", "reason", "signed"]
    list_select_related = ["made_by"]
    fields = [("state", "active_from", "made_by"), ("retired_at", "distrusted_at", "ended_by"), "reason"]
    sections = [_published]
    moves = [
        Move("rotate", _("Retire it and sign with a new key"), _rotate, form=Reason, states=[KeyState.ACTIVE]),
        Move(
            "distrust",
            _("Trust it no more: somebody else may have it"),
            distrust_signing_key,
            form=Reason,
            states=[KeyState.ACTIVE, KeyState.RETIRED],
        ),
    ]

    def list_rows(self, rows: QuerySet) -> QuerySet:
        current = Count("credentials", filter=Q(credentials__replaced_at=None))
        return rows.annotate(current_credentials=current)

    @display(
        description=_("state"),
        ordering="state",
        label=Colours({KeyState.ACTIVE: "success", KeyState.COMPROMISED: "danger"}),
    )
    def shown_state(self, row: SigningKey) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @display(description=_("current credentials"))
    def signed(self, row: Any) -> str:
        return number(row.current_credentials)


# --- Credentials ------------------------------------------------------------------------------------------------------


class GoodFilter(QuestionFilter):
    title = _("worth")
    parameter_name = "good"
    questions = {
        "yes": (_("good"), lambda rows: rows.exclude(good_no_more_q())),
        "no": (_("replaced or withdrawn"), lambda rows: rows.filter(good_no_more_q())),
    }


def _worth(credential: Credential) -> Any:
    if credential.award.withdrawn_at is not None:
        return _("withdrawn")
    if not credential.is_current:
        return _("replaced")
    return _("key not trusted") if credential.key.state == KeyState.COMPROMISED else _("good")


def _signed(request: HttpRequest, credential: Credential) -> Section:
    """Letter by letter as it was signed."""
    return Section(_("Signed text"), format_html('<pre class="desk-text">{}</pre>', credential.text))


@admin.register(Credential)
class CredentialAdmin(ReadOnlyAdmin):
    list_display = ["award_number", "person", "county", "badge", "issued_at", "key", "worth"]
    list_filter = [GoodFilter, "key", "award__badge", "award__trainee__county"]
    list_select_related = ["award__trainee__county", "award__badge", "key"]
    search_fields = ["award__number"]
    search_help_text = _("Certificate number, or the trainee's number, name, mobile or ID number")
    fields = [("award", "issued_at", "key"), ("replaces", "replaced_at"), ("status_list", "status_index")]
    sections = [_signed]

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if term.upper().startswith("XC-"):
            return queryset.filter(award__number__startswith=term.upper()), False
        return queryset.filter(person_q(term, "award__trainee__")), False

    @display(description=_("certificate number"), ordering="award__number")
    def award_number(self, row: Credential) -> str:
        return row.award.number

    @display(description=_("trainee"), ordering="award__trainee__number")
    def person(self, row: Credential) -> str:
        return str(row.award.trainee)

    @display(description=_("county"), ordering="award__trainee__county")
    def county(self, row: Credential) -> str:
        return row.award.trainee.county.name

    @display(description=_("badge"), ordering="award__badge")
    def badge(self, row: Credential) -> str:
        return str(row.award.badge)

    @display(description=_("worth"))
    def worth(self, row: Credential) -> Any:
        return _worth(row)


# --- On an award's page -----------------------------------------------------------------------------------------------


def _credentials_of(request: HttpRequest, award: Award) -> Section | None:
    """Where anybody verifies the award, whether the name is read there, and what was signed."""
    if not request.user.has_perm("credentials.view_credential"):
        return None
    own = Credential.objects.visible_to(request.user).filter(award=award)
    part = Part.of(own.select_related("key", "award").order_by("-pk"))
    address = verification_url(award)
    since = moment(award.name_shown_since) if award.name_shown_since else _("not shown")
    shown = facts(
        _("Verification"),
        [
            (_("public page"), format_html('<a class="desk-link" href="{}">{}</a>', address, address)),
            (_("name shown to anybody since"), since),
        ],
    )
    rows = [(link_to(c, moment(c.issued_at)), link_where_open(request, c.key), _worth(c)) for c in part.rows]
    empty = _("None yet. It is issued within ten minutes of the award.")
    issued = table(_("Credentials"), [_("issued at"), _("signing key"), _("worth")], rows, empty=empty)
    return columns(_("Credential that others verify"), [shown, issued], note=part.count)


extend_desk(Award, sections=[_credentials_of])
