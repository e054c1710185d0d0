"""Addresses of this room."""

from django.urls import path

from incubator.portal import check_in, credentials, training, views, why

urlpatterns = [
    path("", views.progress, name="progress"),
    path("why/", why.why, name="why"),
    path("certificate/<str:number>/", views.certificate, name="certificate"),
    path("certificate/<str:number>/credential.json", credentials.own_credential, name="own_credential"),
    path("certificate/<str:number>/name/", credentials.show_name, name="show_name"),
    path("certificate/<str:number>/certificate.pdf", views.certificate_file, name="certificate_file"),
    path("certificate/<str:number>/notice.pdf", views.notice_file, name="notice_file"),
    path("timetable/", check_in.timetable, name="timetable"),
    path("check-in/", check_in.check_in_now, name="check_in"),
    path("check-in/<int:pk>/", check_in.check_in_session, name="check_in_session"),
    path("check-in/<int:pk>/<str:token>/", check_in.check_in_scan, name="check_in_scan"),
    path("training/", training.training, name="training"),
    path("training/work/<int:pk>/", training.hand_in, name="hand_in_work"),
    path("training/appeal/<int:pk>/", training.appeal_marks, name="appeal_marks"),
    path("training/satisfaction/<int:pk>/", training.satisfaction, name="satisfaction"),
    path("account/", views.account, name="account"),
    path("account/callback/", views.consent_callback, name="consent_callback"),
    path("account/<int:pk>/readings.csv", views.account_readings, name="account_readings"),
    path("account/<int:pk>/connect/", views.connect, name="connect"),
    path("account/<int:pk>/withdraw/", views.withdraw, name="withdraw"),
]
