"""Seals of programmes, editions of certificates, and ceremonies at which they are handed over."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from incubator.certificates.choices import CeremonyOrder
from incubator.certification.models import Award
from incubator.common.sealed_files import SealedFileField
from incubator.jobs.models import Job
from incubator.programmes.models import Programme
from incubator.regions.models import Region
from incubator.regions.scoping import RegionScopedQuerySet, WholeCountryQuerySet

USER = settings.AUTH_USER_MODEL


class Seal(models.Model):
    """The picture of a programme's seal and who signs with it; the newest is used, earlier ones stay where they are.

    It lies sealed, and only who sees the whole country sees it: with the picture in hand anybody could forge.
    """

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="seals", verbose_name=_("programme"))
    issuer = models.CharField(
        _("signed by"), max_length=60, help_text=_("Stands above the date, below the seal: the organisation's name.")
    )
    image = SealedFileField(_("picture of the seal"), upload_to="seals/%Y/")
    width = models.PositiveSmallIntegerField(_("width in pixels"), editable=False)
    height = models.PositiveSmallIntegerField(_("height in pixels"), editable=False)
    put_by = models.ForeignKey(USER, models.PROTECT, editable=False, related_name="+", verbose_name=_("put in use by"))
    put_at = models.DateTimeField(_("in use since"), auto_now_add=True)

    objects = WholeCountryQuerySet.as_manager()

    class Meta:
        verbose_name = _("seal")
        verbose_name_plural = _("seals")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.programme} · {self.issuer}"


class EditionQuerySet(RegionScopedQuerySet):
    region_path = "award__trainee__county"


class Edition(models.Model):
    """What stands on a certificate: made when it is first printed, and again when it is reissued.

    ``words`` are frozen as printed (``paper.words_of``), so that the same edition is the same paper for ever. The seal
    may be missing while its programme has none, and is then put once. Otherwise never changed: the database sees to it.
    """

    award = models.ForeignKey(Award, models.PROTECT, related_name="editions", verbose_name=_("award"))
    number = models.PositiveSmallIntegerField(_("edition"))
    holder_name = models.CharField(_("name on the certificate"), max_length=60)
    name_before = models.CharField(_("name before"), max_length=60, blank=True)
    words = models.JSONField(editable=False)
    seal = models.ForeignKey(
        Seal, models.PROTECT, null=True, related_name="editions", verbose_name=_("seal"), editable=False
    )
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    by = models.ForeignKey(USER, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"))

    objects = EditionQuerySet.as_manager()

    class Meta:
        verbose_name = _("edition of a certificate")
        verbose_name_plural = _("editions of certificates")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["award", "number"], name="one_edition_of_a_number_per_award"),
            models.CheckConstraint(
                condition=Q(number=1, reason="", name_before="")
                | (Q(number__gt=1) & ~Q(reason="") & ~Q(name_before="")),
                name="later_editions_say_why_and_what_was_before",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.award.number} v{self.number}"


class CeremonyQuerySet(RegionScopedQuerySet):
    region_path = "region"


class Ceremony(models.Model):
    """An occasion at which certificates are handed over; no region means the whole country."""

    name = models.CharField(_("name"), max_length=80)
    held_on = models.DateField(_("held on"))
    place = models.CharField(_("place"), max_length=100, blank=True)
    region = models.ForeignKey(
        Region,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("region"),
        help_text=_("Only awards of people of this region can be added. Empty: the whole country."),
    )
    order = models.CharField(
        _("order of the certificates"), max_length=10, choices=CeremonyOrder, default=CeremonyOrder.COUNTY
    )
    made_by = models.ForeignKey(USER, models.PROTECT, editable=False, related_name="+", verbose_name=_("entered by"))
    made_at = models.DateTimeField(_("entered at"), auto_now_add=True)
    job = models.ForeignKey(
        Job, models.SET_NULL, null=True, editable=False, related_name="+", verbose_name=_("background work")
    )
    awards: models.ManyToManyField = models.ManyToManyField(
        Award, through="CeremonyPlace", related_name="ceremonies", verbose_name=_("awards")
    )

    objects = CeremonyQuerySet.as_manager()

    class Meta:
        verbose_name = _("ceremony")
        verbose_name_plural = _("ceremonies")
        ordering = ["-held_on", "-pk"]

    def __str__(self) -> str:
        return f"{self.name} {self.held_on}"


class CeremonyPlace(models.Model):
    """An award that is handed over at a ceremony."""

    ceremony = models.ForeignKey(Ceremony, models.CASCADE, related_name="places")
    award = models.ForeignKey(Award, models.PROTECT, related_name="ceremony_places")
    added_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ceremony", "award"], name="one_place_per_ceremony_and_award")]

    def __str__(self) -> str:
        return f"{self.ceremony_id} {self.award_id}"
