"""What is asked before a list becomes a file."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.contrib.import_export.forms import ExportForm
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldBooleanWidget

from incubator.common.exports import ListFormat, ListResource


class ExportQuestions(ExportForm):
    """The format and, for who may, whether personal data is wanted in full and why."""

    in_clear = forms.BooleanField(
        label=_("Personal data in full"),
        required=False,
        widget=UnfoldBooleanWidget,
        help_text=_("ID numbers, phones and days of birth as they are, instead of masked."),
    )
    reason = forms.CharField(
        label=_("What it is needed for"),
        required=False,
        max_length=200,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text=_("Recorded with your name. Needed for personal data in full."),
    )

    def __init__(
        self, formats: Sequence[type[ListFormat]], resource: type[ListResource], *, offers_in_clear: bool, **kwargs: Any
    ) -> None:
        super().__init__(formats, [resource], **kwargs)
        del self.fields["resource"], self.fields["export_items"]  # one resource a list; rows are chosen on the list
        self.formats = formats
        self.fields["format"].choices = [  # type: ignore[attr-defined]
            (str(place), each.title) for place, each in enumerate(formats)
        ]
        self.fields["format"].widget.choices = self.fields["format"].choices  # type: ignore[attr-defined]
        self.initial["format"] = "0"
        if not offers_in_clear:
            del self.fields["in_clear"], self.fields["reason"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("in_clear") and not data.get("reason", "").strip():
            self.add_error("reason", ValidationError(_("Say what personal data in full is needed for.")))
        return data

    def chosen_format(self) -> str:
        return self.formats[int(self.cleaned_data["format"])].key
