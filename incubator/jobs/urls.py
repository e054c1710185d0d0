"""Addresses of this room."""

from django.urls import path

from incubator.jobs import views

urlpatterns = [
    path("", views.my_jobs, name="jobs"),
    path("<int:pk>/", views.job, name="job"),
    path("<int:pk>/status/", views.status, name="job_status"),
    path("<int:pk>/cancel/", views.cancel, name="job_cancel"),
    path("<int:pk>/file/", views.result_file, name="job_file"),
]
