"""Whose pages these are."""

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from trainees.models import Trainee


def own_trainee(request: HttpRequest) -> Trainee:
    """The trainee who asks; a 404 for everybody else."""
    return get_object_or_404(Trainee, user=request.user.pk)
