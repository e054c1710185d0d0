"""Events of a platform: many accounts losing followers on one day is not what people did."""

import threading
from datetime import date, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connections
from django.utils.translation import override

from incubator.jobs import services as jobs
from incubator.jobs.models import Job
from incubator.metrics.choices import Platform, QuarantineState, Source
from incubator.metrics.events import Losses, events_since, is_cleaning, losses_on, sentence_of_event
from incubator.metrics.freshness import spread_for
from incubator.metrics.models import LatestReading, PlatformEvent, QuarantinedReading, Reading, RefreshBatch, RefreshRun
from incubator.metrics.services.events import notice_events
from incubator.metrics.services.readings import reject_reading, write_readings
from incubator.metrics.services.refresh import finish_batch
from tests.factories import SHANGHAI, CreatorAccountFactory, TraineeFactory, UserFactory, superuser
from tests.metrics.test_readings import assert_regions_are_true

pytestmark = pytest.mark.django_db

DAY = date(2026, 9, 10)
AT = datetime(2026, 9, 10, 5, 0, tzinfo=SHANGHAI)
FELL_ONE_IN = 20  # on a usual day


def on(days):
    return DAY + timedelta(days=days)


def write(figures, days=0, source=Source.API):
    """``{account: followers}`` of the day so many days after DAY."""
    rows = [(account.pk, on(days), followers, None) for account, followers in figures.items()]
    return write_readings(rows, source=source, at=AT + timedelta(days=days))


def people(count=60, *, history=5, platform=Platform.KUAISHOU):
    """Accounts of 1,000 followers that wander for some days: each day one in twenty loses 3 per cent."""
    trainee = TraineeFactory()
    accounts = [CreatorAccountFactory(trainee=trainee, platform=platform) for _n in range(count)]
    figures = dict.fromkeys(accounts, 1_000)
    for back in range(history, 0, -1):
        figures = {
            account: round(had * (0.97 if n % FELL_ONE_IN == back else 1.004))
            for n, (account, had) in enumerate(figures.items())
        }
        write(figures, -back)
    return figures


def cleaned(figures, *, share, left=0.95):
    """The next day: the platform leaves that much of a share of the accounts."""
    hit = round(len(figures) * share)
    return {account: round(had * (left if n < hit else 1.004)) for n, (account, had) in enumerate(figures.items())}


def notice(platform=Platform.KUAISHOU, days=0):
    return notice_events(platform, on(days), at=AT)


# --- The rule ---------------------------------------------------------------------------------------------------------

USUAL = [Losses(100, 5, 5, 50)] * 14


@pytest.mark.parametrize(
    ("losses", "before", "is_event"),
    [
        (Losses(50, 10, 10, 500), USUAL, True),
        (Losses(49, 20, 20, 500), USUAL, False),  # too few to judge by
        (Losses(100, 19, 19, 500), USUAL, False),
        (Losses(100, 100, 19, 500), USUAL, False),  # nearly everybody lost half and more: nonsense, no cleaning
        (Losses(100, 25, 25, 500), [Losses(100, 10, 10, 9)] * 14, False),  # a quarter, where a tenth is usual
        (Losses(100, 25, 25, 500), USUAL[:2], False),  # nobody knows yet what is usual
        (Losses(100, 25, 25, 500), [Losses(9, 0, 0, 0)] * 14, False),
        (Losses(100, 25, 25, 500), [*USUAL[:13], Losses(100, 90, 90, 9)], True),  # one odd day before hides nothing
        (Losses(100, 25, 25, 500), [Losses(100, 0, 0, 0)] * 3, True),
        (Losses(0, 0, 0, 0), USUAL, False),
    ],
)
def test_an_event_is_many_accounts_losing_far_more_than_usual(losses, before, is_event):
    assert is_cleaning(losses, before) == is_event


# --- Noticing ---------------------------------------------------------------------------------------------------------


def test_a_cleaning_is_recorded_with_how_many_it_hit():
    figures = people()
    after = cleaned(figures, share=0.5)
    write(after)

    event = notice()

    lost = sum(had - after[account] for account, had in list(figures.items())[:30])
    event.refresh_from_db()
    assert (event.read, event.hit, event.lost, event.noticed_at) == (60, 30, lost, AT)


@pytest.mark.parametrize(("count", "share", "left"), [(60, 0.15, 0.95), (60, 0.5, 0.99), (40, 0.5, 0.95)])
def test_a_usual_day_is_no_event(count, share, left):
    """Too small a share, too small a loss, too few accounts."""
    write(cleaned(people(count), share=share, left=left))
    assert notice() is None and not PlatformEvent.objects.exists()


def test_nothing_is_recognised_before_it_is_known_what_is_usual():
    write(cleaned(people(history=3), share=0.5))  # the first of the three days has none before it
    assert notice() is None


def test_an_event_of_one_platform_is_not_the_others():
    people(platform=Platform.DOUYIN)
    write(cleaned(people(), share=0.5))
    assert notice(Platform.DOUYIN) is None and notice(Platform.KUAISHOU) is not None


def test_figures_from_files_and_long_gaps_are_not_compared():
    figures = people()
    write(figures, 0, source=Source.FILE)
    assert losses_on(Platform.KUAISHOU, DAY).read == 0
    write(cleaned(figures, share=1), 4)
    assert losses_on(Platform.KUAISHOU, on(4)).read == 0
    assert losses_on(Platform.KUAISHOU, on(-1)).read == 60


