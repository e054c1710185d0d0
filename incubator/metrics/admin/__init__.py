"""The staff desk's pages of this room."""

from incubator.metrics.admin.accounts import needing_consent
from incubator.metrics.admin.runs import with_counts

__all__ = ["needing_consent", "with_counts"]
