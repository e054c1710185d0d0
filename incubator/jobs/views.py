"""Background work as its asker sees it: how far it is, stop it, fetch what it made. A stranger's job is a 404."""

import mimetypes
from io import BytesIO

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from incubator.common.encryption import Undecipherable
from incubator.common.errors import RuleBroken
from incubator.jobs.choices import JobState
from incubator.jobs.models import Job
from incubator.jobs.registry import DOWNLOAD_CHECKS, FOR_ASKERS_ONLY
from incubator.jobs.services import cancel_job, is_file_gone

JOBS_A_PAGE = 30


def _mine(request: HttpRequest, pk: int) -> Job:
    return get_object_or_404(Job.objects.visible_to(request.user).select_related("asked_by"), pk=pk)


def has_file(job: Job, *, by: int | None) -> bool:
    """Whether there is a result that the user with the id ``by`` may (still) fetch."""
    if job.state != JobState.DONE or not job.result_file or not is_for(job, by):
        return False
    allowed = DOWNLOAD_CHECKS.get(job.kind, lambda _job: True)
    return not is_file_gone(job) and allowed(job)


def is_for(job: Job, user_id: int | None) -> bool:
    """Whether the user may have the result at all: some are for nobody but who asked for them."""
    return job.kind not in FOR_ASKERS_ONLY or job.asked_by_id == user_id


@require_safe
def my_jobs(request: HttpRequest) -> HttpResponse:
    """What this person asked for, newest first."""
    page = Paginator(Job.objects.filter(asked_by=request.user.pk), JOBS_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "jobs/my_jobs.html", {"page": page})


@require_safe
def job(request: HttpRequest, pk: int) -> HttpResponse:
    """One job with its progress; it refreshes itself, with a script or without."""
    found = _mine(request, pk)
    context = {
        "job": found,
        "has_file": has_file(found, by=request.user.pk),
        "is_gone": is_file_gone(found),
        "is_for_somebody_else": not is_for(found, request.user.pk),
    }
    return render(request, "jobs/job.html", context)


@require_safe
def status(request: HttpRequest, pk: int) -> JsonResponse:
    """The same for the page's script."""
    found = _mine(request, pk)
    return JsonResponse(
        {
            "state": found.state,
            "label": found.get_state_display(),
            "is_live": found.is_live,
            "percent": found.percent,
            "done": found.done,
            "total": found.total,
            "error": found.error,
            "file": reverse("job_file", args=[pk]) if has_file(found, by=request.user.pk) else None,
        }
    )


@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop the work."""
    found = _mine(request, pk)
    try:
        cancel_job(found, by=request.user)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
    return redirect("job", pk)


@require_safe
@never_cache
def result_file(request: HttpRequest, pk: int) -> HttpResponseBase:
    """What the work made, as a download."""
    found = _mine(request, pk)
    if not has_file(found, by=request.user.pk):
        raise Http404
    try:
        content = BytesIO(found.result_file.read_unsealed())
    except Undecipherable:  # kept under a key that is gone: it cannot be opened any more
        raise Http404 from None
    kind = mimetypes.guess_type(found.result_name)[0] or "application/octet-stream"
    answer = FileResponse(content, content_type=kind)
    answer["Content-Disposition"] = content_disposition_header(True, found.result_name)
    return answer
