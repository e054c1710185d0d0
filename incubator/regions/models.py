"""Divisions by GB/T 2260 code, their former names, and the 160 key counties."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from incubator.regions.choices import KeyCountyStatus, Level
from incubator.regions.scoping import RegionScopedQuerySet


class RegionQuerySet(RegionScopedQuerySet):
    region_path = ""

    def current(self):
        """Codes in use: not retired."""
        return self.filter(retired_on=None)

    def with_people(self):
        """Divisions a trainee can come from: counties, and prefectures that have no counties (东莞, 儋州 …)."""
        has_counties = Region.objects.filter(parent=models.OuterRef("pk"))
        return self.filter(Q(level=Level.COUNTY) | Q(level=Level.PREFECTURE) & ~models.Exists(has_counties))


class Region(models.Model):
    """A province, prefecture or county.

    ``province`` and ``prefecture`` repeat the path upward (a region names itself at its own level), so that one
    comparison per level tells who sees what. 118 counties hang directly under a province: their prefecture is NULL.
    """

    code = models.CharField(_("code"), max_length=6, primary_key=True)
    name = models.CharField(_("name"), max_length=60)
    level = models.CharField(_("level"), max_length=10, choices=Level)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("parent")
    )
    province = models.ForeignKey(
        "self", models.PROTECT, related_name="+", db_index=True, editable=False, verbose_name=_("province")
    )
    prefecture = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="+", editable=False, verbose_name=_("prefecture")
    )
    retired_on = models.DateField(_("retired on"), null=True, blank=True)
    replaced_by = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="replaces", verbose_name=_("replaced by")
    )

    objects = RegionQuerySet.as_manager()

    class Meta:
        verbose_name = _("region")
        verbose_name_plural = _("regions")
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=Q(code__regex=r"^\d{6}$"), name="region_code_is_six_digits"),
            models.CheckConstraint(condition=~Q(replaced_by=F("code")), name="region_does_not_replace_itself"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def path_name(self) -> str:
        """``甘肃省 临夏回族自治州 积石山保安族东乡族撒拉族自治县``; read with ``select_related`` in lists."""
        parts = [self.province, self.prefecture, self]
        names: list[str] = []
        for part in parts:
            if part is not None and part.name not in names:
                names.append(part.name)
        return " ".join(names)


class RegionAlias(models.Model):
    """An abbreviated or former name that rosters still use (积石山县, 水城县). Two regions may share one."""

    region = models.ForeignKey(Region, models.CASCADE, related_name="aliases", verbose_name=_("region"))
    name = models.CharField(_("name"), max_length=60, db_index=True)

    class Meta:
        verbose_name = _("other name")
        verbose_name_plural = _("other names")
        constraints = [models.UniqueConstraint(fields=["region", "name"], name="one_alias_per_region_and_name")]

    def __str__(self) -> str:
        return self.name


class KeyCountyQuerySet(RegionScopedQuerySet):
    region_path = "region"


class KeyCounty(models.Model):
    """A 国家乡村振兴重点帮扶县 of the notice of 2021-08-27, with how well that is sourced."""

    region = models.OneToOneField(Region, models.CASCADE, primary_key=True, verbose_name=_("county"))
    status = models.CharField(_("source"), max_length=20, choices=KeyCountyStatus)
    # A name, not a key: accounts stand above regions.
    checked_by = models.CharField(_("checked by"), max_length=150, blank=True, editable=False)
    checked_on = models.DateField(_("checked on"), null=True, blank=True, editable=False)

    objects = KeyCountyQuerySet.as_manager()

    class Meta:
        verbose_name = _("key county")
        verbose_name_plural = _("key counties")
        ordering = ["region"]

    def __str__(self) -> str:
        return self.region.name
