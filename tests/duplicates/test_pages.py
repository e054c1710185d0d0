"""The queue and the page of two people: what is shown, to whom, and that a decision made there is what happens."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from incubator.accounts.choices import StaffGroup
from incubator.duplicates.models import DuplicatePair
from incubator.duplicates.services import merge_people
from tests import factories
from tests.desk.world import county_staff
from tests.duplicates.world import ID_ONE, ID_OTHER, award, furnish, pair_of, record
from trainees.models import Trainee

pytestmark = pytest.mark.django_db

LIST = "admin:duplicates_duplicatepair_changelist"
ENGLISH = {"accept-language": "en"}


def page(pair):
    return reverse("admin:duplicates_duplicatepair_change", args=[pair.pk])


def move(pair, name):
    return reverse("admin:duplicates_duplicatepair_move", args=[pair.pk, name])


def text_of(response):
    """The words of a page without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


@pytest.fixture
def staff(client):
    user = factories.superuser()
    client.force_login(user)
    return user


@pytest.fixture
def two(staff):
    one = record("T2026-9000001", id_number=ID_ONE, phone="+8613800000001", township="吹麻滩镇")
    other = record("T2026-9000002", id_number=ID_OTHER, phone="+8613800000001", township="")
    furnish(one, staff, "one", followers=[15_000])
    furnish(other, staff, "other", followers=[120_000])
    return one, other


def fields_of(response):
    """What the form would send as it stands."""
    form = response.context["form"]
    return {name: form[name].initial for name in form.fields if form[name].initial is not None}


def test_two_people_stand_side_by_side_without_whole_numbers(client, two, staff):
    one, other = two
    award(other.participations.get(), staff, "XC-7")
    response = client.get(page(pair_of(one, other)), headers=ENGLISH)
    text = text_of(response)

    for word in ("622927********0028", "622927********0044", "138****0001", "吹麻滩镇", "T2026-9000001 stays"):
        assert word in text, word
    for word in ("XC-7", "120,000", "15,000", "名册one.xlsx", "名册other.xlsx", "ks-other"):
        assert word in text, word
    for secret in (ID_ONE, ID_OTHER, "13800000001"):
        assert secret not in response.content.decode()


def test_differences_are_said_in_words_and_equal_values_are_no_choice(client, two):
    response = client.get(page(pair_of(*two)), headers=ENGLISH)
    differing = {line.name for line, _choice in response.context["lines"] if line.differs}

    assert differing == {"id_number", "township"}
    assert text_of(response).count("≠ differs") == 2
    assert {name for name in response.context["form"].fields if name.startswith("keep_")} == {
        "keep_id_number",
        "keep_township",
    }


def test_numbers_that_only_look_alike_under_their_masks_differ(client, staff):
    one = record("T2026-9000001", phone="+8613811110001")
    other = record("T2026-9000002", phone="+8613822220001")
    response = client.get(page(pair_of(one, other)))

    assert [line.differs for line, _choice in response.context["lines"] if line.name == "phone"] == [True]


def test_what_is_suggested_is_the_record_with_more_history_and_the_fuller_value(client, two, staff):
    one, other = two
    award(other.participations.get(), staff, "XC-7")
    sent = fields_of(client.get(page(pair_of(one, other))))

    assert sent["stays"] == str(other.pk)
    assert (sent["keep_id_number"], sent["keep_township"]) == (str(other.pk), str(one.pk))


def test_of_two_with_as_much_history_the_older_is_suggested(client, staff):
    one, other = record("T2026-9000001"), record("T2026-9000002")
    assert fields_of(client.get(page(pair_of(one, other))))["stays"] == str(one.pk)


def test_merging_on_the_page_does_what_it_shows(client, two):
    one, other = two
    pair = pair_of(one, other)
    sent = fields_of(client.get(page(pair))) | {"stays": one.pk, "keep_id_number": other.pk, "remark": "one card"}

    response = client.post(page(pair), sent, follow=True, headers=ENGLISH)

    assert Trainee.objects.get().id_number == ID_OTHER
    assert "T2026-9000002 is now T2026-9000001" in text_of(response)
    assert "one card" in text_of(response)
    assert client.post(move(pair, "undo"), {"reason": "sisters"}, follow=True).status_code == 200
    assert Trainee.objects.count() == 2
    assert "sisters" in text_of(client.get(page(pair)))


def test_a_refusal_stands_on_the_page_and_the_choices_stay(client, two):
    one, other = two
    pair = pair_of(one, other)
    sent = fields_of(client.get(page(pair))) | {"stays": other.pk, "seen": "stale"}

    response = client.post(page(pair), sent)

    assert response.status_code == 200 and response.context["form"].non_field_errors()
    assert response.context["form"]["stays"].value() == str(other.pk)
    assert Trainee.objects.count() == 2


