"""What more than one page of this room asks."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from incubator.common.desk import NoQuestions


def said(label: Any, *, required: bool = True) -> forms.CharField:
    """A few lines, at most 300 characters."""
    widget = UnfoldAdminTextareaWidget(attrs={"rows": 2})
    return forms.CharField(label=label, max_length=300, required=required, widget=widget)


class LongReason(NoQuestions):
    """Asks why, at the length the trainee will read."""

    reason = said(_("Reason"))


class Proposal(NoQuestions):
    """Asks for a remark, which an unexplained leap makes necessary."""

    remark = said(_("Remark (needed where a leap of followers is not explained)"), required=False)


class Question(NoQuestions):
    """Asks what is to be answered before it is decided."""

    question = said(_("What the county is to answer"))


class Reply(NoQuestions):
    """Asks for the answer."""

    answer = said(_("Answer"))
