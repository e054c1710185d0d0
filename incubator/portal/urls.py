"""Addresses of this room."""

from django.urls import path

from incubator.portal import views

urlpatterns = [
    path("", views.progress, name="progress"),
    path("certificate/<str:number>/", views.certificate, name="certificate"),
    path("account/", views.account, name="account"),
    path("account/callback/", views.consent_callback, name="consent_callback"),
    path("account/<int:pk>/readings.csv", views.account_readings, name="account_readings"),
    path("account/<int:pk>/connect/", views.connect, name="connect"),
    path("account/<int:pk>/withdraw/", views.withdraw, name="withdraw"),
]
