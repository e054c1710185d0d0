"""How far a trainee is, what is missing, and what to do next: the portal's home in a constant number of queries."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from courses.queries import TrainingStanding, training_standings
from incubator.certification import wording
from incubator.certification.choices import CandidateState
from incubator.certification.models import Award, Candidate, Rule
from incubator.certification.services import current_rules
from incubator.grants.choices import GrantState
from incubator.grants.models import Grant
from incubator.metrics.choices import AccountState
from incubator.metrics.models import CreatorAccount
from incubator.metrics.queries import history
from incubator.portal.support import SupportNow, support_now
from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Participation
from trainees.models import Trainee

CHART_DAYS = 90


class NextStep(StrEnum):
    """What the trainee should do now; each has its sentence in the template of the same name."""

    NOT_TAKING_PART = "not_taking_part"
    WAIT_FOR_ADMISSION = "wait_for_admission"
    ATTEND_CLASSES = "attend_classes"
    WAIT_FOR_GRADUATION = "wait_for_graduation"
    TELL_ACCOUNT = "tell_account"
    CONNECT_ACCOUNT = "connect_account"
    CONSENT_AGAIN = "consent_again"
    WAIT_FOR_READING = "wait_for_reading"
    GROW = "grow"
    HOLD = "hold"
    WAIT_FOR_REVIEW = "wait_for_review"
    ASKED = "asked"
    LAPSED = "lapsed"
    REFUSED = "refused"
    SHOW_CERTIFICATE = "show_certificate"
    SUPPORT_OVER = "support_over"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything the page shows. ``followers`` is None while nothing has been read: unknown is never 0."""

    trainee: Trainee
    participation: Participation | None
    others: list[Participation]
    support: SupportNow | None
    training: TrainingStanding | None
    account: CreatorAccount | None
    followers: int | None
    read_on: date | None
    points: list[tuple[date, int]]
    rule: Rule | None
    candidate: Candidate | None
    award: Award | None
    impressions: int
    on: date

    @property
    def goal(self) -> int:
        """The number that counts; one more where the rule asks for more than it."""
        return (self.rule and self.rule.least_followers) or 100_000

    @property
    def missing_followers(self) -> int | None:
        return None if self.followers is None else max(0, self.goal - self.followers)

    @property
    def days_left(self) -> int | None:
        return self.participation.support_days_left(self.on) if self.participation else None

    @property
    def needed_a_day(self) -> int | None:
        """Followers a day that reach the goal by the last day of support, rounded up."""
        if not self.missing_followers or not self.days_left:
            return None
        return -(-self.missing_followers // self.days_left)

    @property
    def percent(self) -> int:
        return min(100, (self.followers or 0) * 100 // self.goal)

    @property
    def reading_age(self) -> int | None:
        return (self.on - self.read_on).days if self.read_on else None

    @property
    def candidacy(self) -> str:
        """Where the candidacy stands, as staff and hotline read it; empty without one."""
        return wording.candidacy(self.candidate) if self.candidate else ""

    @property
    def next_step(self) -> NextStep:
        return next_step(self)


# Of a candidate the state says what to do; who lapsed is told why on the page of what is missing.
OF_CANDIDATES: dict[str, NextStep] = {
    CandidateState.HOLDING: NextStep.HOLD,
    CandidateState.PENDING: NextStep.WAIT_FOR_REVIEW,
    CandidateState.PROPOSED: NextStep.WAIT_FOR_REVIEW,
    CandidateState.ASKED: NextStep.ASKED,
    CandidateState.REFUSED: NextStep.REFUSED,
    CandidateState.LAPSED: NextStep.LAPSED,
}


def next_step(standing: Standing) -> NextStep:
    """The one thing to do now, the most decisive first."""
    if standing.award is not None:
        return NextStep.SHOW_CERTIFICATE
    if standing.participation is None:
        return NextStep.NOT_TAKING_PART
    state = standing.participation.state
    if state in (ParticipationState.WITHDRAWN, ParticipationState.REFUSED):
        return NextStep.ENDED
    if standing.candidate is not None and standing.candidate.state in OF_CANDIDATES:
        return OF_CANDIDATES[standing.candidate.state]
    if state == ParticipationState.NOMINATED:
        return NextStep.WAIT_FOR_ADMISSION
    if not standing.participation.is_graduated:
        is_enough = standing.training is not None and standing.training.is_enough
        return NextStep.WAIT_FOR_GRADUATION if is_enough else NextStep.ATTEND_CLASSES
    return _next_in_support(standing)


def _next_in_support(standing: Standing) -> NextStep:
    if standing.days_left == 0:
        return NextStep.SUPPORT_OVER
    if standing.account is None:
        return NextStep.TELL_ACCOUNT
    if standing.account.state == AccountState.NEEDS_CONSENT:
        return NextStep.CONSENT_AGAIN
    if standing.account.state != AccountState.LINKED:
        return NextStep.CONNECT_ACCOUNT
    if standing.followers is None:
        return NextStep.WAIT_FOR_READING
    if standing.missing_followers:
        return NextStep.GROW
    asked = standing.rule and standing.rule.asked
    return NextStep.HOLD if asked and asked.held_days > 1 else NextStep.WAIT_FOR_REVIEW


def standing_of(trainee: Trainee, *, on: date) -> Standing:
    """The standing of a trainee on a day. The newest participation counts; the account is the most followed one."""
    participations = list(
        Participation.objects.filter(trainee=trainee).select_related("cohort__programme", "trainee").order_by("-pk")
    )
    participation = participations[0] if participations else None
    account = (
        CreatorAccount.objects.filter(trainee=trainee)
        .select_related("latest", "authorisation")
        .order_by("-latest__followers", "pk")
        .first()
    )
    latest = getattr(account, "latest", None)
    since = on - timedelta(days=CHART_DAYS)
    rule = next(iter(current_rules()), None)
    return Standing(
        trainee=trainee,
        participation=participation,
        others=participations[1:],
        support=support_now(participation, on=on) if participation else None,
        training=training_standings([participation]).get(participation.pk) if participation else None,
        account=account,
        followers=latest.followers if latest else None,
        read_on=latest.day if latest else None,
        points=history([account.pk], since=since, until=on)[account.pk] if account else [],
        rule=rule,
        candidate=Candidate.objects.filter(participation=participation, rule=rule).first() if rule else None,
        award=Award.objects.live().filter(trainee=trainee).select_related("badge").first(),
        impressions=sum(
            Grant.objects.filter(participation__in=participations, state=GrantState.APPROVED).values_list(
                "impressions", flat=True
            )
        ),
        on=on,
    )
