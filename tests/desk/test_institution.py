"""Staff of a training institution, posted to no region: their own classes, and no word of anything else."""

import re
from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.admin.utils import get_fields_from_path
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone

from courses.models import (
    Assessment,
    Attendance,
    Enrolment,
    Graduation,
    InstitutionPosting,
    PaperSheet,
    Session,
    TrainingClass,
    TrainingInstitution,
)
from incubator.accounts.choices import StaffGroup
from incubator.accounts.services import GROUPS
from incubator.classbooks.models import AttendanceImport
from incubator.desk import navigation
from incubator.programmes.models import Participation
from tests import factories
from tests.desk.world import make_world, registered
from trainees.models import Trainee

HERE, THERE = "622927", "520526"
TAG = "Z9外"
OWN = [TrainingClass, Session, Enrolment, Attendance, PaperSheet]
MORE = [Assessment, AttendanceImport]
LISTS = [model for model, _desk in registered()]

pytestmark = pytest.mark.django_db


def teacher(institution):
    user = factories.UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name=StaffGroup.INSTITUTION))
    InstitutionPosting.objects.create(institution=institution, user=user, starts_on="2020-01-01")
    return user


def held_by(world, institution):
    TrainingClass.objects.filter(pk=world[TrainingClass].pk).update(institution=institution)


@pytest.fixture(scope="module")
def made(kept_rows):
    def make():
        here, there = make_world(HERE, "A1内"), make_world(THERE, TAG)
        for world in (here, there):
            held_by(world, world[TrainingInstitution])
        here["user"] = teacher(here[TrainingInstitution])
        return here, there

    return kept_rows(make)


@pytest.fixture
def worlds(made, client):
    """A class held by one's own institution, with somebody of a county; another institution's; and a client."""
    here, there = made
    client.force_login(here["user"])
    return here, there


def label(model):
    return model._meta.label


