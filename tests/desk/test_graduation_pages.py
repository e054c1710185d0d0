"""Graduation on the desk: the proposal for a class, the decision of a cohort, questions afterwards, and the rules."""

from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from courses.models import (
    Graduation,
    GraduationDecision,
    GraduationHold,
    GraduationQuestion,
    GraduationRule,
)
from courses.services import decide_graduation, enrol, graduate, mark_attendance, set_graduation_rule
from incubator.programmes.models import Participation
from tests import factories
from tests.desk.test_moves import change_page, move, said
from tests.desk.world import county_staff
from tests.factories import SHANGHAI

pytestmark = pytest.mark.django_db
ON = "2026-08-01"


@pytest.fixture(autouse=True)
def in_english(client):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    with override("en"):
        yield


@pytest.fixture
def staff(client):
    user = factories.superuser()
    client.force_login(user)
    return user


def taught(staff, *, ready=1, behind=1, county="622927", days=3):
    """A class of which some attended all three days of eight professional hours, and some only the first."""
    training_class = factories.TrainingClassFactory(region=factories.region(county))
    people = [
        factories.ParticipationFactory(
            cohort=training_class.cohort, state="admitted", trainee__county=factories.region(county)
        )
        for _ in range(ready + behind)
    ]
    enrol(people, training_class=training_class, by=staff)
    course = factories.CourseFactory()
    for day in range(days):
        starts_at = datetime(2026, 6, day + 1, 8, tzinfo=SHANGHAI)
        session = factories.SessionFactory(
            training_class=training_class, course=course, starts_at=starts_at, ends_at=starts_at + timedelta(hours=6)
        )
        there = people if day == 0 else people[:ready]
        marks = {p.pk: ("present" if p in there else "absent", None) for p in people}
        mark_attendance(session, marks=marks, by=staff)
    for person in people:
        person.refresh_from_db()
    return training_class, people


def url_of(training_class):
    return reverse("admin:courses_trainingclass_graduation", args=[training_class.pk])


def answers(page, **changes):
    """What the page posts when nothing is changed on it, and ``changes``."""
    data = {"on": ON}
    for proposal in page.context["form"].proposals:
        pk = proposal.person.pk
        data |= {f"choice_{pk}": "proposed", f"seen_{pk}": proposal.seen, f"reason_{pk}": ""}
    return data | changes


def decide(client, training_class, **changes):
    url = url_of(training_class)
    return client.post(url, answers(client.get(url), **changes))


def states(people):
    return [Participation.objects.get(pk=person.pk).state for person in people]


# Of a class


def test_page_shows_the_proposal_for_everybody_with_figures_and_reasons(staff, client):
    training_class, [ready, behind] = taught(staff)
    html = client.get(url_of(training_class)).content.decode()
    for word in (ready.trainee.name, behind.trainee.name, "24.0", "33 %", "2 more days of training", "8.0 more hours"):
        assert word in html
    assert states([ready, behind]) == ["training", "training"]


def test_confirmed_as_proposed_who_meets_the_rule_graduates(staff, client):
    training_class, [ready, behind] = taught(staff)
    response = decide(client, training_class)
    assert response.status_code == 302
    assert states([ready, behind]) == ["graduated", "training"]
    decision = GraduationDecision.objects.get()
    assert (decision.training_class, decision.on, decision.by) == (training_class, date(2026, 8, 1), staff)
    ready.refresh_from_db()
    assert ready.support_starts_on == date(2026, 8, 1)
    assert "1 person graduated" in said(response)[0]


def test_against_the_proposal_takes_a_reason_each(staff, client):
    training_class, [ready, behind] = taught(staff)
    changes = {f"choice_{person.pk}": "otherwise" for person in (ready, behind)}
    refused = decide(client, training_class, **changes)
    assert refused.status_code == 200
    assert len(refused.context["form"].errors) == 2
    assert not GraduationDecision.objects.exists()
    decide(client, training_class, **changes, **{f"reason_{ready.pk}": "补考未完", f"reason_{behind.pk}": "已补课"})
    assert states([ready, behind]) == ["training", "graduated"]
    graduation = Graduation.objects.get()
    assert (graduation.is_override, graduation.reason) == (True, "已补课")
    assert GraduationHold.objects.get(participation=ready).reason == "补考未完"