def test_done_twice_nothing_changes_and_accounts_read_later_count_too():
    figures = people()
    after = cleaned(figures, share=0.5)
    write(dict(list(after.items())[:55]))
    notice()
    before = everything()
    notice()
    assert everything() == before

    write(dict(list(after.items())[55:]))
    notice()

    assert PlatformEvent.objects.get().read == 60


def everything():
    models = (PlatformEvent, QuarantinedReading, Reading, LatestReading)
    return {model: sorted(map(str, model.objects.values())) for model in models}


@pytest.mark.django_db(transaction=True)
def test_four_at_once_leave_one_event_and_one_reading():
    figures = people()
    after = cleaned(figures, share=0.5) | {next(iter(figures)): 300}
    write(after)
    start, faults = threading.Barrier(4), []

    def look():
        try:
            start.wait()
            notice()
        except Exception as fault:
            faults.append(fault)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=look) for _n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert faults == []
    assert PlatformEvent.objects.count() == 1
    assert Reading.objects.filter(day=DAY).count() == 60
    assert QuarantinedReading.objects.get().state == QuarantineState.ACCEPTED


# --- What it explains -------------------------------------------------------------------------------------------------


def test_drops_that_the_event_explains_become_facts_with_a_remark():
    figures = people()
    heavy, nothing, *_others = figures
    write(cleaned(figures, share=0.5) | {heavy: 300, nothing: 3})
    assert QuarantinedReading.objects.open().count() == 2

    notice()

    explained = QuarantinedReading.objects.get(account=heavy)
    assert (explained.state, explained.remark, explained.decided_by) == (QuarantineState.ACCEPTED, "cleaning", None)
    assert LatestReading.objects.get(account=heavy).followers == 300
    assert QuarantinedReading.objects.get(account=nothing).state == QuarantineState.OPEN  # hardly anything left
    assert PlatformEvent.objects.get().hit == 29  # of thirty, the one with nearly nothing is not told to be a loss
    assert_regions_are_true()


def test_a_drop_found_days_after_the_event_lies_before_and_after_it():
    """Not everybody is read every day."""
    figures = people()
    late, *_others = figures
    read = cleaned(figures, share=0.5)
    write({account: followers for account, followers in read.items() if account is not late})
    notice()
    write({late: 300}, 2)

    assert notice(days=2) is None

    assert QuarantinedReading.objects.get().state == QuarantineState.ACCEPTED


def test_drops_without_an_event_and_of_other_days_wait_for_a_person():
    figures = people()
    early, late, *_others = figures
    write({early: 300} | {account: had for account, had in figures.items() if account is not early})
    write(cleaned(figures, share=0.5) | {early: 300, late: 900}, 1)
    assert QuarantinedReading.objects.get(account=early).day == DAY  # confirmed by the figure of the next day
    write({late: 200}, 2)

    notice(days=1)

    assert QuarantinedReading.objects.get(account=late).state == QuarantineState.OPEN


def test_what_a_person_rejected_stays_rejected():
    figures = people()
    heavy, *_others = figures
    write(cleaned(figures, share=0.5) | {heavy: 300})
    reject_reading(QuarantinedReading.objects.get(), by=UserFactory())

    notice()

    assert QuarantinedReading.objects.get().state == QuarantineState.REJECTED
    assert not Reading.objects.filter(account=heavy, day=DAY).exists()


# --- When -------------------------------------------------------------------------------------------------------------


def test_the_last_batch_of_a_run_has_its_day_looked_over_once(settings):
    settings.COVERAGE_KEPT_SECONDS = 300
    cache.clear()
    write(cleaned(people(), share=0.5))
    run = RefreshRun.objects.create(platform=Platform.KUAISHOU, day=DAY, started_at=AT)
    first, last = (RefreshBatch.objects.create(run=run, number=n, account_ids=[]) for n in range(2))
    finish_batch(first)
    assert not Job.objects.exists()

    finish_batch(last)
    finish_batch(last)

    job = Job.objects.get(kind="notice_events")
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.result == {"events": 1} and PlatformEvent.objects.get().day == DAY
    [kept] = spread_for(superuser(), at=AT).platforms  # counted ahead, when the run was finished
    assert kept.connected == 60 and spread_for(superuser(), at=AT).at != AT
    cache.clear()


# --- For people -------------------------------------------------------------------------------------------------------


def test_the_sentence_blames_the_platform():
    event = PlatformEvent(platform=Platform.DOUYIN, day=DAY, kind="cleaning")
    with override("en"):
        assert sentence_of_event(event).startswith("On Sept. 10, 2026 Douyin removed followers from many accounts")


def test_events_are_listed_from_a_day_on():
    for days in (0, 5):
        PlatformEvent.objects.create(
            platform=Platform.KUAISHOU, day=on(days), kind="cleaning", read=9, hit=9, lost=9, noticed_at=AT
        )
    assert [event.day for event in events_since(on(-1))] == [on(5), DAY]
    assert [event.day for event in events_since(on(1), platform=Platform.KUAISHOU)] == [on(5)]
    assert PlatformEvent.objects.visible_to(superuser()).count() == 2
