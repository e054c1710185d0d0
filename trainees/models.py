"""A trainee: a person in the programme. One person is one trainee, whatever county names them."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from incubator.common.encryption import BoundRows, EncryptedTextField, ReservedKey
from incubator.common.masking import mask_id_number, mask_phone
from incubator.regions.models import Region
from incubator.regions.scoping import RegionScopedQuerySet
from trainees.choices import Background, ChangeKind, Sex


class TraineeQuerySet(BoundRows, RegionScopedQuerySet):
    region_path = "county"


class Trainee(models.Model):
    """Identity, home county and contact. ID number and phone are encrypted for their row and found by blind indexes."""

    id = ReservedKey("ID", primary_key=True, auto_created=True, serialize=False)
    number = models.CharField(_("trainee number"), max_length=20, unique=True, editable=False)
    name = models.CharField(pgettext_lazy("person", "name"), max_length=60)
    initials = models.CharField(_("initials"), max_length=20, blank=True, editable=False)
    sex = models.CharField(_("sex"), max_length=10, choices=Sex, blank=True)
    born_on = models.DateField(_("date of birth"), null=True, blank=True)
    county = models.ForeignKey(
        Region, models.PROTECT, related_name="trainees", db_index=False, verbose_name=_("county")
    )
    township = models.CharField(_("township"), max_length=60, blank=True)
    background = models.CharField(_("background"), max_length=10, choices=Background, default=Background.OTHER)
    education = models.CharField(_("education"), max_length=30, blank=True)
    id_number = EncryptedTextField(_("ID number"), null=True, bound=True)
    id_number_index = models.BinaryField(max_length=32, null=True, editable=False)
    phone = EncryptedTextField(_("phone"), null=True, bound=True)
    phone_index = models.BinaryField(max_length=32, null=True, editable=False)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="trainee",
        editable=False,
        verbose_name=_("login"),
    )
    created_at = models.DateTimeField(_("entered at"), auto_now_add=True)

    objects = TraineeQuerySet.as_manager()

    class Meta:
        verbose_name = _("trainee")
        verbose_name_plural = _("trainees")
        ordering = ["number"]
        permissions = [
            ("reveal_personal_data", _("May have ID numbers and phones shown in full")),
            ("export_personal_data", _("Can export personal data in full")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["id_number_index"], condition=Q(id_number_index__isnull=False), name="one_trainee_per_person"
            ),
        ]
        indexes = [
            models.Index(fields=["phone_index"], name="trainee_phone"),
            # A surname or two letters are thousands of people: their ids stand in the index.
            models.Index(fields=["name", "id"], name="trainee_name", opclasses=["varchar_pattern_ops", "int8_ops"]),
            models.Index(
                fields=["initials", "id"], name="trainee_initials", opclasses=["varchar_pattern_ops", "int8_ops"]
            ),
            # Lists are in the order of entry: with each of these a filtered page is the end of an index.
            models.Index(fields=["county", "id"], name="trainee_county"),
            models.Index(fields=["background", "id"], name="trainee_background"),
            models.Index(fields=["sex", "id"], name="trainee_sex"),
            models.Index(fields=["created_at", "id"], name="trainee_entered"),
            models.Index(fields=["born_on", "name"], name="trainee_born_name"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.number}"

    @property
    def masked_id_number(self) -> str:
        return mask_id_number(self.id_number)

    @property
    def masked_phone(self) -> str:
        return mask_phone(self.phone)


class IndexKey(models.Model):
    """With which key people's blind indexes were made, by its fingerprint: one row, written with the first person.

    Under another key nobody would be found, and everybody could be entered again.
    """

    fingerprint = models.CharField(max_length=64)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="people_are_found_by_one_key")]

    def __str__(self) -> str:
        return self.fingerprint[:8]


class FormerNumber(models.Model):
    """A number under which somebody was known who turned out to be another trainee. It is found for ever.

    ``former_id`` is the primary key of the row that is gone, by which older records of access name it.
    """

    number = models.CharField(_("trainee number"), max_length=20, unique=True)
    former_id = models.BigIntegerField(unique=True)
    trainee = models.ForeignKey(Trainee, models.PROTECT, related_name="former_numbers", verbose_name=_("trainee"))

    class Meta:
        verbose_name = _("former number")
        verbose_name_plural = _("former numbers")

    def __str__(self) -> str:
        return self.number


class TraineeChangeQuerySet(RegionScopedQuerySet):
    region_path = "trainee__county"


class TraineeChange(models.Model):
    """What was changed about a person, by whom, when and why. Only added to; the database refuses anything else.

    ``fields`` is ``{"township": ["before", "after"]}``, personal numbers masked (``history.record_changes`` does it).
    ``origin`` names the row it came from, such as ``rosters.rosterimport/12``. A history outlives its person: the key
    is not checked by the database, so that taking an import back does not have to take the history with it.
    """

    trainee = models.ForeignKey(
        Trainee,
        models.DO_NOTHING,
        related_name="changes",
        db_constraint=False,
        db_index=False,
        verbose_name=_("trainee"),
    )
    kind = models.CharField(_("what happened"), max_length=10, choices=ChangeKind)
    fields = models.JSONField(_("fields"), default=dict, db_default={})
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by whom")
    )
    at = models.DateTimeField(_("at"), db_default=Now())
    why = models.CharField(_("why"), max_length=200, blank=True, default="", db_default="")
    origin = models.CharField(_("came from"), max_length=80, blank=True, default="", db_default="")

    objects = TraineeChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("change of a person")
        verbose_name_plural = _("changes of people")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["trainee", "-id"], name="change_trainee_newest")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.trainee_id}"
