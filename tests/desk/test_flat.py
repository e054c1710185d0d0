"""Every list and the home page ask the database as often for thirty rows as for one."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests import factories
from tests.desk.world import make_world, registered


def addresses() -> dict[str, str]:
    """The home page and every list by name, each showing all it has."""
    urls = {
        model._meta.label: reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model, _desk in registered()
    }
    urls["certification.Flag"] += "?answer=all"
    urls["certification.Candidate"] += "?decision=all"
    urls["metrics.QuarantinedReading"] += "?held=all"
    return urls | {"home": reverse("admin:index")}


def queries(client, urls):
    """Number of queries and of rows by address."""
    counts, rows = {}, {}
    for name, url in urls.items():
        with CaptureQueriesContext(connection) as captured:
            response = client.get(url)
        counts[name] = len(captured)
        rows[name] = response.context["cl"].result_count if name != "home" else 1
    return counts, rows


@pytest.mark.django_db
def test_queries_do_not_grow_with_rows(client):
    client.force_login(factories.superuser())
    make_world("622927", "n0")
    queries(client, addresses())  # what is read once per process is read now
    one, rows_of_one = queries(client, addresses())
    for n in range(1, 30):
        make_world(f"5205{n:02d}", f"n{n}")
    thirty, rows_of_thirty = queries(client, addresses())
    assert thirty == one
    grown = {name for name in rows_of_one if rows_of_thirty[name] > rows_of_one[name]}
    assert grown == set(addresses()) - {"home"}
    assert max(one.values()) <= 31
