"""A number that somebody had before finds whoever they are now; people are kept from being merged away."""

import pytest
from django.urls import reverse

from incubator.common.errors import Stale
from tests import factories
from trainees.models import FormerNumber, Trainee
from trainees.queries import person_q
from trainees.services import lock_people, require_people

pytestmark = pytest.mark.django_db


@pytest.fixture
def known_before():
    """Somebody who was T2025-0000009 before, in 622927."""
    trainee = factories.TraineeFactory(number="T2025-0000001", name="马兰")
    FormerNumber.objects.create(number="T2025-0000009", former_id=10**9, trainee=trainee)
    return trainee


def test_former_number_finds_the_person_of_today(known_before):
    factories.TraineeFactory(number="T2025-0000002")

    assert list(Trainee.objects.filter(person_q("t2025-0000009 "))) == [known_before]
    assert list(Trainee.objects.filter(person_q("T2025-0000001"))) == [known_before]
    assert Trainee.objects.filter(person_q("T2025-")).count() == 2


def test_search_says_what_the_number_is_now(client, known_before):
    client.force_login(factories.superuser())

    page = client.get(
        reverse("admin:trainees_trainee_changelist"), {"q": "T2025-0000009"}, headers={"accept-language": "en"}
    )

    assert "T2025-0000009 is now T2025-0000001" in page.content.decode()
    assert "马兰" in page.content.decode()


def test_search_tells_nothing_of_another_countys_number(client, known_before):
    from tests.desk.world import county_staff

    client.force_login(county_staff("520526"))

    page = client.get(reverse("admin:trainees_trainee_changelist"), {"q": "T2025-0000009"})

    assert "T2025-0000001" not in page.content.decode()
    assert "马兰" not in page.content.decode()


def test_choosing_a_person_tells_nothing_in_passing(client, known_before):
    client.force_login(factories.superuser())
    asked = {"app_label": "programmes", "model_name": "participation", "field_name": "trainee", "term": "T2025-0000009"}

    found = client.get(reverse("admin:autocomplete"), asked).json()["results"]
    home = client.get(reverse("admin:index"))

    assert [row["id"] for row in found] == [str(known_before.pk)]
    assert "T2025-0000009" not in home.content.decode()


def test_locking_people_tells_who_is_there(known_before):
    gone = known_before.pk + 1_000

    assert lock_people([gone, known_before.pk]) == {known_before.pk}
    with pytest.raises(Stale):
        require_people([gone, known_before.pk])
    require_people([known_before.pk])
