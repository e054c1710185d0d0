"""The staff desk's pages of this room."""

from incubator.metrics.admin.accounts import needing_consent
from incubator.metrics.admin.alarms import freshness_for
from incubator.metrics.admin.coverage import coverage_for
from incubator.metrics.admin.events import news_for
from incubator.metrics.admin.runs import with_counts

__all__ = ["coverage_for", "freshness_for", "needing_consent", "news_for", "with_counts"]
