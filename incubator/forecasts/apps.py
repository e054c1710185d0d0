"""The room ``forecasts``: who will reach the number in time, how sure that is, and how often such words came true."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ForecastsConfig(AppConfig):
    name = "incubator.forecasts"
    label = "forecasts"
    verbose_name = _("Forecasts")

    def ready(self) -> None:
        from incubator.forecasts import jobs  # noqa: F401 - it registers its kinds of job
