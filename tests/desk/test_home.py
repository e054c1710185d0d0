"""The way in, the menu, and what the home page says."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from courses.models import Attempt, GraduationQuestion
from incubator.accounts.choices import StaffGroup
from incubator.accounts.services import GROUPS, ensure_groups
from incubator.certification.models import Award, Candidate, Flag
from incubator.certification.services import ask_back
from incubator.classbooks.models import AttendanceImport, LearningImport
from incubator.desk import navigation
from incubator.duplicates.models import DuplicatePair
from incubator.figures.models import FiguresImport
from incubator.grants.models import Grant, TrafficPool
from incubator.jobs.models import Job
from incubator.metrics.models import CreatorAccount, QuarantinedReading, RefreshRun
from incubator.programmes.models import Participation, SupportReminder
from incubator.regions.models import KeyCounty
from incubator.rosters.models import RosterImport
from tests import factories
from tests.desk.test_moves import trained
from tests.desk.world import make_world
from trainees.models import Trainee

pytestmark = pytest.mark.django_db
HOME = "/admin/"


def member(group, region="622927"):
    user = factories.official(region, is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    return user


# The way in


def test_strangers_are_sent_to_the_sites_own_login(client):
    for url in (HOME, reverse("admin:trainees_trainee_changelist"), reverse("admin:login")):
        response = client.get(url, follow=True)
        assert response.redirect_chain[-1][0].startswith(reverse("account_login"))


def test_people_without_the_desk_are_refused_and_not_sent_round(client):
    client.force_login(factories.UserFactory(is_staff=False))
    response = client.get(HOME, follow=True)
    assert response.status_code == 403
    assert len(response.redirect_chain) <= 1


# The menu


def menu(rf, user):
    request = rf.get(HOME)
    request.user = user
    return {str(group["title"]): [item["link"] for item in group["items"]] for group in navigation(request)}


def test_menu_has_the_seven_groups_in_order(rf):
    with override("en"):
        titles = list(menu(rf, factories.superuser()))
    assert titles == ["Trainees", "Training", "Followers", "Support", "Certification", "Reports", "System"]


@pytest.mark.parametrize("group", StaffGroup.values)
def test_every_entry_of_the_menu_can_be_opened(client, rf, group):
    user = member(group)
    client.force_login(user)
    for links in menu(rf, user).values():
        for link in links:
            assert link.startswith("/reports/") or client.get(link).status_code == 200, link


def test_clerk_sees_no_money_and_no_users(rf):
    links = [link for links in menu(rf, member(StaffGroup.CLERK)).values() for link in links]
    assert reverse("admin:trainees_trainee_changelist") in links
    for name in ("grants_grant", "accounts_user", "auth_group", "certification_rule", "metrics_authorisation"):
        assert reverse(f"admin:{name}_changelist") not in links


# Groups


def test_groups_exist_after_migration_with_permissions_that_exist():
    assert set(GROUPS) == set(StaffGroup.values)
    held = {g.name: {p.codename for p in g.permissions.all()} for g in Group.objects.filter(name__in=GROUPS)}
    assert held[StaffGroup.MANAGER] >= {"change_grant", "add_graduation", "change_candidate", "add_refreshrun"}
    assert held[StaffGroup.CLERK] >= {"view_trainee", "change_participation", "add_attendance", "view_region"}
    assert not held[StaffGroup.CLERK] & {"add_graduation", "change_grant", "change_candidate", "change_region"}
    assert held[StaffGroup.CERTIFIER] >= {"change_candidate", "change_award"}
    assert all(name.startswith(("view_", "explain_")) for name in held[StaffGroup.VIEWER])
    for names in held.values():
        assert not {n for n in names if n.endswith(("_user", "_group", "_posting")) or n.startswith("delete_")}


def test_groups_are_made_once_and_keep_what_was_added():
    group = Group.objects.get(name=StaffGroup.VIEWER)
    extra = Permission.objects.get(codename="delete_group")
    group.permissions.add(extra)
    group.permissions.remove(Permission.objects.get(codename="view_trainee"))
    ensure_groups()
    codes = set(Group.objects.get(name=StaffGroup.VIEWER).permissions.values_list("codename", flat=True))
    assert {"delete_group", "view_trainee"} <= codes


# What needs me today?


def cards(response):
    return {card.url: card.count for card in response.context["cards"]}


@pytest.fixture
def much_to_do():
    """Two counties with a row of everything, and one person in each who may graduate."""
    worlds = [make_world("622927", "甲"), make_world("520526", "乙")]
    for world in worlds:
        trained(world[Participation].cohort, trainee=factories.TraineeFactory(county=world[Trainee].county))
        TrafficPool.objects.filter(pk=world[TrafficPool].pk).update(promised=900_000)
    return worlds


def test_counts_are_those_of_sql_and_of_the_lists_they_link_to(client, much_to_do):
    client.force_login(factories.superuser())
    found = cards(client.get(HOME))
    expected = {
        "rosters_rosterimport": RosterImport.objects.filter(state="checked").count(),
        "figures_figuresimport": FiguresImport.objects.filter(state="checked").count(),
        "classbooks_attendanceimport": AttendanceImport.objects.filter(state="checked").count(),
        "classbooks_learningimport": LearningImport.objects.filter(state="checked").count(),
        "duplicates_duplicatepair": DuplicatePair.objects.filter(state="open").count(),
        "programmes_participation": 2,
        "courses_attempt": Attempt.objects.exclude(appealed_at=None).count(),
        "courses_graduationquestion": GraduationQuestion.objects.filter(answer="").count(),
        "programmes_supportreminder": SupportReminder.objects.filter(closed_at=None).count(),
        "metrics_creatoraccount": CreatorAccount.objects.filter(state__in=["needs_consent", "unlinked"]).count(),
        "metrics_quarantinedreading": QuarantinedReading.objects.filter(state="open").count(),
        "grants_grant": Grant.objects.filter(state="proposed").count(),
        "grants_trafficpool": TrafficPool.objects.filter(promised__gte=900_000).count(),
        "certification_candidate": Candidate.objects.filter(state="pending").count(),
        "certification_flag": Flag.objects.filter(cleared_at=None).count(),
        "jobs_job": Job.objects.filter(state="failed").count(),
        "regions_keycounty": KeyCounty.objects.filter(status="unverified").count(),
    }
    for name, count in expected.items():
        [url] = [url for url in found if url.startswith(reverse(f"admin:{name}_changelist"))]
        context = client.get(url).context
        listed = context["total"] if "consent" in url else context["cl"].result_count
        assert found[url] == str(count) == str(listed), name
    assert len(found) == len(expected)


def test_counts_are_of_ones_own_region(client, much_to_do):
    client.force_login(member(StaffGroup.MANAGER))
    found = cards(client.get(HOME))
    names = ("programmes_participation", "grants_grant", "certification_candidate", "regions_keycounty")
    for name in (*names, "metrics_quarantinedreading"):
        [url] = [url for url in found if url.startswith(reverse(f"admin:{name}_changelist"))]
        assert found[url] == "1"


def test_nobody_counts_what_they_may_not_open(client, much_to_do):
    client.force_login(member(StaffGroup.CLERK))
    response = client.get(HOME)
    names = {url.split("/")[3] for url in cards(response)}
    assert names == {
        "attempt",
        "graduationquestion",
        "participation",
        "rosterimport",
        "figuresimport",
        "duplicatepair",
        "attendanceimport",
        "learningimport",
        "supportreminder",
    }
    assert response.context["refresh"] is None


def test_the_county_is_told_what_is_asked_back_and_nothing_of_the_deciding(client, much_to_do):
    client.force_login(member(StaffGroup.CLERK))
    asked = Candidate.objects.filter(state="pending").order_by("pk")
    for candidate in asked:
        ask_back(candidate, by=factories.UserFactory(), question="Whose account is it?")
    list_of_asked = reverse("admin:certification_candidate_changelist") + "?decision=asked"
    found = cards(client.get(HOME))
    assert [count for url, count in found.items() if "candidate" in url] == [found[list_of_asked]] == ["1"]


def test_nothing_waiting_is_said_kindly(client):
    client.force_login(member(StaffGroup.CLERK))
    response = client.get(HOME)
    assert response.context["cards"] == []
    assert "desk-nothing" in response.content.decode()


def test_standing_is_counted_in_persons(client, much_to_do):
    client.force_login(factories.superuser())
    values = [value for _name, value in client.get(HOME).context["standing"]]
    assert values == [
        str(Trainee.objects.count()),
        str(Participation.objects.graduated().values("trainee").distinct().count()),
        str(Participation.objects.in_support(timezone.localdate()).values("trainee").distinct().count()),
        str(Award.objects.live().values("trainee").distinct().count()),
        timezone.localdate(),
    ]


def refresh(client):
    return client.get(HOME).context["refresh"]


def test_refresh_that_did_not_run_is_a_warning(client):
    client.force_login(factories.superuser())
    assert refresh(client).tone == "warning"
    now = timezone.now()
    run = RefreshRun.objects.create(
        platform="kuaishou", day=timezone.localdate() - timedelta(days=1), started_at=now, finished_at=now
    )
    assert refresh(client).tone == "warning"
    RefreshRun.objects.filter(pk=run.pk).update(day=timezone.localdate())
    assert refresh(client).tone == "done"
    assert refresh(client).url == reverse("admin:metrics_refreshrun_change", args=[run.pk])


def test_refresh_that_stopped_is_a_warning_and_one_that_runs_is_not(client):
    client.force_login(factories.superuser())
    run = RefreshRun.objects.create(platform="kuaishou", day=timezone.localdate(), started_at=timezone.now())
    assert refresh(client).tone == "warning"
    run.batches.create(number=0, account_ids=[], job=Job.objects.create(kind="refresh_batch", key="1"))
    assert refresh(client).tone == ""
