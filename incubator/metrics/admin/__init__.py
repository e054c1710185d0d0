"""The staff desk's pages of this room."""

from incubator.metrics.admin.accounts import needing_consent
from incubator.metrics.admin.oddities import held_back
from incubator.metrics.admin.runs import with_counts

__all__ = ["held_back", "needing_consent", "with_counts"]
