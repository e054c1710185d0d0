"""What staff do on the desk reaches the services, and what the services refuse reaches staff."""

from datetime import date, timedelta

import pytest
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override
from unfold.admin import checkbox

from courses.models import Attendance, Enrolment, Graduation, Session
from incubator.certification.models import Award, Candidate, Rule
from incubator.certification.services import propose_candidate, rehearse
from incubator.grants.admin import PoolForm
from incubator.grants.models import Grant, TrafficPool
from incubator.grants.services import approve_grant, propose_grant
from incubator.jobs.models import Job
from incubator.metrics.models import CreatorAccount, RefreshRun
from incubator.programmes.models import Participation
from incubator.regions.models import KeyCounty, Region
from tests import factories
from tests.desk.world import make_world
from trainees.models import Trainee

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate


@pytest.fixture
def staff(client):
    user = factories.superuser()
    client.force_login(user)
    return user


@pytest.fixture
def world(staff):
    return make_world("622927", "甲")


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_checkbox_of_a_row_is_the_themes_own(world, language):
    with override(language):
        for model in (Trainee, Region):
            row = world[model]
            own = admin.site._registry[model].action_checkbox(row)
            assert own == checkbox.render(ACTION_CHECKBOX_NAME, str(row.pk)) and f'value="{row.pk}"' in own


def said(response) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def move(client, row, name, **answers):
    opts = row._meta
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_move", args=[row.pk, name])
    return client.post(url, answers)


def act(client, model, name, rows, **answers):
    opts = model._meta
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
    return client.post(url, {"action": name, "_selected_action": [row.pk for row in rows], **answers})


def change_page(client, row):
    opts = row._meta
    return client.get(reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[row.pk]))


# Candidates and awards


def test_candidate_is_approved_on_its_page(world, client, staff):
    candidate = world[Candidate]
    propose_candidate(candidate, by=factories.UserFactory())
    move(client, candidate, "approve")
    award = Award.objects.get(candidate=candidate)
    assert award.awarded_by == staff
    assert award.evidence["reading"]["followers"] == 123_456


def test_candidate_is_refused_with_a_reason_only(world, client):
    candidate = world[Candidate]
    asked = move(client, candidate, "refuse", reason=" ")
    assert asked.context["form"].errors["reason"]
    move(client, candidate, "refuse", reason="粉丝异常")
    candidate.refresh_from_db()
    assert (candidate.state, candidate.reason) == ("refused", "粉丝异常")


def test_candidate_page_shows_the_evidence_side_by_side(world, client):
    html = change_page(client, world[Candidate]).content.decode()
    for word in ("123,456", "100,000", world[CreatorAccount].handle, "desk-columns"):
        assert word in html


def test_candidate_page_draws_the_readings_around_the_crossing(world, client):
    account = world[CreatorAccount]
    for days in range(1, 10):
        factories.reading(account, TODAY() - timedelta(days=days), 100_500 - days * 200)
    html = change_page(client, world[Candidate]).content.decode()
    assert html.count("<svg") == 1
    assert "+23,156" in html


def test_decided_candidates_are_not_decided_again(world, client):
    candidate = world[Candidate]
    move(client, candidate, "refuse", reason="no")
    response = move(client, candidate, "approve")
    assert len(said(response)) == 2  # the refusal of the candidate, and that of the approval
    assert not Award.objects.filter(candidate=candidate).exists()
    assert 'name="reason"' not in change_page(client, candidate).content.decode()


def test_candidates_wait_first(world, client):
    url = reverse("admin:certification_candidate_changelist")
    assert [c.state for c in client.get(url).context["cl"].queryset] == ["pending"]
    assert client.get(url, {"decision": "all"}).context["cl"].result_count == 2


def test_award_is_withdrawn_with_a_reason(world, client, staff):
    award = world[Award]
    move(client, award, "withdraw", reason="失实")
    award.refresh_from_db()
    assert (award.withdrawn_by, award.withdrawal_reason) == (staff, "失实")


