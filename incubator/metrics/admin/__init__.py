"""The staff desk's pages of this room."""

from incubator.metrics.admin.accounts import needing_consent_now
from incubator.metrics.admin.alarms import freshness_for
from incubator.metrics.admin.consent import consent_list_url
from incubator.metrics.admin.coverage import coverage_for
from incubator.metrics.admin.events import news_for
from incubator.metrics.admin.oddities import held_back
from incubator.metrics.admin.runs import with_counts

__all__ = [
    "consent_list_url",
    "coverage_for",
    "freshness_for",
    "held_back",
    "needing_consent_now",
    "news_for",
    "with_counts",
]
