"""Every sentence about why somebody has a badge or has not, each made in one place: trainee, hotline and staff read the
same. They speak to nobody in particular, so that they can be read aloud as they stand.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from incubator.certification.amounts import Best, Run
from incubator.certification.choices import CandidateState
from incubator.certification.conditions import Followers
from incubator.certification.models import Award, Candidate


def said(day: date) -> str:
    """A day as it is read and spoken."""
    return date_format(day, "DATE_FORMAT")


def all_of() -> str:
    return _("All of these:")


def any_of() -> str:
    return _("At least one of these:")


# --- Conditions: what there is, and what is missing -------------------------------------------------------------------


def followers_met(best: Best, account: str) -> str:
    return _("%(account)s had %(count)s followers on %(day)s.") % _reading(best, account)


def followers_held(run: Run, account: str) -> str:
    return _("%(account)s held the number from %(day)s to %(last)s, %(held)d days.") % _run(run, account)


def followers_unknown(asked: Followers, has_window: bool) -> str:
    if not has_window:
        return _("The support period begins with the graduation; followers count from then on.")
    return _("No reading of the followers yet in the days that count; %(count)s are needed.") % {
        "count": f"{asked.least:,}"
    }


def followers_missing(best: Best, account: str, missing: int, last_day: date | None, on: date) -> str:
    words = _("%(account)s had %(count)s followers at most, on %(day)s; %(missing)s are missing.") % {
        **_reading(best, account),
        "missing": f"{missing:,}",
    }
    return f"{words} {_last_day(last_day, on)}".rstrip()


def days_missing(run: Run, account: str, missing: int, last_day: date | None, on: date, until: date) -> str:
    """The number was reached, but not held for long enough yet."""
    told = {**_run(run, account), "missing": missing, "until": said(until)}
    if run.is_alive:
        return (
            ngettext(
                "%(account)s has had the number since %(day)s, %(held)d days so far; %(missing)d more day is needed, "
                "until %(until)s.",
                "%(account)s has had the number since %(day)s, %(held)d days so far; %(missing)d more days are needed, "
                "until %(until)s.",
                missing,
            )
            % told
        )
    words = _(
        "%(account)s had the number from %(day)s to %(last)s, %(held)d days, and did not hold it; once it is reached "
        "again, the days count anew."
    )
    return f"{words % told} {_last_day(last_day, on)}".rstrip()


def _last_day(last_day: date | None, on: date) -> str:
    if last_day is None:
        return ""
    if last_day < on:
        return _("The last day that counted was %(day)s.") % {"day": said(last_day)}
    return _("The last day that counts is %(day)s.") % {"day": said(last_day)}


def _reading(best: Best, account: str) -> dict[str, str]:
    return {"account": account, "count": f"{best.followers:,}", "day": said(best.day)}


def _run(run: Run, account: str) -> dict[str, Any]:
    return {"account": account, "day": said(run.began_on), "last": said(run.last_on), "held": run.held}


def graduated(on: date | None) -> str:
    return _("Graduated on %(day)s.") % {"day": said(on)} if on else _("Graduated.")


def not_graduated() -> str:
    return _("Not graduated yet.")


def class_hours(have: Decimal, missing: Decimal) -> str:
    if not missing:
        return _("%(have)s class hours count.") % {"have": have}
    return _("%(have)s class hours count; %(missing)s are missing.") % {"have": have, "missing": missing}


def published(have: int, missing: int, last_day: date | None, on: date) -> str:
    if not missing:
        return ngettext("%(have)d work is noted.", "%(have)d works are noted.", have) % {"have": have}
    words = _("Works noted: %(have)d; %(missing)d are missing.") % {"have": have, "missing": missing}
    return f"{words} {_last_day(last_day, on)}".rstrip()


def open_flags(count: int) -> str:
    if not count:
        return _("No question about the followers is open.")
    return ngettext(
        "%(count)d question about the followers is open; the programme's office looks at it.",
        "%(count)d questions about the followers are open; the programme's office looks at them.",
        count,
    ) % {"count": count}


def not_judged() -> str:
    return _("Nothing is counted before the admission.")


# --- What stands around the rule --------------------------------------------------------------------------------------


def nominated() -> str:
    return _("Nominated, and not admitted yet.")


def ended() -> str:
    return _("The participation has ended.")


def support_over(last_day: date) -> str:
    return _("The support period ended on %(day)s.") % {"day": said(last_day)}


def no_account() -> str:
    return _("No account is entered.")


def consent_missing(account: str) -> str:
    return _("%(account)s cannot be read: there is no consent, or it has ended.") % {"account": account}


def account_gone(account: str) -> str:
    return _("%(account)s was not found on the platform.") % {"account": account}


def held_back(account: str, day: date) -> str:
    return _("The figure of %(day)s of %(account)s was odd and is held back until somebody has looked at it.") % {
        "account": account,
        "day": said(day),
    }


def near_miss(day: date) -> str:
    return _("The number was narrowly missed when the period ended on %(day)s; somebody looks at it.") % {
        "day": said(day)
    }


def badge_held(award: Award, on: date) -> str:
    words = _("The badge was awarded on %(day)s, with the number %(number)s.") % {
        "day": said(award.awarded_on),
        "number": award.number,
    }
    if award.expires_on is None:
        return words
    until = _("It was valid until %(day)s.") if award.expires_on < on else _("It is valid until %(day)s.")
    return f"{words} {until % {'day': said(award.expires_on)}}"


def award_withdrawn(award: Award) -> str:
    return _("The award %(number)s was withdrawn. The reason: %(reason)s") % {
        "number": award.number,
        "reason": award.withdrawal_reason,
    }


def candidacy(candidate: Candidate, change: str = "") -> str:
    """Where a candidacy stands. ``change`` says what took away what was met, of one that lapsed."""
    if candidate.state == CandidateState.REFUSED:
        return _("The badge was refused. The reason: %(reason)s") % {"reason": candidate.reason}
    if candidate.state == CandidateState.LAPSED:
        return f"{_('The rule was met, and is not met any more.')} {change}".rstrip()
    if candidate.state == CandidateState.HOLDING and candidate.crossed_on:
        return _("The number was reached on %(day)s and has to be held.") % {"day": said(candidate.crossed_on)}
    return {
        CandidateState.HOLDING: _("The number was reached and has to be held."),
        CandidateState.PENDING: _("The rule is met. The programme's office is reviewing it."),
        CandidateState.ASKED: _("The rule is met. The programme's office has a question, which the county answers."),
        CandidateState.PROPOSED: _("The rule is met and the badge is proposed. A second person decides."),
        CandidateState.APPROVED: _("The badge was approved."),
    }[CandidateState(candidate.state)]


# --- What took away what was met --------------------------------------------------------------------------------------


def reading_corrected(day: date, before: int, after: int) -> str:
    return _("The figure of %(day)s was corrected from %(before)s to %(after)s.") % {
        "day": said(day),
        "before": f"{before:,}",
        "after": f"{after:,}",
    }


def period_changed(day: date, starts_on: date | None, ends_on: date | None) -> str:
    if starts_on is None or ends_on is None:
        return graduation_gone()
    return _("The number was reached on %(day)s; the period is now from %(starts)s to %(ends)s.") % {
        "day": said(day),
        "starts": said(starts_on),
        "ends": said(ends_on),
    }


def graduation_gone() -> str:
    return _("The graduation was taken back.")


def account_moved() -> str:
    return _("The account with the number belongs to somebody else now.")


def something_changed() -> str:
    return _("Corrected figures or a changed period no longer meet the rule.")


# --- What to do next --------------------------------------------------------------------------------------------------


def step(code: str, **told: Any) -> str:
    """The one thing to do now."""
    sentences = {
        "held": _("Nothing is to be done: the badge is held."),
        "ended": _("Ask the county's office about taking part again."),
        "refused": _("Speak to the county's office about the reason."),
        "withdrawn": _("Speak to the county's office about the reason."),
        "wait_for_review": _("Wait for the decision, and keep publishing meanwhile."),
        "wait_for_county": _("The county's office answers the question; then it is decided."),
        "wait_for_admission": _("Wait for the admission; the county's office tells it."),
        "wait_for_evaluation": _(
            "All is met. The next nightly evaluation finds it, then the programme's office decides."
        ),
        "attend_classes": _("Come to the classes."),
        "wait_for_graduation": _("Enough was attended: wait until the teacher confirms the graduation."),
        "tell_account": _("Tell the county's office the number of the account on Kuaishou or Douyin."),
        "connect_account": _("Connect the account, so that its followers can be read."),
        "consent_again": _("Renew the consent, so that the followers can be read."),
        "account_gone": _("See with the county's office whether the number of the account is right."),
        "wait_for_reading": _("The followers are read in the coming nights; look again then."),
        "wait_for_figure": _("Wait until the figure that is held back has been looked at."),
        "wait_for_answer": _("Wait until the question about the followers is answered."),
        "hold": _("Keep the number until %(until)s; publish on."),
        "grow": _("Publish on: %(missing)s followers are missing."),
        "grow_until": _("Publish on: %(missing)s followers are missing, and %(last_day)s is the last day that counts."),
        "reach_again": _("Reach the number again and hold it."),
        "publish_works": _("Publish on, and tell the county's office the addresses of the works."),
        "near_miss": _("Wait until somebody has looked at the narrow miss."),
        "support_over": _("The days that count are over. Ask the county's office about the next cohort."),
    }
    return sentences[code] % told
