"""Pairs of people who look like one person, what was decided about them, and what a merge changed."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from incubator.common.encryption import EncryptedTextField
from incubator.duplicates.choices import PairState
from incubator.regions.models import Region
from incubator.regions.scoping import RegionScopedQuerySet, in_scope_q, scope_of
from trainees.choices import LookAlike
from trainees.models import Trainee


class DuplicatePairQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        """Pairs of which both halves are the user's to see; a half that was merged away counts where it was."""
        scope = scope_of(user)
        if scope.everything:
            return self
        whole = Q(first__isnull=False, second__isnull=False)
        return self.filter(
            in_scope_q(scope, "first__county") | Q(first=None),
            in_scope_q(scope, "second__county") | Q(second=None),
            whole | Exists(Merge.objects.in_force().visible_to(user).filter(pair=OuterRef("pk"))),
        )

    def open(self) -> Self:
        return self.filter(state=PairState.OPEN)


class DuplicatePair(models.Model):
    """Two people who may be one; ``first`` has the smaller key. Asked once: what was decided is not asked again.

    Of a pair that is the same person the half that was merged away is empty: its row is gone, and its merge names it.
    A question goes with a person whose entry is taken back; what was merged protects them.
    """

    first = models.ForeignKey(Trainee, models.CASCADE, null=True, related_name="+", verbose_name=_("one person"))
    second = models.ForeignKey(Trainee, models.CASCADE, null=True, related_name="+", verbose_name=_("other person"))
    why = models.CharField(_("why asked"), max_length=10, choices=LookAlike, editable=False)
    state = models.CharField(
        _("decision"), max_length=10, choices=PairState, default=PairState.OPEN, editable=False, db_index=True
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
        verbose_name=_("asked by"),
    )
    asked_at = models.DateTimeField(_("asked at"), editable=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, editable=False)
    remark = models.CharField(_("remark"), max_length=200, blank=True, editable=False)

    objects = DuplicatePairQuerySet.as_manager()

    class Meta:
        verbose_name = _("possible duplicate")
        verbose_name_plural = _("possible duplicates")
        ordering = ["-asked_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["first", "second"],
                name="one_question_per_pair",
                violation_error_message=_("These two were asked about already. Look for them in the list."),
            ),
            models.CheckConstraint(
                condition=Q(first__lt=F("second")),
                name="pair_is_in_order",
                violation_error_message=_("These are not two records but one. Choose another."),
            ),
            models.CheckConstraint(
                condition=Q(first__isnull=False, second__isnull=False)
                | Q(state=PairState.SAME) & (Q(first__isnull=False) | Q(second__isnull=False)),
                name="only_the_same_person_lacks_a_half",
            ),
            models.CheckConstraint(
                condition=Q(state=PairState.OPEN, decided_at=None)
                | ~Q(state=PairState.OPEN) & Q(decided_at__isnull=False, decided_by__isnull=False),
                name="decided_pairs_say_by_whom_and_when",
            ),
        ]

    def __str__(self) -> str:
        return " = ".join(str(person) for person in (self.first, self.second) if person is not None)


class MergeQuerySet(RegionScopedQuerySet):
    region_path = "former_county"

    def in_force(self) -> Self:
        return self.filter(undone_at=None)


class Merge(models.Model):
    """Two records of a person made one: whose row stayed, whose is gone, who did it and when.

    ``before`` is what the rows were, as sealed JSON, by which it can be undone for thirty days; empty afterwards.
    """

    pair = models.ForeignKey(DuplicatePair, models.PROTECT, related_name="merges", verbose_name=_("pair"))
    survivor = models.ForeignKey(Trainee, models.PROTECT, related_name="merges", verbose_name=_("record that stayed"))
    former_number = models.CharField(_("record that is gone"), max_length=20)
    former_id = models.BigIntegerField()
    former_county = models.ForeignKey(Region, models.PROTECT, related_name="+", verbose_name=_("its county"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"), db_index=True)
    before = EncryptedTextField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("undone by")
    )
    undone_at = models.DateTimeField(_("undone at"), null=True)
    why_undone = models.CharField(_("why undone"), max_length=200, blank=True)

    objects = MergeQuerySet.as_manager()

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        ordering = ["-pk"]
        permissions = [("merge_trainees", "Can merge people and undo it")]
        constraints = [
            models.UniqueConstraint(
                fields=["former_id"], condition=Q(undone_at=None), name="one_merge_in_force_per_person"
            ),
            models.UniqueConstraint(fields=["pair"], condition=Q(undone_at=None), name="one_merge_in_force_per_pair"),
            models.CheckConstraint(
                condition=Q(undone_at=None) | Q(undone_by__isnull=False) & ~Q(why_undone=""),
                name="undone_merges_say_by_whom_and_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.former_number} → {self.survivor}"