def test_what_is_in_the_way_is_told_instead_of_the_button(client, two, staff):
    one, other = two
    rule = factories.RuleFactory()
    award(one.participations.get(), staff, "XC-1", rule=rule)
    award(other.participations.get(), staff, "XC-2", rule=rule)

    response = client.get(page(pair_of(one, other)))

    assert len(response.context["obstacles"]) == 1
    assert 'name="remark"' not in response.content.decode().split("pair-table")[1]


def test_two_people_are_two_people(client, two):
    pair = pair_of(*two)
    client.post(move(pair, "different"), {"remark": "sisters"})
    response = client.get(page(pair))

    assert DuplicatePair.objects.get().state == "different"
    assert response.context["form"] is None and "sisters" in text_of(response)
    assert client.post(page(pair), {"stays": two[0].pk}).status_code == 403
    assert client.get(reverse(LIST)).context["cl"].result_count == 0
    client.post(move(pair, "again"))
    assert client.get(reverse(LIST)).context["cl"].result_count == 1


def test_what_stands_in_the_way_of_undoing_is_listed_and_there_is_no_button(client, two, staff):
    one, other = two
    pair = pair_of(one, other)
    merge_people(pair, stays=one.pk, by=staff)
    assert [name.name for name, _form in client.get(page(pair)).context["moves"]] == ["undo"]
    factories.CreatorAccountFactory(trainee=one, handle="ks-since")

    response = client.get(page(pair))

    assert "ks-since" in text_of(response)
    assert response.context["moves"] == []


# Who sees what


@pytest.fixture
def across(two):
    """A pair of the own county, and one whose other half is a stranger's."""
    one, other = two
    stranger = record("T2026-9000003", name="外人Z9", county=factories.region("520526", "外县Z9"))
    return pair_of(one, other), pair_of(one, stranger)


def test_a_pair_with_a_strangers_half_is_nowhere(client, across):
    own, foreign = across
    client.force_login(county_staff("622927"))

    listed = client.get(reverse(LIST), {"decision": "all"})
    assert list(listed.context["cl"].queryset) == [own]
    assert listed.context["cl"].result_count == 1
    for words in ("外人Z9", "T2026-9000003"):
        assert not client.get(reverse(LIST), {"q": words, "decision": "all"}).context["cl"].queryset.exists()
    trainee = client.get(reverse("admin:trainees_trainee_change", args=[own.first_id]))
    for response in (listed, trainee, client.get(reverse("admin:index"))):
        assert "Z9" not in response.content.decode() and "9000003" not in response.content.decode()
    assert client.get(page(foreign)).status_code == 404
    assert client.post(page(foreign), {"stays": foreign.first_id}).status_code == 404
    client.post(move(foreign, "different"), {"remark": ""})
    assert DuplicatePair.objects.get(pk=foreign.pk).state == "open"
    assert client.get(page(own)).status_code == 200


def test_a_merge_into_a_strangers_county_is_nowhere_either(client, across, staff):
    own, foreign = across
    merge_people(foreign, stays=foreign.first_id, by=staff)
    client.force_login(county_staff("622927"))

    assert client.get(page(foreign)).status_code == 404
    trainee = client.get(reverse("admin:trainees_trainee_change", args=[own.first_id]))
    assert "9000003" not in text_of(trainee)


def test_across_counties_a_prefecture_sees_and_does_not_decide(client, two):
    one, other = two
    Trainee.objects.filter(pk=other.pk).update(county=factories.region("622926"))
    pair = pair_of(one, other)
    prefecture = factories.official("622900", is_staff=True)
    prefecture.user_permissions.set(Permission.objects.all())
    client.force_login(prefecture)

    response = client.get(page(pair))
    assert (response.status_code, response.context["form"], response.context["moves"]) == (200, None, [])
    assert client.post(page(pair), {"stays": one.pk}).status_code == 403
    client.post(move(pair, "different"), {"remark": ""})
    assert DuplicatePair.objects.get().state == "open"


