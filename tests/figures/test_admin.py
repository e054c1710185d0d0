"""The list of figures imports: its hint, its blank workbook, and who may do what."""

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from incubator.accounts.choices import StaffGroup
from tests.factories import official

pytestmark = pytest.mark.django_db

LIST = "/admin/figures/figuresimport/"


def member(group):
    user = official("622927", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    return user


@pytest.mark.parametrize(
    ("group", "list_status", "add_status"),
    [
        (StaffGroup.MANAGER, 200, 200),
        (StaffGroup.CLERK, 200, 200),
        (StaffGroup.VIEWER, 200, 403),
        (StaffGroup.CERTIFIER, 403, 403),
    ],
)
def test_groups_may_do_what_they_may_do_with_rosters(client, group, list_status, add_status):
    client.force_login(member(group))

    assert client.get(LIST).status_code == list_status
    assert client.get(f"{LIST}add/").status_code == add_status


def test_the_list_leads_to_the_blank_workbook(client):
    client.force_login(member(StaffGroup.CLERK))
    url = reverse("admin:figures_figuresimport_template")

    assert url in client.get(LIST).content.decode()
    answer = client.get(url)
    assert answer.content.startswith(b"PK") and ".xlsx" in answer["Content-Disposition"]