def test_published_rule_is_read_only_and_a_draft_is_published(staff, client):
    draft = factories.RuleFactory(published_at=None)
    assert change_page(client, draft).context["may_edit"]
    rehearse(draft, on=TODAY(), by=staff)
    move(client, draft, "publish", is_seen="on")
    assert not change_page(client, draft).context["may_edit"]
    assert Rule.objects.get(pk=draft.pk).published_at
    assert said(move(client, draft, "publish", is_seen="on"))


# Grants


@pytest.fixture
def two_grants(staff):
    """Two proposals of 60 from a pool of 100."""
    pool = factories.TrafficPoolFactory(impressions=100)
    people = [factories.graduate_row(TODAY()) for _ in range(2)]
    return [propose_grant(pool, participation=p, impressions=60, by=staff, on=TODAY()) for p in people]


def test_each_refused_grant_is_named_and_the_others_are_approved(two_grants, client):
    response = act(client, Grant, "approve", two_grants)
    assert sorted(Grant.objects.values_list("state", flat=True)) == ["approved", "proposed"]
    sentences = said(response)
    assert len(sentences) == 2
    assert "40" in sentences[0]
    assert "60" in sentences[0]


def test_grants_are_refused_and_taken_back_with_a_reason(two_grants, client):
    first, second = two_grants
    asked = act(client, Grant, "refuse", two_grants)
    assert asked.context["rows"]
    assert Grant.objects.filter(state="proposed").count() == 2
    act(client, Grant, "refuse", [first], confirmed="1", reason="重复")
    move(client, second, "approve")
    move(client, second, "cancel", reason="退出")
    assert [g.state for g in Grant.objects.order_by("pk")] == ["refused", "cancelled"]
    assert TrafficPool.objects.get().promised == 0


def test_grant_is_proposed_through_the_form(world, client, staff):
    data = {
        "participation": world[Participation].pk,
        "pool": world[TrafficPool].pk,
        "impressions": 500,
        "level": "second",
    }
    client.post(reverse("admin:grants_grant_add"), data)
    grant = Grant.objects.get(impressions=500)
    assert (grant.state, grant.proposed_by, grant.level) == ("proposed", staff, "second")


def test_grant_outside_support_comes_back_with_the_sentence(staff, client):
    late = factories.graduate_row(TODAY() - timedelta(days=400))
    data = {"participation": late.pk, "pool": factories.TrafficPoolFactory().pk, "impressions": 500, "level": "first"}
    response = client.post(reverse("admin:grants_grant_add"), data)
    form = response.context["adminform"].form
    assert late.trainee.name in form.non_field_errors()[0]
    assert form["impressions"].value() == "500"
    assert not Grant.objects.exists()


def test_pool_is_not_made_smaller_than_what_is_promised(two_grants, client, staff):
    pool = two_grants[0].pool
    approve_grant(two_grants[0], by=staff, on=TODAY())
    url = reverse("admin:grants_trafficpool_change", args=[pool.pk])
    response = client.post(url, {"name": pool.name, "impressions": 50})
    assert response.context["adminform"].form.errors["impressions"]


def test_pool_form_opened_before_an_approval_does_not_undo_it(two_grants, client, staff, monkeypatch):
    pool = two_grants[0].pool
    clean = PoolForm.clean_impressions

    def approved_meanwhile(form):
        approve_grant(two_grants[0], by=staff, on=TODAY())
        return clean(form)

    monkeypatch.setattr(PoolForm, "clean_impressions", approved_meanwhile)
    client.post(reverse("admin:grants_trafficpool_change", args=[pool.pk]), {"name": "new", "impressions": 100})
    pool.refresh_from_db()
    assert (pool.name, pool.promised) == ("new", 60)


# Participations and teaching


