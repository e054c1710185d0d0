"""The staff desk's pages of this room, for superusers; and the way into the desk, which is the site's own login."""

from typing import Any

from allauth.account.admin import EmailAddress
from allauth.account.decorators import secure_admin_login
from django.apps import apps
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
from incubator.accounts.models import AccessRecord, Posting, User
from incubator.common.desk import ReadOnlyAdmin, ScopedAdmin, ScopedInline, link_to
from incubator.regions.scoping import scope_of

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


@admin.register(AccessRecord)
class AccessRecordAdmin(ReadOnlyAdmin):
    """Who saw or took personal data, for head office. Nobody changes or deletes one; the database refuses it too."""

    list_display = ["at", "by", "kind", "of_whom", "which", "count", "reason"]
    list_display_links = ["at"]
    list_filter = ["kind"]
    list_select_related = ["by"]
    search_fields = ["by__username"]
    search_help_text = _("Beginning of the user name of who looked")
    fields = [("at", "by"), ("kind", "of_whom"), ("which", "count"), "reason"]
    readonly_fields = ["of_whom", "which"]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and scope_of(request.user).everything

    def has_module_permission(self, request: HttpRequest) -> bool:
        return super().has_module_permission(request) and scope_of(request.user).everything

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        term = search_term.strip()
        return (queryset.filter(by__username__startswith=term) if term else queryset), False

    @display(description=_("of what"))
    def of_whom(self, record: AccessRecord) -> Any:
        """The model, and for one row a link by its key: whom that is stands behind the link, for whoever may see it."""
        model = apps.get_model(record.what)
        name = f"{model._meta.verbose_name} {record.row}".strip()
        return link_to(model(pk=record.row), name) if record.row else str(model._meta.verbose_name_plural)

    @display(description=_("fields"))
    def which(self, record: AccessRecord) -> str:
        """The fields by the names that lists give them."""
        fields = apps.get_model(record.what)._meta.concrete_fields
        names = {field.name: str(field.verbose_name) for field in fields}
        return ", ".join(names.get(name, name) for name in record.fields)
