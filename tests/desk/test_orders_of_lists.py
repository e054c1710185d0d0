"""Every long list by every column, page by page; also where a column is counted, or comes from another table."""

import pytest
from django.urls import reverse

from incubator.common import long_lists
from incubator.common.long_lists import Estimate
from tests import factories
from tests.desk.world import make_world, registered

pytestmark = pytest.mark.django_db
LONG = [(model, desk) for model, desk in registered() if desk.is_long]


@pytest.fixture(scope="module", autouse=True)
def three_of_everything(kept_rows):
    kept_rows(lambda: [make_world(f"52052{n}", f"n{n}") for n in range(3)])


@pytest.mark.parametrize(("model", "desk"), LONG, ids=[model._meta.label for model, _desk in LONG])
def test_every_long_list_has_pages_in_every_order(client, monkeypatch, model, desk):
    client.force_login(factories.superuser())
    monkeypatch.setattr(long_lists, "EXACT_UP_TO", 2)
    monkeypatch.setattr(desk, "list_per_page", 2)
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    everything = sorted(model._default_manager.values_list("pk", flat=True))
    for column in range(len(desk.list_display) + 1):
        for sign in ("", "-"):
            pages = [client.get(url, {"o": f"{sign}{column}", "p": p}).context["cl"] for p in (1, 2)]
            assert all(isinstance(page.result_count, Estimate) for page in pages)
            found = [row.pk for page in pages for row in page.result_list]
            assert len(set(found)) == 4 if len(everything) > 3 else sorted(found) == everything
