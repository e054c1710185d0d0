"""How people are found and what of them is shown."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from unfold.utils import display_for_label

from incubator.metrics.models import Authorisation, CreatorAccount
from incubator.programmes.models import Participation
from incubator.regions.models import Region
from tests import factories
from tests.desk.world import make_world, registered
from trainees.models import Trainee
from trainees.services import NewTrainee, enter_trainees

pytestmark = pytest.mark.django_db
ID_NUMBER, PHONE = "11010519491231002X", "+8613800001234"


@pytest.fixture
def person(client):
    client.force_login(factories.superuser())
    [trainee] = enter_trainees(
        [NewTrainee(name="王小明", county=factories.region("622927"), id_number=ID_NUMBER, phone=PHONE)], year=2025
    )
    factories.TraineeFactory(name="李四")
    return trainee


@pytest.mark.parametrize(
    "term",
    ["王小", "王小明", " 王小明 ", "13800001234", "+86 138 0000 1234", "１３８００００１２３４", ID_NUMBER],
)
def test_person_is_found_by_name_phone_or_id_number(person, client, term):
    response = client.get(reverse("admin:trainees_trainee_changelist"), {"q": term})
    assert list(response.context["cl"].queryset) == [person]


def test_person_is_found_by_number_in_every_list_of_people(person, client):
    for number in (person.number, person.number.lower()):
        response = client.get(reverse("admin:trainees_trainee_changelist"), {"q": number})
        assert list(response.context["cl"].queryset) == [person]
    row = factories.ParticipationFactory(trainee=person)
    found = client.get(reverse("admin:programmes_participation_changelist"), {"q": person.number})
    assert list(found.context["cl"].queryset) == [row]


@pytest.mark.parametrize("term", ["小明", "1380000", "110105", "110105194912310021", "138000012345"])
def test_parts_of_personal_numbers_and_middles_of_names_find_nobody(person, client, term):
    response = client.get(reverse("admin:trainees_trainee_changelist"), {"q": term})
    assert list(response.context["cl"].queryset) == []


def test_personal_numbers_are_masked_everywhere(person, client):
    for url in (
        reverse("admin:trainees_trainee_changelist"),
        reverse("admin:trainees_trainee_change", args=[person.pk]),
    ):
        html = client.get(url).content.decode()
        assert "138****1234" in html
        assert ID_NUMBER not in html
        assert "13800001234" not in html
    assert "110105********002X" in html


def test_trainee_page_shows_everything_that_hangs_on_the_person(client):
    client.force_login(factories.superuser())
    world = make_world("622927", "甲")
    html = client.get(reverse("admin:trainees_trainee_change", args=[world[Trainee].pk])).content.decode()
    assert reverse("admin:programmes_participation_change", args=[world[Participation].pk]) in html
    assert reverse("admin:metrics_creatoraccount_change", args=[world[CreatorAccount].pk]) in html
    for word in ("123,456", "XC-甲", world[Participation].cohort.name, world[Region].name):
        assert word in html


def test_editing_a_person_leaves_identity_alone(person, client):
    url = reverse("admin:trainees_trainee_change", args=[person.pk])
    data = {"name": "王晓明", "background": "founder", "township": "吹麻滩镇", "education": "", "born_on": "1990-01-01"}
    client.post(url, data | {"county": "", "sex": "male"})
    person = Trainee.objects.get(pk=person.pk)
    assert (person.name, person.township) == ("王晓明", "吹麻滩镇")
    assert (person.id_number, person.phone, person.county_id) == (ID_NUMBER, PHONE, "622927")


def test_tokens_are_neither_shown_nor_read(client):
    client.force_login(factories.superuser())
    consent = make_world("622927", "甲")[Authorisation]
    for url in (
        reverse("admin:metrics_authorisation_changelist"),
        reverse("admin:metrics_authorisation_change", args=[consent.pk]),
        reverse("admin:metrics_creatoraccount_changelist"),
        reverse("admin:metrics_creatoraccount_change", args=[consent.pk]),
    ):
        with CaptureQueriesContext(connection) as captured:
            html = client.get(url).content.decode()
        assert "access甲" not in html
        assert "refresh甲" not in html
        assert not [q for q in captured if "_token" in q["sql"]]


@pytest.mark.parametrize(("model", "desk"), registered(), ids=lambda item: getattr(item, "__name__", ""))
def test_every_state_is_shown_in_words(model, desk):
    """The theme shows the raw value of a state that its colours do not name."""
    for name in {"state_label", "status_label"} & set(dir(desk)):
        for value, words in model._meta.get_field(name.removesuffix("_label")).choices:
            row = model(**{name.removesuffix("_label"): value})
            shown = display_for_label(getattr(desk, name)(row), "-", getattr(desk, name).label)
            assert str(words) in shown, value


def test_account_page_draws_its_followers(client):
    client.force_login(factories.superuser())
    account = factories.CreatorAccountFactory()
    url = reverse("admin:metrics_creatoraccount_change", args=[account.pk])
    assert "<polyline" not in client.get(url).content.decode()
    for days in (2, 1, 0):
        factories.reading(account, timezone.localdate() - timedelta(days=days), 1000 + days)
    assert client.get(url).content.decode().count("<polyline") == 1
