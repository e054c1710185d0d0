"""The only writers of accounts, authorisations, readings and runs."""

from incubator.metrics.services.accounts import register_accounts
from incubator.metrics.services.consent import begin_consent, complete_consent, store_tokens, withdraw_consent
from incubator.metrics.services.refresh import NothingLeft, resume_run, start_refresh, stop_run

__all__ = [
    "NothingLeft",
    "begin_consent",
    "complete_consent",
    "register_accounts",
    "resume_run",
    "start_refresh",
    "stop_run",
    "store_tokens",
    "withdraw_consent",
]