@pytest.mark.parametrize("group", [StaffGroup.MANAGER, StaffGroup.CLERK, StaffGroup.VIEWER, StaffGroup.CERTIFIER])
def test_groups_may_what_they_should(client, two, group):
    from django.contrib.auth.models import Group

    user = factories.official("622927", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client.force_login(user)
    pair = pair_of(*two)

    response = client.get(page(pair))

    if group == StaffGroup.CERTIFIER:
        assert response.status_code == 404
        return
    works = group in (StaffGroup.MANAGER, StaffGroup.CLERK)
    assert (response.context["form"] is not None) == works
    assert bool(response.context["moves"]) == works
    assert client.get(reverse("admin:duplicates_duplicatepair_add")).status_code == (200 if works else 403)
    titles = [str(title) for title, _tables in response.context["strands"]]
    assert len(titles) == (4 if group == StaffGroup.CLERK else 5) - (group == StaffGroup.CLERK)


# Named by staff


def test_staff_name_two_people_who_may_be_one(client, two):
    one, other = two
    client.post(reverse("admin:duplicates_duplicatepair_add"), {"first": other.pk, "second": one.pk})

    pair = DuplicatePair.objects.get()
    assert (pair.first_id, pair.second_id, pair.why) == (one.pk, other.pk, "staff")


def test_one_record_twice_or_a_question_asked_before_is_refused_in_a_sentence(client, two):
    one, other = two
    url = reverse("admin:duplicates_duplicatepair_add")
    pair_of(one, other)
    for second in (one, other):
        response = client.post(url, {"first": second.pk, "second": one.pk})
        assert response.context["adminform"].form.errors
    assert DuplicatePair.objects.count() == 1


def test_two_people_chosen_in_the_list_become_a_question(client, two):
    url = reverse("admin:trainees_trainee_changelist")
    chosen = {"action": "entered_twice", "_selected_action": [p.pk for p in two], "confirmed": "1", "number": ""}
    client.post(url, chosen)
    assert DuplicatePair.objects.get().why == "staff"


def test_a_number_that_is_not_ones_own_is_like_one_that_does_not_exist(client, two):
    one, _other = two
    stranger = record("T2026-9000003", county=factories.region("520526"))
    client.force_login(county_staff("622927"))
    url = reverse("admin:trainees_trainee_move", args=[one.pk, "entered_twice"])

    answers = []
    for number in (stranger.number, "T2026-9999999"):
        response = client.post(url, {"number": number}, follow=True)
        answers.append([str(message) for message in response.context["messages"]])

    assert answers[0] == answers[1] and answers[0]
    assert not DuplicatePair.objects.exists()


def test_a_trainees_page_links_to_the_question_and_to_what_was_merged(client, two, staff):
    one, other = two
    third = record("T2026-9000003")
    pair, merged = pair_of(one, third), pair_of(one, other)
    merge_people(merged, stays=one.pk, by=staff)

    content = client.get(reverse("admin:trainees_trainee_change", args=[one.pk])).content.decode()

    assert page(pair) in content and page(merged) in content and other.number in content


# The same number of queries for one and for thirty


def count(client, url):
    with CaptureQueriesContext(connection) as captured:
        response = client.get(url)
    assert response.status_code == 200
    return len(captured)


def test_the_page_asks_as_often_for_thirty_as_for_one(client, two, staff):
    one, other = two
    pair = pair_of(one, other)
    shared = factories.CohortFactory()
    for person, tag in ((one, "s1"), (other, "s2")):
        furnish(person, staff, tag, cohort=shared)
    url = page(pair)
    count(client, url)  # what is read once per process is read now
    few = count(client, url)
    for n in range(30):
        shared = factories.CohortFactory()
        for person, tag in ((one, f"a{n}"), (other, f"b{n}")):
            award(furnish(person, staff, tag, cohort=shared), staff, f"XC-{tag}", rule=factories.RuleFactory())

    many = count(client, url)

    assert many == few <= 45


def test_the_page_of_a_merge_asks_as_often_for_thirty_as_for_one(client, staff):
    counts = []
    for people, size in ((1, 1), (2, 30)):
        one, other = record(f"T2026-900000{people}"), record(f"T2026-901000{people}")
        for n in range(size):
            furnish(one, staff, f"a{people}{n}")
            furnish(other, staff, f"b{people}{n}")
        pair = pair_of(one, other)
        merge_people(pair, stays=one.pk, by=staff)
        count(client, page(pair))
        counts.append(count(client, page(pair)))

    assert counts[0] == counts[1] <= 35


def test_the_list_asks_as_often_for_thirty_as_for_one(client, two):
    pair_of(*two)
    url = reverse(LIST)
    count(client, url)
    one = count(client, url)
    for n in range(30):
        pair_of(record(f"T2026-70000{n:02d}"), record(f"T2026-71000{n:02d}"))

    assert count(client, url) == one
    assert client.get(url).context["cl"].result_count == 31


def test_nobody_is_in_the_list_of_people_twice(client, two, staff):
    one, other = two
    assert client.get(reverse("admin:trainees_trainee_changelist")).context["cl"].result_count == 2
    merge_people(pair_of(one, other), stays=one.pk, by=staff)

    found = client.get(reverse("admin:trainees_trainee_changelist"), {"q": other.number})

    assert list(found.context["cl"].queryset) == [one]
