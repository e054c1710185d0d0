"""Every list of the desk as a file: its rows, its columns, in as many queries for thirty rows as for one."""

import io
from datetime import datetime
from urllib.parse import unquote

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from incubator.accounts.models import AccessRecord
from incubator.certification.models import Candidate
from incubator.common.exports.columns import resource_for
from incubator.exports.rows import ListRows
from incubator.grants.models import Grant, TrafficPool
from incubator.jobs.models import Job
from incubator.metrics.models import Correction, CreatorAccount, QuarantinedReading
from incubator.programmes.models import Participation
from incubator.regions.models import Region
from tests import factories
from tests.desk.world import county_staff, is_scoped, make_world, registered
from tests.test_doors import every_view
from trainees.models import Trainee

HERE, THERE, TAG = "622927", "520526", "Z9外"
QUERIES = {"certification.Candidate": "decision=all", "metrics.QuarantinedReading": "held=all"}

pytestmark = pytest.mark.django_db


def address(model, query=""):
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_export")
    return f"{url}?{query}" if query else url


def query_of(model):
    return QUERIES.get(model._meta.label, "")


def exported(client, model, *, query="", **data):
    """Rows of the file, header first, as openpyxl reads them; the whole text of both sheets beside them."""
    answer = client.post(address(model, query), {"format": "0", **data})
    assert answer.status_code == 200 and answer.streaming, answer.get("Location", answer.content[:2000])
    book = openpyxl.load_workbook(io.BytesIO(answer.getvalue()))
    rows = [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]
    return rows, str([list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets])


def cells(client, model, **kwargs):
    """The first row as a dictionary."""
    rows, _text = exported(client, model, **kwargs)
    return dict(zip(rows[0], rows[1], strict=True))


def test_every_list_is_exported_with_the_rows_it_shows(client):
    client.force_login(factories.superuser())
    make_world(HERE, "A1")
    make_world(THERE, "B2")

    for model, _desk in registered():
        listed = client.get(address(model, query_of(model)).replace("/export/", "/")).context["cl"].result_count
        if not listed:
            answer = client.post(address(model, query_of(model)), {"format": "0"})
            assert "There is nothing to export" in answer.content.decode(), model
            continue
        rows, text = exported(client, model, query=query_of(model))
        assert len(rows) == listed + 1, model
        assert all(rows[0]) and len(set(rows[0])) == len(rows[0]), rows[0]
        assert "<" not in text, (model, text)


def test_every_list_has_the_button_with_its_filters_and_the_action(client):
    client.force_login(factories.superuser())
    make_world(HERE, "A1")

    for model, _desk in registered():
        page = client.get(address(model, query_of(model)).replace("/export/", "/"))
        assert f'href="{address(model)}?{query_of(model)}"' in page.content.decode(), model
        if page.context["cl"].result_count:
            assert "export" in dict(page.context["action_form"].fields["action"].choices), model


def test_strangers_rows_are_in_no_file(client):
    make_world(HERE, "A1内")
    make_world(THERE, TAG)
    client.force_login(county_staff(HERE))

    looked_at = 0
    for model, desk in registered():
        page = client.get(address(model, query_of(model)))
        if model is AccessRecord:  # for head office alone
            assert page.status_code == 403
            continue
        assert page.status_code == 200
        if desk.is_reference:
            continue
        if page.context["count"]:
            rows, text = exported(client, model, query=query_of(model))
            assert len(rows) == page.context["count"] + 1
            assert TAG not in text, model
            looked_at += 1
        assert TAG not in page.content.decode(), model
    assert looked_at > 15


def test_a_strangers_chosen_row_is_neither_exported_nor_counted(client):
    here, there = make_world(HERE, "A1内"), make_world(THERE, TAG)
    client.force_login(county_staff(HERE))

    for model, desk in registered():
        if desk.is_reference or not is_scoped(model) or model not in there or model is AccessRecord:
            continue
        chosen = {"_selected_action": [there[model].pk]}
        answer = client.post(address(model, query_of(model)), {"format": "0", **chosen})
        assert "There is nothing to export" in answer.content.decode(), model
    both = {"_selected_action": [here[Trainee].pk, there[Trainee].pk]}
    rows, text = exported(client, Trainee, **both)
    assert len(rows) == 2 and TAG not in text


