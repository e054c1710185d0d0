"""Staff of county A and the rows of county B: in no list, page, search, filter, choice, autocomplete or action."""

import pytest
from django.contrib import admin
from django.contrib.admin.utils import get_fields_from_path
from django.forms import ModelChoiceField
from django.urls import reverse

from courses.models import Enrolment, InstitutionPosting, Session, TrainingClass
from incubator.accounts.models import Posting
from incubator.certification.models import Award
from incubator.common.desk import ScopedAdmin, ScopedInline, ScopedRelatedFilter, ScopedSearchFilter, visible_rows
from incubator.grants.models import Grant, TrafficPool
from incubator.jobs.models import Job
from incubator.programmes.models import Participation
from incubator.regions.models import Region
from tests.desk.world import county_staff, is_scoped, make_world, registered
from trainees.models import Trainee

LISTS = registered()
FOR_HEAD_OFFICE = {"accounts.AccessRecord", "certificates.Seal"}  # nobody else opens the list: their own tests
SCOPED = [model for model, _desk in LISTS if is_scoped(model) and model._meta.label not in FOR_HEAD_OFFICE]
HERE, THERE = "622927", "520526"
TAG = "Z9外"

pytestmark = pytest.mark.django_db


def label(model):
    return model._meta.label


@pytest.fixture(scope="module")
def made(kept_rows):
    return kept_rows(lambda: (make_world(HERE, "A1内"), make_world(THERE, TAG), county_staff(HERE)))


@pytest.fixture
def worlds(made, client):
    """Own county, the other county, and a client logged in as staff of the own one with every permission."""
    here, there, staff = made
    client.force_login(staff)
    return here, there


