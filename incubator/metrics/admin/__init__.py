"""The staff desk's pages of this room."""

from incubator.metrics.admin.accounts import needing_consent_now
from incubator.metrics.admin.consent import consent_list_url
from incubator.metrics.admin.runs import with_counts

__all__ = ["consent_list_url", "needing_consent_now", "with_counts"]
