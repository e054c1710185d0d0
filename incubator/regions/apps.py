"""The room ``regions``: divisions, key counties, and the one rule of who sees which region."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RegionsConfig(AppConfig):
    name = "incubator.regions"
    label = "regions"
    verbose_name = _("Regions")