def test_columns_are_written_in_as_many_queries_for_thirty_rows_as_for_one():
    boss = factories.superuser()

    def queries():
        counts, rows = {}, {}
        for model, desk in registered():
            listed = ListRows(desk, boss, query_of(model))
            with CaptureQueriesContext(connection) as captured:
                rows[model] = len(list(resource_for(desk, listed.request).rows(listed.queryset)))
            counts[model] = len(captured)
        return counts, rows

    make_world(HERE, "n0")
    queries()
    one, rows_of_one = queries()
    for n in range(1, 30):
        make_world(f"5205{n:02d}", f"n{n}")
    thirty, rows_of_thirty = queries()

    assert thirty == one
    assert all(rows_of_thirty[model] >= rows_of_one[model] + 29 for model in rows_of_one if rows_of_one[model])


def test_filters_search_order_and_choice_of_the_list_hold(client):
    client.force_login(factories.superuser())
    women = [factories.TraineeFactory(sex="female", name=f"王{n}") for n in range(3)]
    factories.TraineeFactory(sex="male", name="王九")
    factories.TraineeFactory(sex="female", name="李四")

    rows, text = exported(client, Trainee, query="sex__exact=female&q=王&o=-1")
    assert [row[0] for row in rows[1:]] == [woman.number for woman in reversed(women)]
    assert "王" in text and "female" in text.lower()
    rows, _text = exported(client, Trainee, query="sex__exact=female&p=7", _selected_action=[women[1].pk])
    assert [row[0] for row in rows[1:]] == [women[1].number]


def test_a_filter_that_nobody_understands_is_refused_and_not_ignored(client):
    client.force_login(factories.superuser())
    factories.TraineeFactory()

    answer = client.post(address(Trainee, "nonsense=1"), {"format": "0"}, follow=True)
    assert "not understood" in answer.content.decode()
    answer = client.post(address(Trainee, "q=%00"), {"format": "0"}, follow=True)
    assert "not understood" in answer.content.decode()
    answer = client.post(address(Trainee), {"format": "0", "_selected_action": "x"}, follow=True)
    assert "do not exist" in answer.content.decode()


def test_values_are_numbers_days_and_words_and_not_their_decorations(client):
    client.force_login(factories.superuser())
    world = make_world(HERE, "A1")
    Grant.objects.update(impressions=1_234_567)
    today = world[Candidate].found_on

    account = cells(client, CreatorAccount)
    assert (account["Followers"], account["Read on"]) == (123_456, datetime(today.year, today.month, today.day))
    assert account["State"] == world[CreatorAccount].get_state_display()
    assert cells(client, Grant)["Impressions"] == 1_234_567
    assert cells(client, TrafficPool)["Impressions left"] == 1_000_000
    assert cells(client, Correction)["Change"] == 1
    held = cells(client, QuarantinedReading, query="held=all")
    assert (held["Figure"], held["Last reading"]) == (40, 120_000)
    candidate = cells(client, Candidate, query="decision=all")
    assert candidate["Followers that day"] == 123_456
    participation = cells(client, Participation)
    assert isinstance(participation["Graduated on"], datetime)
    trainee = cells(client, Trainee, query=f"q={world[Trainee].number}")
    assert trainee["Followers"] == 123_456
    assert "File" not in cells(client, Job)


def test_columns_of_higher_rooms_stand_where_they_belong(client):
    client.force_login(factories.superuser())
    make_world(HERE, "A1")

    header = exported(client, Trainee)[0][0]
    pairs = [("Name", "Sex"), ("Sex", "Date of birth"), ("Phone", "ID number"), ("Followers", "Read on")]
    assert all(header.index(right) == header.index(left) + 1 for left, right in pairs), header


