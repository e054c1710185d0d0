"""Addresses of rows' pages: as Django makes them, and with what the list was asked for."""

import pytest
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.urls import reverse
from unfold.views import ChangeList

from tests import factories
from tests.desk.world import make_world, registered
from trainees.models import Trainee

pytestmark = pytest.mark.django_db
ASKED = {"p": 1, "q": "", "o": "1"}


@pytest.fixture(scope="module", autouse=True)
def three_of_everything(kept_rows):
    kept_rows(lambda: [make_world(f"52052{n}", f"n{n}") for n in range(3)])


def as_django_makes_it(found, row, kept):
    url = ChangeList.url_for_result(found, row)
    return add_preserved_filters({"preserved_filters": kept, "opts": found.opts}, url)


@pytest.mark.parametrize("asked", [{}, ASKED], ids=["at first", "asked"])
def test_rows_lead_to_their_pages_and_back(client, asked):
    client.force_login(factories.superuser())
    kinds = set()
    for model, _desk in registered():
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        answer = client.get(url, asked)
        found, kept = answer.context["cl"], answer.context["preserved_filters"]

        assert ("_changelist_filters" in kept) == bool(asked)
        for row in found.result_list:
            assert found.url_for_result(row) == as_django_makes_it(found, row, kept)
            kinds.add(type(row.pk).__name__)
    assert kinds >= {"int", "str"}


def test_a_row_that_was_asked_for_in_words_leads_back_to_them(client):
    client.force_login(factories.superuser())
    person = Trainee.objects.first()
    page = client.get(reverse("admin:trainees_trainee_changelist"), {"q": person.name, "sex__exact": ""})
    [row] = [row for row in page.context["cl"].result_list if row == person]
    address = page.context["cl"].url_for_result(row)

    assert address in page.content.decode().replace("&amp;", "&")
    opened = client.get(address)
    assert opened.context["preserved_filters"] == page.context["preserved_filters"]