def page(model, name, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def test_every_list_is_scoped_or_reference_data_or_for_superusers(client):
    staff = county_staff(HERE)
    for model, desk in LISTS:
        assert isinstance(desk, ScopedAdmin), label(model)
        if not is_scoped(model) and not desk.is_reference:
            assert not visible_rows(model, staff).exists()
    assert {label(m) for m, d in LISTS if d.is_reference} == {
        "programmes.Programme",
        "programmes.Cohort",
        "courses.Course",
        "courses.CourseVersion",
        "courses.GraduationRule",
        "courses.Lecturer",
        "grants.TrafficPool",
        "certification.Badge",
        "certification.Rule",
        "forecasts.BackTest",
        "certification.Rehearsal",
    }


def test_reference_data_names_no_person_and_no_region():
    """What everybody may see must not point at somebody."""
    for model, desk in LISTS:
        if desk.is_reference:
            targets = {field.related_model for field in model._meta.concrete_fields if field.is_relation}
            assert not {target for target in targets if is_scoped(target)}, label(model)


def test_every_filter_on_related_rows_is_scoped(rf):
    request = rf.get("/")
    request.user = county_staff(HERE)
    for model, desk in LISTS:
        for item in desk.get_list_filter(request):
            if isinstance(item, tuple) and get_fields_from_path(model, item[0])[-1].is_relation:
                assert issubclass(item[1], (ScopedRelatedFilter, ScopedSearchFilter)), f"{label(model)} {item}"
            assert not isinstance(item, str), f"{label(model)} {item}"


def test_every_inline_is_scoped():
    for model, desk in LISTS:
        for inline in (*desk.inlines, *desk.extension.inlines):
            assert issubclass(inline, ScopedInline), label(model)
    parts = {i.model for _m, d in LISTS for i in (*d.inlines, *d.extension.inlines) if i.is_part_of_parent}
    assert {label(m) for m in parts} == {"accounts.Posting", "regions.RegionAlias", label(InstitutionPosting)}


@pytest.mark.parametrize("model", SCOPED, ids=label)
def test_list_shows_own_rows_and_no_word_of_others(worlds, client, model):
    here, there = worlds
    response = client.get(page(model, "changelist"))
    shown = set(response.context["cl"].queryset.values_list("pk", flat=True))
    assert there[model].pk not in shown
    assert TAG not in response.content.decode()
    # One's own jobs; what counts the whole country.
    of_all = ("jobs.Job", "metrics.RefreshRun", "metrics.Alarm", "metrics.PlatformEvent", "certification.AwardCheck")
    if model._meta.label not in of_all:
        assert here[model].pk in shown


@pytest.mark.parametrize("model", SCOPED, ids=label)
@pytest.mark.parametrize("view", ["change", "history", "delete"])
def test_page_of_a_stranger_is_not_there(worlds, client, model, view):
    _here, there = worlds
    response = client.get(page(model, view, there[model].pk), follow=True)
    assert response.redirect_chain or response.status_code in (403, 404)
    assert TAG not in response.content.decode()


@pytest.mark.parametrize("model", SCOPED, ids=label)
def test_own_page_has_no_word_of_others(worlds, client, model):
    here, _there = worlds
    response = client.get(page(model, "change", here[model].pk), follow=True)
    assert response.status_code == 200
    assert TAG not in response.content.decode()


@pytest.mark.parametrize("model", SCOPED, ids=label)
def test_search_finds_no_strangers(worlds, client, model):
    _here, there = worlds
    words = [TAG, f"学员{TAG}", f"ks{TAG}", f"班{TAG}", f"XC-{TAG}", there[Trainee].number, THERE, f"旧{TAG}"]
    for word in words:
        response = client.get(page(model, "changelist"), {"q": word})
        assert there[model].pk not in response.context["cl"].queryset.values_list("pk", flat=True)


@pytest.mark.parametrize("model", SCOPED, ids=label)
def test_filter_set_to_a_strangers_row_names_nothing(worlds, client, rf, model):
    _here, there = worlds
    request = rf.get("/")
    request.user = county_staff(HERE)
    for item in admin.site._registry[model].get_list_filter(request):
        target = get_fields_from_path(model, item[0])[-1].related_model if isinstance(item, tuple) else None
        if target is None or target not in there:
            continue
        response = client.get(
            page(model, "changelist"), {f"{item[0]}__{target._meta.pk.name}__exact": there[target].pk}
        )
        assert TAG not in response.content.decode()


@pytest.mark.parametrize("model", [m for m, _d in LISTS], ids=label)
def test_autocompletes_offer_no_strangers(worlds, client, model):
    for field in model._meta.concrete_fields:
        if not field.is_relation:
            continue
        for term in ("", TAG, f"学员{TAG}", THERE):
            asked = {
                "app_label": model._meta.app_label,
                "model_name": model._meta.model_name,
                "field_name": field.name,
                "term": term,
            }
            response = client.get(reverse("admin:autocomplete"), asked)
            if is_scoped(field.related_model):
                assert TAG not in response.content.decode(), field


@pytest.mark.parametrize("model", [m for m, _d in LISTS], ids=label)
def test_choices_of_forms_offer_no_strangers(worlds, rf, model):
    here, there = worlds
    request = rf.get("/")
    request.user = county_staff(HERE)
    desk = admin.site._registry[model]
    forms = [desk.get_form(request)] if desk.may_add else []
    forms += [desk.get_form(request, here[model], change=True)] if desk.may_edit else []
    forms += [formset.form for formset, _i in desk.get_formsets_with_inlines(request, here[model])]
    for form in forms:
        for name, field in form.base_fields.items():
            if isinstance(field, ModelChoiceField) and is_scoped(field.queryset.model):
                assert there[field.queryset.model] not in field.queryset, name


def test_grant_for_a_strangers_participation_is_refused_as_unknown(worlds, client):
    here, there = worlds
    before = Grant.objects.count()
    data = {"participation": there[Participation].pk, "pool": here[TrafficPool].pk, "impressions": 5, "level": "first"}
    response = client.post(reverse("admin:grants_grant_add"), data)
    assert response.context["adminform"].form.errors["participation"]
    assert Grant.objects.count() == before
    assert TAG not in response.content.decode()


MOVES = [(model, move) for model, desk in LISTS if is_scoped(model) for move in desk.all_moves]
ANSWERS = {"reason": "because", "on": "2026-06-01", "confirmed": "1"}


@pytest.mark.parametrize(("model", "move"), MOVES, ids=[f"{label(m)}-{v.name}" for m, v in MOVES])
def test_moves_do_not_reach_strangers(worlds, client, model, move):
    _here, there = worlds
    row = there[model]
    before = model._default_manager.filter(pk=row.pk).values().get()
    chosen = {"action": move.name, "_selected_action": [row.pk], **ANSWERS}
    on_list = client.post(page(model, "changelist"), chosen, follow=True)
    on_page = client.post(page(model, "move", row.pk, move.name), ANSWERS, follow=True)
    assert model._default_manager.filter(pk=row.pk).values().get() == before
    assert TAG not in on_list.content.decode() + on_page.content.decode()


def test_attendance_sheet_of_a_strangers_session_is_not_there(worlds, client):
    _here, there = worlds
    response = client.get(reverse("admin:courses_session_attendance", args=[there[Session].pk]), follow=True)
    assert response.redirect_chain
    assert TAG not in response.content.decode()


def test_strangers_in_an_own_class_are_not_named_and_not_marked(worlds, client):
    here, there = worlds
    session, stranger = here[Session], there[Participation]
    Enrolment.objects.create(training_class=here[TrainingClass], participation=stranger)
    sheet = reverse("admin:courses_session_attendance", args=[session.pk])
    for url in (sheet, page(TrainingClass, "change", here[TrainingClass].pk), page(Session, "change", session.pk)):
        assert TAG not in client.get(url).content.decode()
    data = {f"state_{pk}": "present" for pk in (here[Participation].pk, stranger.pk)}
    client.post(sheet, data)
    assert set(session.attendances.values_list("participation", flat=True)) == {here[Participation].pk}


def test_file_of_a_strangers_job_is_not_there(worlds, client):
    _here, there = worlds
    job = Job.objects.get(pk=there[Job].pk)
    job.state = "done"
    job.result_file.save_sealed(b"secret")
    job.save()
    assert client.get(reverse("job_file", args=[job.pk])).status_code == 404


def test_home_and_menu_have_no_word_of_others(worlds, client):
    assert TAG not in client.get(reverse("admin:index")).content.decode()


def test_posting_that_ended_shows_nothing(worlds, client):
    here, _there = worlds
    Posting.objects.update(ends_on="2020-06-01")
    response = client.get(page(Trainee, "changelist"))
    assert list(response.context["cl"].queryset) == []
    assert client.get(page(Award, "change", here[Award].pk)).status_code == 302
    assert list(client.get(page(Region, "changelist")).context["cl"].queryset) == []
