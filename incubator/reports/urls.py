"""Addresses of this room."""

from django.urls import path

from incubator.reports import views

urlpatterns = [
    path("", views.overview, name="reports"),
    path("<str:code>/", views.county_report, name="county_report"),
    path("<str:code>/workbook/", views.make_workbook, name="county_report_workbook"),
]