def test_participation_goes_its_way(staff, client):
    training_class = factories.TrainingClassFactory()
    row = factories.ParticipationFactory(cohort=training_class.cohort)
    move(client, row, "admit")
    act(client, Participation, "enrol", [row], confirmed="1", training_class=training_class.pk)
    row.refresh_from_db()
    assert row.state == "training"
    assert Enrolment.objects.get().participation == row
    move(client, row, "withdraw", reason="外出务工")
    row.refresh_from_db()
    assert row.state == "withdrawn"
    assert "外出务工" in change_page(client, row).content.decode()


def trained(cohort, minutes=8 * 45, days=3, **kwargs):
    """In training, with that many days of professional courses."""
    row = factories.ParticipationFactory(cohort=cohort, state="training", **kwargs)
    marker = factories.UserFactory()
    for _ in range(days):
        session = factories.SessionFactory(training_class=factories.TrainingClassFactory(cohort=cohort))
        Attendance.objects.create(
            session=session, participation=row, state="present", minutes=minutes, marked_by=marker
        )
    return row


def test_each_person_who_cannot_graduate_is_named_and_the_others_graduate(staff, client):
    cohort = factories.CohortFactory()
    ready, short = trained(cohort), trained(cohort, days=1)
    response = act(client, Participation, "graduate", [ready, short], confirmed="1", on="2027-01-01")
    assert [g.participation for g in Graduation.objects.all()] == [ready]
    sentences = said(response)
    assert len(sentences) == 2
    assert short.trainee.name in sentences[0]


def test_nomination_is_entered_once(staff, client):
    trainee, cohort = factories.TraineeFactory(), factories.CohortFactory()
    data = {"trainee": trainee.pk, "cohort": cohort.pk, "nominated_on": "2026-03-01"}
    for _ in range(2):
        response = client.post(reverse("admin:programmes_participation_add"), data)
    assert Participation.objects.get().state == "nominated"
    assert response.context["errors"]


@pytest.fixture
def sheet(staff):
    """A session of 360 minutes and two people in its class."""
    session = factories.SessionFactory()
    people = [factories.ParticipationFactory(cohort=session.training_class.cohort) for _ in range(2)]
    for person in people:
        Enrolment.objects.create(training_class=session.training_class, participation=person)
    return session, people


def test_everybody_is_present_unless_marked_otherwise(sheet, client):
    session, people = sheet
    html = client.get(reverse("admin:courses_session_attendance", args=[session.pk])).content.decode()
    assert html.count("checked") == 2
    first, second = people
    data = {
        f"state_{first.pk}": "present",
        f"minutes_{first.pk}": "",
        f"state_{second.pk}": "present",
        f"minutes_{second.pk}": "90",
    }
    client.post(reverse("admin:courses_session_attendance", args=[session.pk]), data)
    assert dict(Attendance.objects.values_list("participation", "minutes")) == {first.pk: 360, second.pk: 90}
    data |= {f"state_{second.pk}": "on_leave", f"minutes_{second.pk}": ""}
    client.post(reverse("admin:courses_session_attendance", args=[session.pk]), data)
    assert dict(Attendance.objects.values_list("participation", "minutes")) == {first.pk: 360, second.pk: 90}
    data |= {"reason": "事后补交请假条"}
    client.post(reverse("admin:courses_session_attendance", args=[session.pk]), data)
    assert dict(Attendance.objects.values_list("participation", "minutes")) == {first.pk: 360, second.pk: 0}
    html = client.get(reverse("admin:courses_session_attendance", args=[session.pk])).content.decode()
    assert html.count("checked") == 2


def test_sheet_with_more_minutes_than_the_session_is_not_saved(sheet, client):
    session, people = sheet
    data = {f"state_{p.pk}": "present" for p in people} | {f"minutes_{people[0].pk}": "361"}
    response = client.post(reverse("admin:courses_session_attendance", args=[session.pk]), data)
    assert response.context["form"].errors
    assert not Attendance.objects.exists()


