"""Addresses of this room. They are printed and signed: none of them ever changes."""

from django.urls import path

from incubator.credentials import views
from incubator.credentials.addresses import verification_url

__all__ = ["urlpatterns", "verification_url"]

urlpatterns = [
    path(".well-known/did.json", views.did, name="did"),
    path("verify/", views.verify_form, name="verify_form"),
    path("verify/<str:code>/", views.verify, name="verify"),
    path("credentials/status/<int:number>/", views.credential_status, name="credential_status"),
]
