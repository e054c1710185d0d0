"""What every list of the staff desk takes from the theme's, and does once a list where that does it once a row."""

from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from unfold.views import ChangeList

OF_ROW = "key-of-this-row"  # where the key of a row belongs, in what is made once a list


class DeskChangeList(ChangeList):
    """Makes the address of a row's page, with the filters to come back to, from one that was made for the list."""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self._kept = self.model_admin.get_preserved_filters(request)
        self.preserved_filters = ""  # else the theme finds out for each row what its address leads to

    def url_for_result(self, result: Model) -> str:
        key = getattr(result, self.pk_attname)
        before, after = self._around_key
        return f"{before}{key}{after}" if isinstance(key, int) else super().url_for_result(result) + self._asked

    @cached_property
    def _around_key(self) -> tuple[str, str]:
        name = f"{self.model_admin.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_change"
        before, _key, after = reverse(name, args=[OF_ROW]).partition(OF_ROW)
        return before, after + self._asked

    @cached_property
    def _asked(self) -> str:
        return f"?{urlencode(dict(parse_qsl(self._kept)))}" if self._kept else ""
