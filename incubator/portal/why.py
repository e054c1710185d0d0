"""What is missing: every badge's rule with what there is and what to do, as staff and hotline read it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from incubator.certification.explaining import Explanation, explain_all
from incubator.certification.services import current_rules
from incubator.portal.people import own_trainee
from incubator.programmes.models import Participation
from trainees.models import Trainee


def explanations_for(trainee: Trainee) -> list[Explanation]:
    """The newest participation by every rule that decides today."""
    on = timezone.localdate()
    own = Participation.objects.filter(trainee=trainee).select_related("trainee", "cohort__programme")
    return explain_all(list(own.order_by("-pk")[:1]), current_rules(on), on=on)


@require_safe
def why(request: HttpRequest) -> HttpResponse:
    """The page of it."""
    return render(request, "portal/why.html", {"explanations": explanations_for(own_trainee(request))})
