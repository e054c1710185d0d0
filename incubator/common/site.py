"""The site of the staff desk: the theme's, that makes the list of all applications only for who shows it."""

from functools import partial
from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from unfold.sites import UnfoldAdminSite


class DeskSite(UnfoldAdminSite):
    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Every page asks for it, and the desk's own menu shows none of it: it is made when it is looked at."""
        return SimpleLazyObject(partial(super().get_app_list, request, app_label))
