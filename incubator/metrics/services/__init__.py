"""The only writers of accounts, authorisations, readings and runs."""

from incubator.metrics.services.accounts import register_accounts, register_accounts_of, remove_accounts
from incubator.metrics.services.consent import (
    ASSISTED,
    begin_consent,
    complete_consent,
    forget_requests,
    lose_consents,
    store_tokens,
    withdraw_consent,
)
from incubator.metrics.services.refresh import NothingLeft, resume_run, start_refresh, stop_run
from incubator.metrics.services.reminders import end_consents, mark_reminders_seen, remind_consents

__all__ = [
    "ASSISTED",
    "NothingLeft",
    "begin_consent",
    "complete_consent",
    "end_consents",
    "forget_requests",
    "lose_consents",
    "mark_reminders_seen",
    "register_accounts",
    "register_accounts_of",
    "remind_consents",
    "remove_accounts",
    "resume_run",
    "start_refresh",
    "stop_run",
    "store_tokens",
    "withdraw_consent",
]
