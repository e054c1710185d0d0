"""Parts of the theme that our templates stand in for, because they are gone through for every row or entry."""

import re
from pathlib import Path

import pytest
import unfold
from django.contrib import admin
from django.urls import reverse

from tests import factories
from tests.desk.world import make_world

pytestmark = pytest.mark.django_db
THEMES = Path(unfold.__file__).parent / "templates"
# Short and long, with filters and without, to edit and to look at, searched and not.
LISTS = [
    "accounts.AccessRecord", "auth.Group", "certification.Candidate", "jobs.Job", "regions.Region", "trainees.Trainee",
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def three_of_everything(kept_rows):
    kept_rows(lambda: [make_world(f"52052{n}", f"n{n}") for n in range(3)])


def bare(page):
    """Markup without what a browser does not show: space between tags and at their ends."""
    return re.sub(r"\s*([<>])\s*", r"\1", re.sub(r"\s+", " ", page))


@pytest.fixture
def theirs(settings):
    """``theirs(answer)``: the page with the theme's own templates."""

    def rendered(ask):
        templates = settings.TEMPLATES
        own = templates[0] | {"DIRS": [THEMES, *templates[0]["DIRS"]]}
        settings.TEMPLATES = [own, *templates[1:]]
        try:
            return ask()
        finally:
            settings.TEMPLATES = templates

    return rendered


def without_tokens(answer):
    return re.sub(r'(csrfmiddlewaretoken" value|nonce)="[^"]*"', "", answer.content.decode())


@pytest.mark.parametrize("label", LISTS)
def test_a_list_is_as_the_theme_has_it(client, theirs, label):
    client.force_login(factories.superuser())
    url = reverse(f"admin:{label.replace('.', '_').lower()}_changelist")

    def part():
        page = bare(without_tokens(client.get(url)))
        menu = page[page.index('<div id="nav-sidebar-apps"') : page.index("</ol></div></div>")]
        rows = page[page.index('id="changelist-form"') : page.index("</form>", page.index('id="changelist-form"'))]
        return menu, rows

    assert part() == theirs(part)


def test_a_page_makes_no_list_of_all_applications(client, monkeypatch):
    client.force_login(factories.superuser())
    made = []
    monkeypatch.setattr(admin.site, "_build_app_dict", lambda *args: made.append(args) or {})

    client.get(reverse("admin:trainees_trainee_changelist"))
    assert made == []
    client.get(reverse("admin:app_list", args=["trainees"]))
    assert made


def test_the_list_of_an_applications_lists_is_there_for_who_asks(client):
    client.force_login(factories.superuser())

    page = client.get(reverse("admin:app_list", args=["trainees"]))

    assert reverse("admin:trainees_trainee_changelist") in page.content.decode()
    [application] = page.context["app_list"]
    assert {model["object_name"] for model in application["models"]} == {"Trainee", "TraineeChange"}
    client.force_login(factories.UserFactory(is_staff=True))
    assert client.get(reverse("admin:app_list", args=["trainees"])).status_code == 404
