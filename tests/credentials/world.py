"""Awards in any number, and what another system reads of us."""

import copy
import json
from datetime import timedelta

from django.test import Client
from django.utils import timezone

from incubator.certification.models import Award
from incubator.certification.models.awards import new_code
from incubator.credentials.models import StatusList
from tests import factories
from tests.world import certified

BASE = "https://badges.example.org"
DID = "did:web:badges.example.org"


def published() -> dict:
    """What another system finds at our addresses: the DID document and all status lists, from the views."""
    client = Client()
    found = {DID: json.loads(client.get("/.well-known/did.json").content)}
    for status_list in StatusList.objects.all():
        answer = client.get(status_list.address.removeprefix(BASE))
        found[status_list.address] = json.loads(answer.content)
    return found


def many_awards(count: int, username: str = "first") -> list[Award]:
    """Copies of one award, each of another person."""
    first = certified(username)
    awards = [first]
    for n in range(2, count + 1):
        person = _copy(first.trainee, number=f"{first.trainee.number}-{n}", user=None, name=f"持证{n}")
        participation = _copy(first.candidate.participation, trainee=person)
        candidate = _copy(first.candidate, participation=participation)
        number = f"{first.number.rsplit('-', 1)[0]}-{n:04d}"
        awards.append(_copy(first, trainee=person, candidate=candidate, number=number, code=new_code()))
    return awards


def _copy(row, **changes):
    fresh = copy.copy(row)
    fresh._state = copy.copy(row._state)
    fresh._state.fields_cache = {}
    fresh.pk, fresh._state.adding = None, True
    for name, value in changes.items():
        setattr(fresh, name, value)
    fresh.save()
    return fresh


def expired(award: Award) -> Award:
    today = timezone.localdate()
    return factories.rewrite_award(award, awarded_on=today - timedelta(days=400), expires_on=today - timedelta(days=35))