def test_nobody_graduates_before_the_last_day_taught_and_the_page_says_who(staff, client):
    training_class, [first, second] = taught(staff, ready=2, behind=0)
    refused = decide(client, training_class, on="2026-06-02")
    assert refused.status_code == 200
    assert first.trainee.name in said(refused)[0]
    assert not GraduationDecision.objects.exists()
    late = factories.SessionFactory(
        training_class=training_class,
        starts_at=datetime(2026, 8, 20, 8, tzinfo=SHANGHAI),
        ends_at=datetime(2026, 8, 20, 9, tzinfo=SHANGHAI),
    )
    mark_attendance(late, marks={second.pk: ("present", None)}, by=staff)
    response = decide(client, training_class)
    assert states([first, second]) == ["graduated", "training"]
    assert any(second.trainee.name in sentence and "after that day" in sentence for sentence in said(response))


def test_decision_about_other_figures_than_shown_is_refused(staff, client):
    training_class, [ready, behind] = taught(staff)
    data = answers(client.get(url_of(training_class)))
    session = training_class.sessions.first()
    mark_attendance(session, marks={ready.pk: ("absent", None)}, by=staff, reason="查实缺勤")
    response = client.post(url_of(training_class), data)
    assert response.status_code == 200
    assert ready.trainee.name in str(response.context["form"].non_field_errors())
    assert states([ready, behind]) == ["training", "training"]


def test_decision_that_decides_nothing_leaves_nothing(staff, client):
    training_class, people = taught(staff, ready=0, behind=2)
    assert decide(client, training_class).status_code == 200
    assert not GraduationDecision.objects.exists()
    assert states(people) == ["training", "training"]


def test_people_of_other_counties_are_counted_and_neither_named_nor_decided(staff, client):
    training_class, [ready] = taught(staff, behind=0)
    stranger = factories.ParticipationFactory(
        cohort=training_class.cohort,
        state="training",
        trainee__county=factories.region("520526"),
        trainee__name="外县人",
    )
    enrol([stranger], training_class=training_class, by=staff)
    client.force_login(county_staff("622927"))
    html = client.get(url_of(training_class)).content.decode()
    assert "外县人" not in html
    assert "1 person of another county" in html
    data = {f"choice_{stranger.pk}": "otherwise", f"reason_{stranger.pk}": "x", f"seen_{stranger.pk}": "not yet"}
    decide(client, training_class, **data)
    assert states([ready, stranger]) == ["graduated", "training"]


def test_class_of_a_stranger_and_people_without_the_right_are_turned_away(staff, client):
    training_class, people = taught(staff)
    client.force_login(county_staff("520526"))
    assert client.get(url_of(training_class)).status_code == 302
    assert client.post(url_of(training_class), {"on": ON}).status_code == 302
    clerk = county_staff("622927")
    clerk.user_permissions.remove(*clerk.user_permissions.filter(codename="add_graduation"))
    client.force_login(clerk)
    assert client.get(url_of(training_class)).status_code == 403
    assert states(people) == ["training", "training"]


