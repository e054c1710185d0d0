"""The staff desk's pages of this room, for superusers; and the way into the desk, which is the site's own login."""

from typing import Any

from allauth.account.admin import EmailAddress
from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from incubator.accounts.choices import StaffGroup
from incubator.accounts.models import Posting, User
from incubator.common.desk import ScopedAdmin, ScopedInline

# The site's login has the rate limits; the desk's own would be a second door without them.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

admin.site.unregister(Group)
admin.site.unregister(EmailAddress)  # nobody logs in by e-mail address


def group_label(group: Group) -> str:
    """The group's name in the reader's language, where it is one of ours."""
    return str(dict(StaffGroup.choices).get(group.name, group.name))


class PostingInline(ScopedInline):
    model = Posting
    is_part_of_parent = True
    autocomplete_fields = ["region"]
    fields = ["region", "is_whole_country", "starts_on", "ends_on"]


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ScopedAdmin):  # type: ignore[misc]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "display_name", "role", "is_staff", "is_superuser", "is_active", "last_login"]
    list_filter = ["role", "is_staff", "is_superuser", "is_active", "groups"]
    search_fields = ["username", "display_name"]
    ordering = ["username"]
    filter_horizontal = []
    readonly_fields = ["last_login", "date_joined"]
    inlines = [PostingInline]
    fieldsets = [
        (None, {"fields": [("username", "display_name"), "role", "password"]}),
        (_("What the person may do"), {"fields": [("is_active", "is_staff", "is_superuser"), "groups"]}),
        (_("Dates"), {"fields": [("last_login", "date_joined")]}),
    ]
    add_fieldsets = [
        (
            None,
            {
                "fields": [
                    ("username", "display_name"),
                    ("role", "is_staff"),
                    "usable_password",
                    "password1",
                    "password2",
                ]
            },
        )
    ]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return super().get_inlines(request, obj) if obj else []

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name != "groups":
            return super().formfield_for_manytomany(db_field, request, **kwargs)
        boxes = UnfoldAdminCheckboxSelectMultipleWidget
        form_field: Any = super().formfield_for_manytomany(db_field, request, widget=boxes, help_text="", **kwargs)
        form_field.label_from_instance = group_label
        return form_field


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ScopedAdmin):  # type: ignore[misc]
    list_display = ["name", "label"]
    may_delete = True
    names_nobody = True

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).order_by("name")

    @display(description=_("group"))
    def label(self, group: Group) -> str:
        return group_label(group)
