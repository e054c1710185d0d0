"""Whose pages these are."""

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from incubator.certificates.paper import ON_PAPER
from incubator.certification.models import Award
from trainees.models import Trainee


def own_trainee(request: HttpRequest) -> Trainee:
    """The trainee who asks; a 404 for everybody else."""
    return get_object_or_404(Trainee, user=request.user.pk)


def own_award(request: HttpRequest, number: str) -> Award:
    """An award of whoever asks, with all that is printed of it; a 404 for anybody else's."""
    awards = Award.objects.filter(trainee=own_trainee(request)).select_related("trainee", *ON_PAPER)
    return get_object_or_404(awards, number=number)
