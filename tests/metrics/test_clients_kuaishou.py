"""What only Kuaishou does; the rest is in the contract."""

import pytest

from incubator.metrics.clients import base
from incubator.metrics.clients.kuaishou import judge
from tests.metrics.vendors import AT, KUAISHOU

USER_INFO, REFRESH = KUAISHOU.fetch_path, KUAISHOU.refresh_path
ask = KUAISHOU.ask


@pytest.fixture
def tokens(platform):
    platform.set_clock(AT)
    return KUAISHOU.consent(platform)


def test_a_refresh_discards_the_token_it_used(platform, tokens):
    fresh = KUAISHOU.refresh(platform, tokens)

    assert fresh.refresh_token != tokens.refresh_token
    with pytest.raises(base.Reauthorise):
        KUAISHOU.refresh(platform, tokens)


def test_a_lost_answer_to_a_refresh_means_consenting_again(platform, tokens):
    platform.break_(REFRESH, "lost_answer", times=1)
    with pytest.raises(base.Transient):
        KUAISHOU.refresh(platform, tokens)

    with pytest.raises(base.Reauthorise):
        KUAISHOU.refresh(platform, tokens)


def test_there_is_no_history_however_many_days_are_asked_for(platform, tokens):
    (reading,) = ask(platform, lambda client: client.fetch(tokens, days=30))

    assert reading.day == AT.date() and reading.following == 13


@pytest.mark.parametrize(
    ("result", "error"),
    [
        (100200100, base.Misconfigured),
        (100200101, base.Misconfigured),
        (100200102, base.RefreshNeeded),
        (100200103, base.Misconfigured),
        (100200104, base.Misconfigured),
        (100200105, base.Reauthorise),
        (100200106, base.Reauthorise),
        (100200107, base.Gone),
        (100200108, base.RefreshNeeded),
        (100200109, base.Reauthorise),
        (100200110, base.Reauthorise),
        (100200111, base.Reauthorise),
        (100200113, base.Reauthorise),
        (100200410, base.RateLimited),
        (100200500, base.Transient),
        (100100402, base.QuotaSpent),
        (400000, base.Gone),
        (0, base.BadAnswer),
        (999, base.BadAnswer),
        (None, base.BadAnswer),
    ],
)
def test_a_result_falls_in_its_class(result, error):
    with pytest.raises(base.PlatformError) as caught:
        judge({"result": result})
    assert type(caught.value) is error
