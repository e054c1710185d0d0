"""The room ``demo``: a believable county built through the services, and the platform simulator."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DemoConfig(AppConfig):
    name = "incubator.demo"
    label = "demo"
    verbose_name = _("Demo")
