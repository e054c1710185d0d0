"""Seals: put in use by head office, looked at, never changed."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from incubator.certificates.downloads import as_download
from incubator.certificates.models import Seal
from incubator.certificates.services import put_seal
from incubator.common.desk import ScopedAdmin, adopt


@admin.register(Seal)
class SealAdmin(ScopedAdmin):
    may_edit = False
    names_nobody = True
    list_display = ["programme", "issuer", "size", "put_by", "put_at"]
    list_filter = ["programme"]
    list_select_related = ["programme", "put_by"]
    search_fields = ["issuer"]
    readonly_fields = ["picture", "size"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        asked = [("programme", "issuer"), "image"]
        shown = [("programme", "issuer"), ("put_by", "put_at"), ("picture", "size")]
        hint = _(
            "A PNG with a transparent background, 300 to 1,500 pixels on each side, at most 1 MB. It is kept encrypted "
            "and used for what is printed first from now on; certificates made before keep their seal."
        )
        return [(None, {"fields": shown if obj else asked, "description": None if obj else hint})]

    def save_model(self, request: HttpRequest, obj: Seal, form: Any, change: bool) -> None:
        adopt(obj, put_seal(obj.programme, form.cleaned_data["image"], issuer=obj.issuer, by=request.user))

    @display(description=_("size"))
    def size(self, row: Seal) -> str:
        return f"{row.width} × {row.height}"

    @display(description=_("picture of the seal"))
    def picture(self, row: Seal) -> Any:
        url = reverse("admin:certificates_seal_picture", args=[row.pk])
        return format_html('<a class="desk-link" href="{}">{}</a>', url, gettext("Download"))

    def get_urls(self) -> list:
        view = self.admin_site.admin_view(self.picture_view)
        return [path("<int:pk>/seal.png", view, name="certificates_seal_picture"), *super().get_urls()]

    def picture_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        seal = Seal.objects.visible_to(request.user).filter(pk=pk).first()
        if seal is None or not self.has_view_permission(request, seal):
            raise Http404
        return as_download(seal.image.read_unsealed(), "image/png", f"印章-{seal.pk}.png")