def test_proposal_and_decision_cost_the_same_for_one_and_for_fifty(staff, client):
    counts = []
    for size in (1, 1, 50):
        training_class, people = taught(staff, ready=size - size // 2, behind=size // 2)
        url = url_of(training_class)
        with CaptureQueriesContext(connection) as shown:
            page = client.get(url)
        data = answers(page)
        with CaptureQueriesContext(connection) as decided:
            assert client.post(url, data).status_code == 302
        counts.append((len(shown), len(decided)))
        assert states(people).count("graduated") == size - size // 2
    assert counts[1] == counts[2]


# Of a cohort


def cohort_url(cohort):
    return reverse("admin:courses_graduation_cohort", args=[cohort.pk])


def test_cohort_page_counts_before_it_decides_everybody_who_meets_the_rule(staff, client):
    training_class, [first, second, behind] = taught(staff, ready=2, behind=1)
    page = client.get(cohort_url(training_class.cohort))
    assert (page.context["in_training"], page.context["count_ready"]) == (3, 2)
    assert client.get(page.context["list_of_ready"]).context["cl"].result_count == 2
    response = client.post(cohort_url(training_class.cohort), {"on": ON})
    assert "2 people graduated" in said(response)[0]
    assert states([first, second, behind]) == ["graduated", "graduated", "training"]
    assert GraduationDecision.objects.get().training_class is None


def test_county_decides_about_its_own_people_of_the_cohort_only(staff, client):
    training_class, [own] = taught(staff, behind=0)
    _class, [stranger] = taught(staff, behind=0, county="520526")
    cohort = training_class.cohort
    Participation.objects.filter(pk=stranger.pk).update(cohort=cohort)
    client.force_login(county_staff("622927"))
    assert client.get(cohort_url(cohort)).context["count_ready"] == 1
    client.post(cohort_url(cohort), {"on": ON})
    assert states([own, stranger]) == ["graduated", "training"]


def test_cohort_of_which_nobody_graduates_has_no_decision(staff, client):
    training_class, _people = taught(staff, behind=0)
    response = client.post(cohort_url(training_class.cohort), {"on": "2026-06-01"})
    assert response.status_code == 200
    assert not GraduationDecision.objects.exists()
    assert client.get(cohort_url(factories.CohortFactory(rule=None))).status_code == 200
    assert client.get(reverse("admin:courses_graduation_cohort", args=[99999])).status_code == 404


# Questions


@pytest.fixture
def asked(staff):
    """Somebody graduated, and then a day of theirs was corrected."""
    training_class, [person] = taught(staff, behind=0)
    graduate(person, on=date(2026, 8, 1), by=staff)
    session = training_class.sessions.first()
    mark_attendance(session, marks={person.pk: ("absent", None)}, by=staff, reason="代签")
    return GraduationQuestion.objects.get()


def test_question_waits_on_the_home_page_and_shows_before_and_now(asked, client):
    cards = client.get(reverse("admin:index")).context["cards"]
    [card] = [card for card in cards if "graduationquestion" in card.url]
    assert card.count == "1"
    assert list(client.get(card.url).context["cl"].queryset) == [asked]
    html = change_page(client, asked).content.decode()
    for word in ("3 / 3", "<b>2 / 3</b>", "24.0", "<b>16.0"):
        assert word in html


def test_graduation_is_upheld_with_a_reason(asked, staff, client):
    refused = move(client, asked, "uphold", reason=" ")
    assert refused.context["form"].errors["reason"]
    move(client, asked, "uphold", reason="已补课")
    asked.refresh_from_db()
    assert (asked.answer, asked.answered_by, asked.reason) == ("upheld", staff, "已补课")
    assert asked.graduation.participation.state == "graduated"
    assert "/move/revoke/" not in change_page(client, asked).content.decode()
    assert not [c for c in client.get(reverse("admin:index")).context["cards"] if "graduationquestion" in c.url]


def test_graduation_is_taken_back_and_stays_on_record(asked, client):
    move(client, asked, "revoke", reason="学时不实")
    graduation = Graduation.objects.get()
    assert graduation.revoked_at is not None
    assert graduation.participation.state == "training"
    assert "taken back" in change_page(client, graduation).content.decode()
    html = change_page(client, graduation.participation).content.decode()
    for word in ("taken back", "1 more day of training"):
        assert word in html


def test_open_question_stands_on_the_pages_of_class_and_participation(asked, client):
    link = reverse("admin:courses_graduationquestion_change", args=[asked.pk])
    person = asked.graduation.participation
    assert link in change_page(client, person).content.decode()
    assert link in change_page(client, person.enrolments.get().training_class).content.decode()
    assert link in change_page(client, asked.graduation).content.decode()


def test_participation_says_why_somebody_was_kept_back(staff, client):
    training_class, [person] = taught(staff, behind=0)
    overrides = {person.pk: (False, "证件待核")}
    decide_graduation([person], cohort=training_class.cohort, on=date(2026, 8, 1), by=staff, overrides=overrides)
    html = change_page(client, person).content.decode()
    for word in ("证件待核", "kept back from graduation"):
        assert word in html


def test_graduation_tells_its_rule_and_that_it_was_against_the_proposal(staff, client):
    training_class, [person] = taught(staff, ready=0)
    set_graduation_rule(training_class.cohort, by=staff, min_days=4)
    overrides = {person.pk: (True, "特批")}
    decide_graduation([person], cohort=training_class.cohort, on=date(2026, 8, 1), by=staff, overrides=overrides)
    html = change_page(client, Graduation.objects.get()).content.decode()
    assert "特批" in html
    found = client.get(reverse("admin:courses_graduation_changelist"), {"holds": "override"})
    assert found.context["cl"].result_count == 1
    assert Graduation.objects.get().rule.number == 2


# Why not?


def test_participation_says_the_same_sentences_as_the_decision(staff, client):
    from courses.queries import training_standings

    training_class, [person] = taught(staff, ready=0)
    numbers = {"min_practice_hours": 4, "min_visit_hours": 2, "min_attendance_percent": 80, "min_hours": 30}
    set_graduation_rule(training_class.cohort, by=staff, **numbers)
    training_class.assessments.create(title="结业考试")
    sentences = training_standings([person])[person.pk].missing()
    assert len(sentences) == 7
    for html in (change_page(client, person).content.decode(), client.get(url_of(training_class)).content.decode()):
        assert [sentence for sentence in sentences if sentence not in html] == []


# Rules


def rule_answers(page, **changes):
    form = page.context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in values.items() if value is not None and value is not False} | changes


