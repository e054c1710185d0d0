"""Every address of the site. Whatever is not opened by name is closed to strangers (LoginRequiredMiddleware)."""

from allauth.account import views as account
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.i18n import set_language

from courses.admin.check_in import check_in_live, check_in_screen
from courses.feeds import class_feed
from incubator.certification.admin.why import hotline_view
from incubator.desk import search_view
from incubator.metrics.admin.coverage import coverage_view
from incubator.portal.views import home
from trainees.revealing import reveal_view

urlpatterns = [
    path("", home, name="home"),
    path("me/", include("incubator.portal.urls")),
    path("calendar/<str:key>/class.ics", class_feed, name="class_feed"),
    path("reports/", include("incubator.reports.urls")),
    path("jobs/", include("incubator.jobs.urls")),
    path("", include("incubator.credentials.urls")),
    path("accounts/login/", account.login, name="account_login"),
    path("accounts/logout/", account.logout, name="account_logout"),
    path("accounts/password/change/", account.password_change, name="account_change_password"),
    path("language/", login_not_required(set_language), name="set_language"),
    path("admin/metrics/coverage/", admin.site.admin_view(coverage_view), name="metrics_coverage"),
    path("admin/certification/why/", admin.site.admin_view(hotline_view), name="certification_why"),
    path("admin/search/", admin.site.admin_view(search_view), name="desk_search"),  # before the theme's own
    path("admin/trainees/trainee/<int:pk>/reveal/", admin.site.admin_view(reveal_view), name="trainee_reveal"),
    path("admin/courses/session/<int:pk>/check-in/", admin.site.admin_view(check_in_screen), name="session_check_in"),
    path(
        "admin/courses/session/<int:pk>/check-in/live/",
        admin.site.admin_view(check_in_live),
        name="session_check_in_live",
    ),
    path("admin/", admin.site.urls),
]
