"""Keys that sign, credentials that were signed, and the lists that say which of them are good no more."""

import json
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from incubator.certification.models import Award
from incubator.common.encryption import BoundRows, EncryptedTextField, ReservedKey
from incubator.credentials.addresses import key_address, status_list_url
from incubator.credentials.choices import STATUS_LIST_LENGTH, TRUSTED, KeyState
from incubator.regions.scoping import RegionScopedQuerySet


class SigningKeyQuerySet(BoundRows, models.QuerySet):
    def trusted(self) -> Self:
        """Those whose signatures are good: the one that signs and those that did."""
        return self.filter(state__in=TRUSTED)


class SigningKey(models.Model):
    """An Ed25519 key pair. Exactly one signs; the secret half lies sealed and is destroyed with its retirement."""

    id = ReservedKey("ID", primary_key=True, auto_created=True, serialize=False)
    public_key = models.CharField(_("public key"), max_length=60, unique=True, editable=False)
    secret = EncryptedTextField(null=True, bound=True)
    state = models.CharField(
        _("state"), max_length=12, choices=KeyState, default=KeyState.ACTIVE, editable=False, db_index=True
    )
    active_from = models.DateTimeField(_("signs from"), editable=False)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("made by"),
    )
    retired_at = models.DateTimeField(_("retired at"), null=True, editable=False)
    distrusted_at = models.DateTimeField(_("not trusted since"), null=True, editable=False)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("ended by"),
    )
    reason = models.CharField(_("reason"), max_length=200, blank=True, editable=False)

    objects = SigningKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=Q(state=KeyState.ACTIVE), name="one_key_signs"),
            models.CheckConstraint(
                condition=Q(state=KeyState.ACTIVE, secret__isnull=False)
                | (~Q(state=KeyState.ACTIVE) & Q(secret__isnull=True)),
                name="only_the_key_that_signs_has_its_secret",
            ),
            models.CheckConstraint(
                condition=Q(state=KeyState.ACTIVE) | (Q(retired_at__isnull=False) & ~Q(reason="")),
                name="ended_keys_say_when_and_why",
            ),
            models.CheckConstraint(
                condition=Q(state=KeyState.COMPROMISED, distrusted_at__isnull=False)
                | (~Q(state=KeyState.COMPROMISED) & Q(distrusted_at=None)),
                name="distrusted_keys_say_since_when",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """What it is called in the DID document."""
        return f"key-{self.pk}"

    @property
    def address(self) -> str:
        return key_address(self.name)

    @property
    def private_key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(self.secret or ""))


class StatusList(models.Model):
    """One list of status bits. What it says is never stored: it is read from awards and credentials when asked for."""

    opened_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def address(self) -> str:
        return status_list_url(self.pk)


def good_no_more_q() -> Q:
    """Credentials whose status bit is set: the award is withdrawn, or another credential stands in its place."""
    return Q(replaced_at__isnull=False) | Q(award__withdrawn_at__isnull=False)


class CredentialQuerySet(RegionScopedQuerySet):
    region_path = "award__trainee__county"

    def current(self) -> Self:
        """Of each award the one that was issued last."""
        return self.filter(replaced_at=None)


class Credential(models.Model):
    """A signed Open Badge of an award, letter by letter as it was signed. One of an award is current.

    ``subject`` is a random number that stands for the holder, another for each award: nothing can be guessed from it.
    ``status_index`` is random too, so that it tells no order.
    """

    award = models.ForeignKey(
        Award, models.PROTECT, related_name="credentials", editable=False, verbose_name=_("award")
    )
    key = models.ForeignKey(
        SigningKey, models.PROTECT, related_name="credentials", editable=False, verbose_name=_("signing key")
    )
    status_list = models.ForeignKey(
        StatusList, models.PROTECT, related_name="credentials", editable=False, verbose_name=_("status list")
    )
    status_index = models.PositiveIntegerField(_("place in the status list"), editable=False)
    subject = models.UUIDField(_("number that stands for the holder"), editable=False)
    text = models.TextField(_("credential"), editable=False)
    issued_at = models.DateTimeField(_("issued at"), editable=False)
    replaces = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        editable=False,
        related_name="replaced_by",
        verbose_name=_("in place of"),
    )
    replaced_at = models.DateTimeField(_("superseded at"), null=True, editable=False)

    objects = CredentialQuerySet.as_manager()

    class Meta:
        verbose_name = _("credential")
        verbose_name_plural = _("credentials")
        ordering = ["-issued_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["award"], condition=Q(replaced_at=None), name="one_current_credential_per_award"
            ),
            models.UniqueConstraint(
                fields=["status_list", "status_index"], name="one_credential_per_place_in_a_status_list"
            ),
            models.CheckConstraint(
                condition=Q(status_index__lt=STATUS_LIST_LENGTH), name="credential_has_a_place_within_its_status_list"
            ),
            models.CheckConstraint(condition=~Q(replaces=F("id")), name="no_credential_stands_in_its_own_place"),
        ]

    def __str__(self) -> str:
        return self.award.number

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.text)

    @property
    def is_current(self) -> bool:
        return self.replaced_at is None


def signed_text(document: dict[str, Any]) -> str:
    """How a signed document is stored and handed out."""
    return json.dumps(document, ensure_ascii=False, indent=2)