def test_unknown_is_an_empty_cell_and_a_name_that_is_a_dash_stays(client):
    client.force_login(factories.superuser())
    factories.ParticipationFactory(trainee=factories.TraineeFactory(name="-"))

    row = cells(client, Participation)
    assert row["Name"] == "-"
    assert row["Graduated on"] is None
    trainee = cells(client, Trainee)
    assert (trainee["Followers"], trainee["Read on"], trainee["Phone"]) == (None, None, None)


def test_file_has_its_name_region_and_day_and_tells_who_made_it(client):
    clerk = county_staff(HERE)
    Region.objects.filter(code=HERE).update(name="积石山县")
    client.force_login(clerk)
    factories.TraineeFactory(name="张三")

    answer = client.post(address(Trainee, "q=张"), {"format": "0"})
    assert f"Trainees_积石山县_{timezone.localdate()}.xlsx" in unquote(answer["Content-Disposition"])
    assert {"private", "no-store"} <= set(answer["Cache-Control"].split(", "))
    notes = openpyxl.load_workbook(io.BytesIO(answer.getvalue())).worksheets[1]
    told = dict(notes.iter_rows(values_only=True))
    assert (told["List"], told["Rows"], told["Search"], told["Exported by"]) == ("Trainees", "1", "张", str(clerk))
    assert told["Personal data"] == "masked"


def test_csv_of_a_list(client):
    client.force_login(factories.superuser())
    factories.TraineeFactory(name="=1+1", township="＠镇")

    answer = client.post(address(Trainee), {"format": "1"})
    text = answer.getvalue().decode("utf-8")
    assert text.startswith('\ufeff"')
    assert '"=1+1"' in text and '"＠镇"' in text
    assert answer["Content-Type"].startswith("text/csv")


def test_an_empty_list_is_a_sentence_and_no_file(client):
    client.force_login(factories.superuser())

    for answer in (client.get(address(Trainee)), client.post(address(Trainee), {"format": "0"})):
        assert "There is nothing to export" in answer.content.decode()
        assert "desk-button-main" not in answer.content.decode()
    assert not AccessRecord.objects.exists()


def test_the_page_says_what_will_be_written(client):
    client.force_login(factories.superuser())
    factories.TraineeFactory(sex="female")

    page = client.get(address(Trainee, "sex__exact=female")).content.decode()
    assert "1 row is written." in page
    assert "ID number" in page and "female" in page.lower()
    assert "That you took this list is recorded." in page
    assert "recorded" not in client.get(address(Region)).content.decode()


def test_chosen_rows_come_from_the_lists_action(client):
    client.force_login(factories.superuser())
    people = [factories.TraineeFactory(name=f"王{n}") for n in range(3)]
    listed = address(Trainee).replace("/export/", "/") + "?q=王"

    page = client.post(listed, {"action": "export", "_selected_action": [people[0].pk, people[2].pk]})
    assert page.context["count"] == 2
    assert page.context["action"] == address(Trainee, "q=%E7%8E%8B")
    assert page.content.decode().count('name="_selected_action"') == 2
    everything = client.post(listed, {"action": "export", "select_across": "1", "_selected_action": [people[0].pk]})
    assert everything.status_code == 302 and everything["Location"] == address(Trainee, "q=%E7%8E%8B")


def test_who_may_not_look_may_not_export(client):
    client.force_login(factories.official(HERE, is_staff=True))
    factories.TraineeFactory()

    assert client.get(address(Trainee)).status_code == 403
    assert client.post(address(Trainee), {"format": "0"}).status_code == 403


def test_there_is_no_way_in_for_the_stock_import(client):
    stock = [name for name, callback, _route in every_view() if "import_export" in getattr(callback, "__module__", "")]
    names = {name.split(":")[-1] for name, _callback, _route in every_view()}

    assert stock == []
    assert not {name for name in names if name.endswith(("_import", "process_import"))}
    assert "trainees_trainee_export" in names
    client.force_login(factories.superuser())
    for model, _desk in registered():
        url = address(model).replace("/export/", "/import/")
        assert client.get(url).status_code in (302, 404), url  # taken for a primary key that does not exist
