"""Told to the charts of followers: which classes somebody attended.

Here, because teaching and followers are strangers to each other.
"""

from collections.abc import Iterator
from typing import Any

from django.db.models import Max, Min
from django.utils import timezone
from django.utils.translation import gettext as _

from courses.choices import AttendanceState
from courses.models import Attendance
from incubator.common.charts import Mark
from incubator.metrics.marks import tells_marks


@tells_marks
def attended_classes(trainee_id: int, user: Any) -> Iterator[Mark]:
    """Classes of a trainee, from the first to the last session attended."""
    if not user.has_perm("courses.view_attendance"):
        return
    present = Attendance.objects.visible_to(user).filter(
        participation__trainee=trainee_id, state=AttendanceState.PRESENT
    )
    spans = (
        present.order_by()
        .values("session__training_class", "session__training_class__name")
        .annotate(first=Min("session__starts_at"), last=Max("session__starts_at"))
    )
    for span in spans:
        first, last = (timezone.localtime(span[end]).date() for end in ("first", "last"))
        yield Mark(first, last, span["session__training_class__name"], "class", _("Class"))
