"""What people thought, on the pages of classes and courses. There is no list of single answers."""

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from courses.models import Course, TrainingClass
from courses.models.satisfaction import FEWEST_SHOWN
from courses.satisfaction import Result, satisfaction_of, satisfaction_with
from incubator.common.desk import Section, extend_desk


def _of_class(request: HttpRequest, training_class: TrainingClass) -> Section:
    found = satisfaction_of([training_class])[training_class.pk]
    context = {"found": found, "results": [*found.questions, *found.courses], "fewest": FEWEST_SHOWN}
    note = gettext("%(count)s of %(asked)s answered") % {"count": found.count, "asked": found.asked}
    return Section(_("Satisfaction"), render_to_string("admin/desk/satisfaction.html", context), note)


def _of_course(request: HttpRequest, course: Course) -> Section:
    result = satisfaction_with([course], classes=TrainingClass.objects.visible_to(request.user))[course.pk]
    context = {"found": result, "results": [result], "fewest": FEWEST_SHOWN}
    return Section(_("Satisfaction"), render_to_string("admin/desk/satisfaction.html", context), _answers(result))


def _answers(result: Result) -> Any:
    return ngettext("%(count)s answer", "%(count)s answers", result.count) % {"count": result.count}


extend_desk(TrainingClass, sections=[_of_class])
extend_desk(Course, sections=[_of_course])