def page(model, name, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


@pytest.mark.parametrize("model", OWN, ids=label)
def test_lists_show_own_classes_only(worlds, client, model):
    here, there = worlds
    response = client.get(page(model, "changelist"))
    shown = set(response.context["cl"].queryset.values_list("pk", flat=True))
    assert (here[model].pk in shown, there[model].pk in shown) == (True, False)
    assert TAG not in response.content.decode()


@pytest.mark.parametrize("model", OWN, ids=label)
def test_own_pages_open_and_a_strangers_are_not_there(worlds, client, model):
    here, there = worlds
    own = client.get(page(model, "change", here[model].pk))
    assert own.status_code == 200
    assert TAG not in own.content.decode()
    for view in ("change", "history"):
        response = client.get(page(model, view, there[model].pk), follow=True)
        assert response.redirect_chain or response.status_code in (403, 404)
        assert TAG not in response.content.decode()


@pytest.mark.parametrize("model", [m for m in LISTS if m not in OWN], ids=label)
def test_no_other_list_opens_but_those_of_their_work(worlds, client, model):
    response = client.get(page(model, "changelist"))
    assert response.status_code == (200 if model in MORE else 403)


@pytest.mark.parametrize("model", OWN, ids=label)
def test_search_and_filters_name_nothing_else(worlds, client, rf, model):
    here, there = worlds
    words = [TAG, f"学员{TAG}", f"ks{TAG}", f"班{TAG}", there[Trainee].number, THERE, f"院{TAG}"]
    for word in words:
        response = client.get(page(model, "changelist"), {"q": word})
        assert there[model].pk not in response.context["cl"].queryset.values_list("pk", flat=True)
    request = rf.get("/")
    request.user = here["user"]
    for item in admin.site._registry[model].get_list_filter(request):
        target = get_fields_from_path(model, item[0])[-1].related_model if isinstance(item, tuple) else None
        if target in there:
            asked = {f"{item[0]}__{target._meta.pk.name}__exact": there[target].pk}
            assert TAG not in client.get(page(model, "changelist"), asked).content.decode()
    assert factories.CohortFactory(name=f"期{TAG}").name not in client.get(page(model, "changelist")).content.decode()


@pytest.mark.parametrize("model", LISTS, ids=label)
def test_autocompletes_name_nothing_else(worlds, client, model):
    for field in model._meta.concrete_fields:
        if not field.is_relation:
            continue
        for term in ("", TAG, THERE):
            asked = {
                "app_label": model._meta.app_label,
                "model_name": model._meta.model_name,
                "field_name": field.name,
                "term": term,
            }
            response = client.get(reverse("admin:autocomplete"), asked)
            assert TAG not in response.content.decode(), field


def test_people_of_a_class_are_named_without_a_way_to_their_pages(worlds, client):
    here, _there = worlds
    person, session = here[Participation], here[Session]
    pages = [page(model, "change", here[model].pk) for model in OWN if model is not PaperSheet]
    for url in (*pages, reverse("admin:courses_session_attendance", args=[session.pk])):
        html = client.get(url).content.decode()
        if url != page(Session, "change", session.pk):
            assert here[Trainee].name in html
        for target in (
            page(Participation, "change", person.pk),
            page(Trainee, "change", here[Trainee].pk),
            page(Graduation, "change", here[Graduation].pk),
        ):
            assert target not in html
    for model in (Participation, Trainee, Graduation):
        assert client.get(page(model, "change", here[model].pk)).status_code in (302, 403)


def test_links_of_a_class_page_lead_to_pages_that_open(worlds, client):
    here, _there = worlds
    html = client.get(page(TrainingClass, "change", here[TrainingClass].pk)).content.decode()
    content = html.split('id="content"')[-1]
    links = set(re.findall(r'href="(/admin/(?:courses|programmes|trainees|regions)/[^"?#]*)"', content))
    assert reverse("admin:courses_session_attendance", args=[here[Session].pk]) in links
    assert {link: client.get(link).status_code for link in links} == dict.fromkeys(links, 200)


def test_own_class_is_marked_and_corrected(worlds, client):
    here, _there = worlds
    session, person = here[Session], here[Participation]
    sheet = reverse("admin:courses_session_attendance", args=[session.pk])
    client.post(sheet, {f"state_{person.pk}": "absent", "reason": "点名后更正"})
    mark = Attendance.objects.get(session=session)
    assert (mark.state, mark.marked_by) == ("absent", here["user"])
    client.post(page(Session, "move", session.pk, "close"))
    session.refresh_from_db()
    assert session.closed_by == here["user"]


def test_strangers_session_is_neither_marked_nor_closed(worlds, client):
    _here, there = worlds
    session, person = there[Session], there[Participation]
    before = Attendance.objects.filter(session=session).values().get()
    sheet = reverse("admin:courses_session_attendance", args=[session.pk])
    response = client.post(sheet, {f"state_{person.pk}": "absent", "reason": "x"}, follow=True)
    closing = client.post(page(Session, "move", session.pk, "close"), follow=True)
    session.refresh_from_db()
    assert Attendance.objects.filter(session=session).values().get() == before
    assert session.closed_at is None
    assert TAG not in response.content.decode() + closing.content.decode()


def test_nothing_but_marking_is_done_by_them(worlds, client):
    here, _there = worlds
    enrolment, training_class = here[Enrolment], here[TrainingClass]
    assert client.post(page(Enrolment, "move", enrolment.pk, "leave"), {"reason": "x"}).status_code == 403
    assert client.get(page(TrainingClass, "graduation", training_class.pk)).status_code == 403
    assert client.get(page(TrainingClass, "add")).status_code == 403
    client.post(page(TrainingClass, "change", training_class.pk), {"name": "改名"})
    training_class.refresh_from_db()
    assert training_class.name != "改名"


def test_menu_home_and_search_box_say_nothing_of_people(worlds, client, rf):
    here, _there = worlds
    request = rf.get("/admin/")
    request.user = here["user"]
    links = {item["link"] for group in navigation(request) for item in group["items"]}
    allowed = {page(model, "changelist") for model in (*OWN, *MORE) if model in admin.site._registry}
    assert links == allowed
    home = client.get(reverse("admin:index"))
    assert home.status_code == 200
    found = client.get("/admin/search/", {"s": here[Trainee].number})
    for word in (here[Trainee].name, here[Trainee].number, TAG):
        assert word not in home.content.decode() + found.content.decode()


def test_posting_to_an_institution_ends(worlds, client):
    yesterday = timezone.localdate() - timedelta(days=1)
    InstitutionPosting.objects.update(ends_on=yesterday)
    for model in OWN:
        assert list(client.get(page(model, "changelist")).context["cl"].queryset) == []


def test_group_is_given_nothing_about_people():
    assert {room for room, _model in GROUPS[StaffGroup.INSTITUTION]} == {"courses", "classbooks"}


def test_clerk_marks_the_own_countys_people_of_an_institutions_class_only(worlds, client):
    """The class is held in the clerk's county; somebody of another county is in it."""
    here, there = worlds
    clerk = factories.official(HERE, is_staff=True)
    clerk.groups.add(Group.objects.get(name=StaffGroup.CLERK))
    client.force_login(clerk)
    Enrolment.objects.create(training_class=here[TrainingClass], participation=there[Participation])
    sheet = client.get(reverse("admin:courses_session_attendance", args=[here[Session].pk]))
    assert [p.pk for p in sheet.context["form"].people] == [here[Participation].pk]
    client.force_login(here["user"])
    sheet = client.get(reverse("admin:courses_session_attendance", args=[here[Session].pk]))
    assert {p.pk for p in sheet.context["form"].people} == {here[Participation].pk, there[Participation].pk}


def test_only_who_manages_logins_posts_people_to_institutions(worlds, client):
    """A posting opens classes to a login: a manager enters the institution, a superuser its staff."""
    here, _there = worlds
    url = page(TrainingInstitution, "change", here[TrainingInstitution].pk)
    manager = factories.official(HERE, is_staff=True)
    manager.groups.add(Group.objects.get(name=StaffGroup.MANAGER))
    client.force_login(manager)
    assert "staff-__prefix__-user" not in client.get(url).content.decode()
    data = {"name": "改名", "region": HERE, "contact": "", "staff-TOTAL_FORMS": 1, "staff-INITIAL_FORMS": 0}
    client.post(url, data | {"staff-0-user": manager.pk, "staff-0-starts_on": "2026-01-01"})
    assert InstitutionPosting.objects.get().user == here["user"]
    client.force_login(factories.superuser())
    assert "staff-__prefix__-user" in client.get(url).content.decode()
