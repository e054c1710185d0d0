"""Django's admin as an application of ours; beside ``apps``, where Django looks for the one of this room."""

from django.contrib.admin.apps import AdminConfig


class DeskConfig(AdminConfig):
    default_site = "incubator.common.site.DeskSite"