def test_sheet_needs_the_permission_to_mark(sheet, client):
    session, _people = sheet
    viewer = factories.official("620000", is_staff=True)
    client.force_login(viewer)
    assert client.get(reverse("admin:courses_session_attendance", args=[session.pk])).status_code == 403


# Followers, jobs, regions


def test_refresh_now_begins_todays_run_once(staff, client, monkeypatch):
    monkeypatch.setattr("incubator.jobs.services.send", lambda job: None)
    factories.CreatorAccountFactory()
    client.post(reverse("admin:metrics_refreshrun_add"), {"platform": "kuaishou"})
    run = RefreshRun.objects.get()
    assert (run.day, run.planned) == (TODAY(), 1)
    client.post(reverse("admin:metrics_refreshrun_add"), {"platform": "kuaishou"})
    assert RefreshRun.objects.count() == 1
    assert Job.objects.get().asked_by == staff


def test_failures_of_a_run_are_grouped_with_their_accounts(world, client):
    html = change_page(client, world[RefreshRun]).content.decode()
    assert world[CreatorAccount].handle in html


def test_job_shows_its_progress_and_is_cancelled(staff, client):
    job = Job.objects.create(kind="k", key="1", title="核对", done=1, total=4)
    assert "width:25%" in client.get(reverse("admin:jobs_job_changelist")).content.decode()
    move(client, job, "cancel")
    job.refresh_from_db()
    assert job.state == "cancelled"
    assert said(move(client, job, "cancel"))


def test_region_is_retired_and_understood_as_its_successor(staff, client):
    old, new = factories.region("622901"), factories.region("622902")
    wrong = move(client, old, "retire", on="2026-01-01", replaced_by="999999")
    assert wrong.context["form"].errors["replaced_by"]
    move(client, old, "retire", on="2026-01-01", replaced_by=new.code)
    old.refresh_from_db()
    assert (old.retired_on, old.replaced_by) == (date(2026, 1, 1), new)


def test_key_county_is_checked_by_name(world, client, staff):
    act(client, KeyCounty, "check", [world[KeyCounty]])
    row = KeyCounty.objects.get()
    assert (row.status, row.checked_by, row.checked_on) == ("checked", staff.username, TODAY())


def test_region_is_found_by_code_name_and_other_name(world, client):
    url = reverse("admin:regions_region_changelist")
    for term in ("622927", "县甲", "旧甲"):
        assert list(client.get(url, {"q": term}).context["cl"].queryset) == [world[Region]]


# Everybody and everything


def test_nothing_on_the_desk_is_deleted_by_hand(world, client):
    for model in (Trainee, Participation, CreatorAccount, Grant, Award, Attendance, Graduation, Session, Candidate):
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_delete", args=[world[model].pk])
        assert client.post(url, {"post": "yes"}).status_code == 403
        listed = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        assert "delete_selected" not in client.get(listed).content.decode()


def test_move_by_a_link_asks_instead_of_acting(world, client):
    candidate = world[Candidate]
    url = reverse("admin:certification_candidate_move", args=[candidate.pk, "approve"])
    assert client.get(url).status_code == 200
    candidate.refresh_from_db()
    assert candidate.state == "pending"


def test_move_needs_its_permission(world, client):
    certifier = factories.official("620000", is_staff=True)
    certifier.user_permissions.set(Permission.objects.filter(codename="view_candidate"))
    client.force_login(certifier)
    assert move(client, world[Candidate], "approve").status_code == 403
    assert "desk-button" not in change_page(client, world[Candidate]).content.decode()


def test_finished_job_leads_to_its_file(staff, client):
    job = Job.objects.create(kind="k", key="1", state="done", result_name="a.csv", finished_at=timezone.now())
    job.result_file.save_sealed(b"1,2")
    job.save()
    link = reverse("job_file", args=[job.pk])
    assert link in client.get(reverse("admin:jobs_job_changelist")).content.decode()
    assert link in change_page(client, job).content.decode()
