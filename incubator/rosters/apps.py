"""The room ``rosters``: roster workbooks: uploaded, read, checked, previewed, applied."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RostersConfig(AppConfig):
    name = "incubator.rosters"
    label = "rosters"
    verbose_name = _("Rosters")

    def ready(self) -> None:
        """Register this room's kinds of job, and what lies sealed in it for the people it will be written to."""
        from incubator.common.resealing import SealedColumn
        from incubator.common.sealed import register_sealed_column
        from incubator.rosters import jobs  # noqa: F401
        from incubator.rosters.models import ID_NUMBER, PHONE

        for name, context in (("id_number", ID_NUMBER), ("phone", PHONE)):
            for column, row in ((name, "sealed_for"), (f"{name}_anew", "trainee_id")):
                register_sealed_column(SealedColumn("rosters_rosterrow", column, row=row, meant_for=context))