def test_rule_is_changed_from_the_cohorts_page_as_a_next_version(staff, client):
    cohort = factories.CohortFactory()
    add = f"{reverse('admin:courses_graduationrule_add')}?cohort={cohort.pk}"
    assert add in change_page(client, cohort).content.decode()
    cohort.graduation_rules.update(min_days=5)
    page = client.get(add)
    assert page.context["adminform"].form["min_days"].value() == 5
    response = client.post(add, rule_answers(page, min_attendance_percent="90", note="加考勤"))
    assert response.status_code == 302
    first, second = GraduationRule.objects.order_by("number")
    assert (second.number, second.min_days, second.min_attendance_percent, second.note) == (2, 5, 90, "加考勤")
    assert second.made_by == staff
    assert first.replaced_at is not None
    html = change_page(client, cohort).content.decode()
    for word in ("加考勤", "90 %"):
        assert word in html


def test_unchanged_or_impossible_rule_is_refused_in_words(staff, client):
    cohort = factories.CohortFactory()
    add = f"{reverse('admin:courses_graduationrule_add')}?cohort={cohort.pk}"
    page = client.get(add)
    same = client.post(add, rule_answers(page))
    assert "Nothing is different" in same.content.decode()
    beyond = client.post(add, rule_answers(page, min_general_hours="9"))
    assert "More hours are asked for than count" in beyond.content.decode()
    assert GraduationRule.objects.filter(cohort=cohort).count() == 1


def test_rule_is_looked_at_and_never_edited(staff, client):
    rule = factories.CohortFactory().graduation_rules.get()
    url = reverse("admin:courses_graduationrule_change", args=[rule.pk])
    assert not client.get(url).context["has_change_permission"]
    client.post(url, {"min_days": 1})
    rule.refresh_from_db()
    assert rule.min_days == 3


def test_first_rule_of_a_cohort_is_entered(staff, client):
    cohort = factories.CohortFactory()
    cohort.graduation_rules.all().delete()
    add = f"{reverse('admin:courses_graduationrule_add')}?cohort={cohort.pk}"
    assert client.post(add, rule_answers(client.get(add))).status_code == 302
    assert cohort.graduation_rules.get().number == 1


def test_clerk_sees_the_rules_and_changes_none(staff, client):
    from django.contrib.auth.models import Group

    cohort = factories.CohortFactory()
    clerk = factories.official("622927", is_staff=True)
    clerk.groups.add(Group.objects.get(name="county clerk"))
    client.force_login(clerk)
    html = change_page(client, cohort).content.decode()
    assert "Graduation rule" in html
    assert reverse("admin:courses_graduationrule_add") not in html
    assert client.get(reverse("admin:courses_graduationrule_add")).status_code == 403


def test_pages_of_a_person_cost_the_same_for_one_and_for_thirty_decisions(staff, client):
    counts = []
    for size in (1, 30):
        _class, [person] = taught(staff, behind=0)
        rules = [person.cohort.graduation_rules.get()]
        graduation = Graduation.objects.create(
            participation=person, graduated_on=date(2026, 8, 1), decided_by=staff, facts={}, revoked_at=timezone.now()
        )
        decision = GraduationDecision.objects.create(cohort=person.cohort, on=date(2026, 8, 1), by=staff)
        for number in range(size):
            GraduationHold.objects.create(participation=person, decision=decision, reason=f"因{number}")
            GraduationQuestion.objects.create(
                graduation=graduation, cause="x", answer="upheld", answered_by=staff, reason="y"
            )
            rules.append(set_graduation_rule(person.cohort, by=staff, min_days=number + 4))
        found = []
        for row in (person, graduation, person.cohort, rules[-1]):
            change_page(client, row)
            with CaptureQueriesContext(connection) as captured:
                assert change_page(client, row).status_code == 200
            found.append(len(captured))
        counts.append(found)
    assert counts[0] == counts[1]


def test_graduate_is_not_trained_away(staff, client):
    """Back into training leads over the question, which keeps who took the graduation back and why."""
    _class, [person] = taught(staff, behind=0)
    graduate(person, on=date(2026, 8, 1), by=staff)
    assert "/move/start_training/" not in change_page(client, person).content.decode()
    response = move(client, person, "start_training")
    assert person.trainee.name in said(response)[0]
    assert states([person]) == ["graduated"]


def test_what_an_older_decision_did_not_keep_is_a_dash():
    from courses.admin.graduation import graduation_facts

    figures = {
        str(name): value for name, value in graduation_facts({"days": 3, "min_days": 3, "professional_minutes": 720})
    }
    assert figures["Days attended"] == "3 / 3"
    assert (figures["Professional hours"], figures["General hours"], figures["Attendance"]) == ("16.0", "-", "-")
