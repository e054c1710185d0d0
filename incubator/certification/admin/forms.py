"""What more than one page of this room asks."""

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from incubator.common.desk import (
    NoQuestions,
)


class LongReason(NoQuestions):
    """Asks why, at the length the trainee will read."""

    reason = forms.CharField(label=_("Reason"), max_length=300, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}))
