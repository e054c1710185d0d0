"""The desk of certification: a rule edited without a script and published; candidates decided side by side."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from incubator.certification.models import Candidate, Rehearsal, Rule
from incubator.certification.services import ask_back, evaluate, propose_candidate, rehearse, report_flag
from incubator.jobs import services as jobs
from incubator.jobs.models import Job
from incubator.metrics.models import Spike
from tests.browser.conftest import fits
from tests.factories import RuleFactory, UserFactory, region, superuser
from tests.world import graduate

NAMES = ("马梅兰", "王建国", "阿依古丽·买买提", "李小红")


def rising(last, days=40):
    """Readings that grow to ``last``."""
    return [last - (days - 1 - n) * 900 for n in range(days)]


@pytest.fixture
def people(db):
    """Four candidates of two counties, with what can be doubted about them."""
    rule = RuleFactory()
    counties = [region("622927", "积石山保安族东乡族撒拉族自治县"), region("520526", "威宁县")]
    for n, name in enumerate(NAMES):
        graduate(f"T{n}", followers=rising(101_500 + n * 4_000), started=60, name=name, county=counties[n % 2])
    evaluate(on=timezone.localdate())
    found = list(Candidate.objects.order_by("pk"))
    leap = found[0].crossed_on - timedelta(days=2)
    Spike.objects.create(account=found[0].account, day=leap, gained=20_300, usual=420)
    report_flag(found[1].account, day=found[1].crossed_on, note="邻村反映买粉", by=UserFactory(display_name="周科长"))
    propose_candidate(found[2], by=UserFactory(display_name="周科长"), remark="看过全部作品")
    ask_back(found[3], by=UserFactory(display_name="周科长"), question="账号是否本人使用？")
    return rule


@pytest.fixture
def draft(people):
    asked = {"number": 100_000, "strict": False, "held_days": 3, "when": "support"}
    conditions = {
        "all": [
            {"kind": "graduated"},
            {"any": [{"kind": "followers", **asked}, {"kind": "class_hours", "number": "40.0"}]},
        ]
    }
    return RuleFactory(badge=people.badge, version=2, published_at=None, conditions=conditions)


def address(live_server, name, *args):
    return live_server.url + reverse(f"admin:certification_{name}", args=args)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_rule_is_edited_without_a_script(visit, shoot, live_server, draft, width):
    superuser(username="root")
    page = visit("root", width=width, scripts=False)
    page.goto(address(live_server, "rule_conditions", draft.pk))
    page.select_option("select[name='0.2-new']", "published")
    page.click("button[value='add 0.2']")
    page.fill("input[name='0.2.1-number']", "120,000")
    page.fill("input[name='0.2.3-number']", "12")
    page.click("button[value='remove 0.2.2']")
    page.press("input[name='0.2.1-number']", "Enter")  # looks, and saves nothing
    assert "120,001" in page.inner_text("main, #content, body")
    shoot(page, f"rule-editor-{width}")
    assert fits(page)
    page.locator(".desk-sheet-foot button[value=save]").click()
    assert page.url == address(live_server, "rule_change", draft.pk)
    shoot(page, f"rule-{width}")
    assert fits(page)
    either = Rule.objects.get(pk=draft.pk).conditions["all"][1]["any"]
    assert [(leaf["kind"], leaf["number"]) for leaf in either] == [("followers", 120_000), ("published", 12)]


@pytest.mark.parametrize("width", [1280, 390])
def test_a_draft_is_rehearsed_and_published(visit, shoot, live_server, draft, width):
    root = superuser(username="root")
    rehearse(draft, on=timezone.localdate() - timedelta(days=3), by=root)
    page = visit("root", width=width)
    page.goto(address(live_server, "rule_change", draft.pk))
    page.locator(f"form[action$='/{draft.pk}/move/rehearse/'] button").click()
    page.wait_for_load_state()
    assert page.locator("[role=status]").count() == 1
    jobs.run(Job.objects.get().pk)
    page.goto(address(live_server, "rehearsal_change", Rehearsal.objects.latest("pk").pk))
    shoot(page, f"rehearsal-{width}")
    assert fits(page)
    page.goto(address(live_server, "rule_change", draft.pk))
    page.locator("a[href$='/move/publish/']").click()
    page.wait_for_load_state()
    shoot(page, f"rule-publish-{width}")
    assert fits(page)
    page.check("input[name=is_seen]")
    page.locator(".desk-form button.desk-button-main").click()
    page.wait_for_load_state()
    assert Rule.objects.get(pk=draft.pk).published_at


@pytest.mark.parametrize("width", [1280, 390])
def test_candidates_are_looked_at_and_decided_side_by_side(visit, shoot, live_server, people, width):
    superuser(username="root")
    page = visit("root", width=width)
    page.goto(address(live_server, "candidate_changelist"))
    shoot(page, f"candidates-{width}")
    assert fits(page)
    first, second, third, fourth = Candidate.objects.order_by("pk")
    page.goto(address(live_server, "candidate_change", first.pk))
    shoot(page, f"candidate-page-{width}")
    assert fits(page)
    ids = ",".join(str(c.pk) for c in (first, second, third, fourth))
    page.goto(address(live_server, "candidate_review") + f"?ids={ids}")
    shoot(page, f"review-{width}")
    assert fits(page)
    page.check(f"input[name=c{first.pk}-choice][value=propose]")
    page.check(f"input[name=c{second.pk}-choice][value=refuse]")
    page.fill(f"textarea[name=c{second.pk}-words]", "买粉")
    page.check(f"input[name=c{third.pk}-choice][value=approve]")
    page.locator(".desk-sheet-foot button").click()
    page.wait_for_load_state()
    shoot(page, f"review-refused-{width}")
    assert page.locator(".review-refused").count() == 1  # the leap is not explained
    states = Candidate.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["pending", "refused", "approved", "asked"]
    assert page.input_value(f"input[name=c{first.pk}-choice]:checked") == "propose"
