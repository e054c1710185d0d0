"""Why not? Every condition of a rule with what there is and what is missing, what stands around it, and what to do.

``explain`` is for one participation, ``explain_all`` for several and several rules: the number of queries depends on
the rules, not on people, accounts or readings. Whether a condition is met is what ``Judging`` says; amounts are queries
of their own (``amounts``), and sentences are made in ``wording`` and nowhere else.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q

from courses.choices import CLASS_HOUR_MINUTES
from courses.queries import TrainingStanding, training_standings
from courses.queries import class_hours as hours_of
from courses.queries import missing_hours as hours_missing
from incubator.certification import wording
from incubator.certification.amounts import Amounts, Best, Run, amounts_of
from incubator.certification.choices import IN_REVIEW, OPEN, CandidateState, ConditionKind, Window
from incubator.certification.conditions import Followers, Tree, followers_of, leaves, sentence
from incubator.certification.models import Award, Candidate, Flag, NearMiss, Rule, Work
from incubator.metrics.choices import AccountState
from incubator.metrics.models import Correction, CreatorAccount, QuarantinedReading
from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Participation

Amount = int | Decimal
FOLLOWERS, DAYS, HOURS, WORKS, QUESTIONS, STEPS = "followers", "days", "class hours", "works", "questions", "steps"
NEVER = 1e9  # distance of what cannot be met any more


# --- What is told -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reason:
    """One condition of the rule: is it met, how much there is, is needed and is missing (0 exactly when it is met).

    ``have`` is None where nothing is known: unknown is never 0. ``unit`` is that of the three amounts: followers until
    the number was reached, then days of holding it. ``day`` and ``account`` are of the best reading in the days that
    count, or of the run of readings that holds the number, ``held_days`` and ``days_to_go`` its days.
    """

    code: str
    is_met: bool
    have: Amount | None
    need: Amount
    missing: Amount
    unit: str
    asks: str
    says: str
    day: date | None = None
    account: str = ""
    held_days: int | None = None
    days_to_go: int | None = None
    until: date | None = None
    last_day: date | None = None
    is_over: bool = False
    details: tuple[str, ...] = ()

    @property
    def distance(self) -> float:
        """How far from being met, as a share of what is needed: amounts of different units compared."""
        if self.is_met:
            return 0
        return NEVER if self.is_over else float(self.missing) / float(self.need or self.missing)

    def __str__(self) -> str:
        return f"{self.asks}: {self.says}"


@dataclass(frozen=True, slots=True)
class Circumstance:
    """Something around the rule that one has to know: a code, and the sentence for a person."""

    code: str
    sentence: str

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True, slots=True)
class Line:
    """The rule as it reads: a condition with its reason, or “all of these” and “at least one of these”.

    ``is_nearest`` marks what is missing on the shortest way through the alternatives.
    """

    depth: int
    words: str
    is_met: bool
    is_nearest: bool
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a participation meets a rule or not. ``as_of`` is the day of the newest figure, None before the first."""

    participation: Participation
    rule: Rule
    on: date
    is_met: bool
    reasons: tuple[Reason, ...]
    lines: tuple[Line, ...]
    circumstances: tuple[Circumstance, ...]
    next_step: Circumstance
    as_of: date | None

    @property
    def missing(self) -> list[Reason]:
        return [reason for reason in self.reasons if not reason.is_met]

    def spoken(self) -> list[str]:
        """All of it in sentences to read aloud, in the order in which one tells it."""
        told = [circumstance.sentence for circumstance in self.circumstances]
        told += [f"{line.words}: {line.reason.says}" if line.reason else line.words for line in self.lines]
        told += [words for reason in self.reasons for words in reason.details]
        return [*told, self.next_step.sentence]


# --- The tree with its reasons ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Node:
    """A part of the rule with the reasons of its conditions."""

    tree: Tree
    reason: Reason | None = None
    parts: list["Node"] = field(default_factory=list)

    @classmethod
    def of(cls, tree: Tree, reasons: Iterator[Reason]) -> "Node":
        if "kind" in tree:
            return cls(tree, next(reasons))
        return cls(tree, parts=[cls.of(part, reasons) for part in tree.get("all", tree.get("any", []))])

    @property
    def is_any(self) -> bool:
        return "any" in self.tree

    @property
    def is_met(self) -> bool:
        """Of a part by its conditions; whether these are met was decided by the database."""
        if self.reason is not None:
            return self.reason.is_met
        return (any if self.is_any else all)(part.is_met for part in self.parts)

    @property
    def distance(self) -> float:
        if self.reason is not None:
            return self.reason.distance
        far = [part.distance for part in self.parts]
        return min(far) if self.is_any else sum(far)

    def nearest(self) -> list["Node"]:
        """The conditions that are missing on the shortest way to meet it, from left to right."""
        if self.is_met:
            return []
        if self.reason is not None:
            return [self]
        ways = [min(self.parts, key=lambda part: part.distance)] if self.is_any else self.parts
        return [node for part in ways for node in part.nearest()]

    def lines(self, nearest: list["Node"], depth: int = 0) -> Iterator[Line]:
        if self.reason is not None:
            is_near = any(self is node for node in nearest)
            yield Line(depth, self.reason.asks, self.is_met, is_near, self.reason)
            return
        words = wording.any_of() if self.is_any else wording.all_of()
        below = [line for part in self.parts for line in part.lines(nearest, depth + 1)]
        yield Line(depth, words, self.is_met, any(line.is_nearest for line in below))
        yield from below


# --- What is known ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Known:
    """Everything about some participations that no rule changes."""

    accounts: dict[int, list[CreatorAccount]] = field(default_factory=dict)  # by trainee, the most followed first
    held_back: dict[int, QuarantinedReading] = field(default_factory=dict)  # by trainee, the newest
    flags: dict[int, int] = field(default_factory=dict)  # by trainee
    works: dict[int, list[date]] = field(default_factory=dict)  # by trainee
    trainings: dict[int, TrainingStanding] = field(default_factory=dict)  # by participation
    candidates: list[Candidate] = field(default_factory=list)
    awards: list[Award] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)  # of what candidates rested on
    misses: list[NearMiss] = field(default_factory=list)

    @classmethod
    def of(cls, participations: Sequence[Participation], on: date) -> "Known":
        people, ids = {p.trainee_id for p in participations}, [p.pk for p in participations]
        known = cls(trainings=training_standings(participations))
        accounts = CreatorAccount.objects.filter(trainee__in=people).select_related("latest").order_by("pk")
        for account in sorted(accounts, key=lambda account: -_latest(account)):
            known.accounts.setdefault(account.trainee_id, []).append(account)
        held = QuarantinedReading.objects.open().filter(account__trainee__in=people, day__lte=on)
        for row in held.select_related("account").order_by("day"):
            known.held_back[row.account.trainee_id] = row
        flags = Flag.objects.open().filter(account__trainee__in=people, day__lte=on)
        for pk in flags.values_list("account__trainee", flat=True):
            known.flags[pk] = known.flags.get(pk, 0) + 1
        works = Work.objects.counted().filter(trainee__in=people, published_on__lte=on)
        for pk, day in works.values_list("trainee", "published_on"):
            known.works.setdefault(pk, []).append(day)
        known.candidates = list(Candidate.objects.filter(participation__in=ids).select_related("rule").order_by("pk"))
        known.awards = list(Award.objects.filter(trainee__in=people).order_by("pk"))
        known.misses = list(NearMiss.objects.open().filter(participation__in=ids))
        known.corrections = _corrections(known.candidates)
        return known

    def account_name(self, participation: Participation, pk: int) -> str:
        accounts = self.accounts.get(participation.trainee_id, [])
        return next((str(account) for account in accounts if account.pk == pk), "")


def _latest(account: CreatorAccount) -> int:
    latest = getattr(account, "latest", None)
    return latest.followers if latest else -1


def _corrections(candidates: Iterable[Candidate]) -> list[Correction]:
    q = Q(pk__in=[])
    for candidate in candidates:
        if candidate.state == CandidateState.LAPSED and candidate.account_id:
            q |= Q(account=candidate.account_id, day=candidate.crossed_on)
    return list(Correction.objects.filter(q).order_by("new_fetched_at"))


# --- Explaining -------------------------------------------------------------------------------------------------------


def explain(participation: Participation, rule: Rule, on: date) -> Explanation:
    """Why a participation meets a rule on a day, or does not."""
    return explain_all([participation], [rule], on=on)[0]


def explain_all(participations: Sequence[Participation], rules: Sequence[Rule], *, on: date) -> list[Explanation]:
    """The same of each participation by each rule, in this order."""
    if not participations or not rules:
        return []
    known = Known.of(participations, on)
    ids = [participation.pk for participation in participations]
    amounts = [amounts_of(rule.conditions, ids, on=on) for rule in rules]
    return [
        _Explaining(participation, rule, on, known, amount).explanation()
        for participation in participations
        for rule, amount in zip(rules, amounts, strict=True)
    ]


@dataclass(slots=True)
class _Explaining:
    """One participation and one rule."""

    participation: Participation
    rule: Rule
    on: date
    known: Known
    amounts: Amounts

    def explanation(self) -> Explanation:
        reasons = tuple(self._reasons())
        root = Node.of(self.rule.conditions, iter(reasons))
        nearest = root.nearest()
        return Explanation(
            participation=self.participation,
            rule=self.rule,
            on=self.on,
            is_met=self._is_met,
            reasons=reasons,
            lines=tuple(root.lines(nearest)),
            circumstances=tuple(Circumstance(code, words) for code, words in self._circumstances(nearest)),
            next_step=self._next_step([node.reason for node in nearest if node.reason]),
            as_of=max((a.latest.day for a in self._accounts if hasattr(a, "latest")), default=None),
        )

    # --- Conditions ---

    @property
    def _flags(self) -> tuple[bool, Sequence[bool]] | None:
        """The rule and its conditions as the database judges them; None of somebody who is not judged."""
        return self.amounts.flags.get(self.participation.pk)

    @property
    def _is_met(self) -> bool:
        return self._flags is not None and self._flags[0]

    def _reasons(self) -> Iterator[Reason]:
        for place, leaf in enumerate(leaves(self.rule.conditions)):
            yield self._reason(leaf, self._flags is not None and self._flags[1][place])

    def _reason(self, leaf: Tree, is_met: bool) -> Reason:
        kind = leaf["kind"]
        if self._flags is None:
            return self._not_judged(leaf)
        if kind == ConditionKind.FOLLOWERS:
            return self._followers(followers_of(leaf), is_met, sentence(leaf))
        if kind == ConditionKind.CLASS_HOURS:
            return self._hours(Decimal(leaf["number"]), is_met, sentence(leaf))
        if kind == ConditionKind.PUBLISHED:
            return self._published(leaf["number"], is_met, sentence(leaf))
        if kind == ConditionKind.NO_OPEN_FLAG:
            count = self.known.flags.get(self.participation.trainee_id, 0)
            return Reason(kind, is_met, count, 0, count, QUESTIONS, sentence(leaf), wording.open_flags(count))
        return self._graduated(is_met, sentence(leaf))

    def _not_judged(self, leaf: Tree) -> Reason:
        need: Amount = 1
        if leaf["kind"] == ConditionKind.FOLLOWERS:
            need = followers_of(leaf).least
        elif "number" in leaf:
            need = Decimal(leaf["number"])
        units = {ConditionKind.FOLLOWERS: FOLLOWERS, ConditionKind.CLASS_HOURS: HOURS, ConditionKind.PUBLISHED: WORKS}
        unit = units.get(leaf["kind"], STEPS)
        return Reason(leaf["kind"], False, None, need, need, unit, sentence(leaf), wording.not_judged())

    def _graduated(self, is_met: bool, asks: str) -> Reason:
        day = self.participation.graduated_on
        says = wording.graduated(day) if is_met else wording.not_graduated()
        training = self.known.trainings.get(self.participation.pk)
        details = tuple(training.missing()) if training and not is_met else ()
        have = int(is_met)
        return Reason("graduated", is_met, have, 1, 1 - have, STEPS, asks, says, day=day, details=details)

    def _hours(self, need: Decimal, is_met: bool, asks: str) -> Reason:
        training = self.known.trainings.get(self.participation.pk)
        minutes = training.counted_minutes if training else Decimal()
        have, missing = hours_of(minutes), hours_missing(max(Decimal(), need * CLASS_HOUR_MINUTES - minutes))
        return Reason("class_hours", is_met, have, need, missing, HOURS, asks, wording.class_hours(have, missing))

    def _published(self, need: int, is_met: bool, asks: str) -> Reason:
        first, last = self.participation.cohort.starts_on, self.participation.support_ends_on
        days = self.known.works.get(self.participation.trainee_id, [])
        have = sum(first <= day and (last is None or day <= last) for day in days)
        missing = max(0, need - have)
        says = wording.published(have, missing, last, self.on)
        is_over = last is not None and last < self.on
        return Reason("published", is_met, have, need, missing, WORKS, asks, says, last_day=last, is_over=is_over)

    def _followers(self, asked: Followers, is_met: bool, asks: str) -> Reason:
        pk = self.participation.pk
        best, run = self.amounts.best.get((pk, asked.when)), _telling(self.amounts.runs.get((pk, asked), []), asked)
        told: dict[str, Any] = {"code": "followers", "is_met": is_met, "asks": asks}
        told |= {"last_day": self._last_day(asked.when)}
        told["is_over"] = not is_met and told["last_day"] is not None and told["last_day"] < self.on
        if best is None:
            says = wording.followers_unknown(asked, self._has_window(asked.when))
            return Reason(have=None, need=asked.least, missing=asked.least, unit=FOLLOWERS, says=says, **told)
        if run is not None:
            return self._run(asked, run, told)
        return self._best(asked, best, told)

    def _best(self, asked: Followers, best: Best, told: dict[str, Any]) -> Reason:
        name, missing = self._name(best.account_id), max(0, asked.least - best.followers)
        says = wording.followers_met(best, name)
        if missing:
            says = wording.followers_missing(best, name, missing, told["last_day"], self.on)
        told |= {"day": best.day, "account": name}
        return Reason(have=best.followers, need=asked.least, missing=missing, unit=FOLLOWERS, says=says, **told)

    def _run(self, asked: Followers, run: Run, told: dict[str, Any]) -> Reason:
        name, need = self._name(run.account_id), asked.held_days
        is_held = run.held >= need
        have = run.held if run.is_alive or is_held else 0
        missing = max(0, need - have)
        until = run.began_on + timedelta(days=need - 1)
        says = wording.followers_held(run, name)
        if missing:
            says = wording.days_missing(run, name, missing, told["last_day"], self.on, until)
        if run.is_alive:  # holding goes on after the period
            told |= {"is_over": False, "until": until}
        told |= {"day": run.began_on, "account": name, "held_days": run.held, "days_to_go": missing}
        return Reason(have=have, need=need, missing=missing, unit=DAYS, says=says, **told)

    def _name(self, account_id: int) -> str:
        return self.known.account_name(self.participation, account_id)

    def _last_day(self, when: str) -> date | None:
        ends = {Window.SUPPORT: self.participation.support_ends_on, Window.COHORT: self.participation.cohort.ends_on}
        return ends.get(Window(when))

    def _has_window(self, when: str) -> bool:
        return when != Window.SUPPORT or self.participation.support_starts_on is not None

    # --- Around the rule ---

    @property
    def _accounts(self) -> list[CreatorAccount]:
        return self.known.accounts.get(self.participation.trainee_id, [])

    @property
    def _candidate(self) -> Candidate | None:
        """Of this version; else one of an older version of the same badge that is still open."""
        mine = [c for c in self.known.candidates if c.participation_id == self.participation.pk]
        own = [c for c in mine if c.rule_id == self.rule.pk]
        older = [c for c in mine if c.rule.badge_id == self.rule.badge_id and c.state in OPEN]
        return next(iter(own or older[::-1]), None)

    def _award(self, *, is_live: bool) -> Award | None:
        mine = [
            award
            for award in self.known.awards
            if award.badge_id == self.rule.badge_id
            and award.trainee_id == self.participation.trainee_id
            and (award.withdrawn_at is None) == is_live
        ]
        return mine[-1] if mine else None

    @property
    def _miss(self) -> NearMiss | None:
        mine = [m for m in self.known.misses if m.participation_id == self.participation.pk]
        return next((miss for miss in mine if miss.rule_id == self.rule.pk), None)

    def _circumstances(self, nearest: list[Node]) -> Iterator[tuple[str, str]]:
        """What is to be known beside the conditions, the most decisive first."""
        held, gone, candidate = self._award(is_live=True), self._award(is_live=False), self._candidate
        if held is not None:
            yield "held", wording.badge_held(held, self.on)
        elif gone is not None:
            yield "withdrawn", wording.award_withdrawn(gone)
        if candidate is not None and candidate.state != CandidateState.APPROVED and held is None:
            yield candidate.state, wording.candidacy(candidate, self._change(candidate))
        yield from self._of_state()
        if self._flags is not None and held is None:
            yield from self._of_followers([node.reason for node in nearest if node.reason])

    def _of_state(self) -> Iterator[tuple[str, str]]:
        state, last = self.participation.state, self.participation.support_ends_on
        if state == ParticipationState.NOMINATED:
            yield "not_admitted", wording.nominated()
        elif state in (ParticipationState.WITHDRAWN, ParticipationState.REFUSED):
            yield "ended", wording.ended()
        elif last is not None and last < self.on:
            yield "support_over", wording.support_over(last)

    def _of_followers(self, missing: list[Reason]) -> Iterator[tuple[str, str]]:
        """What keeps figures from coming, as far as followers are missing."""
        if any(reason.code == "followers" for reason in missing):
            if not self._accounts:
                yield "no_account", wording.no_account()
            for account in self._accounts:
                if account.state == AccountState.GONE:
                    yield "account_gone", wording.account_gone(str(account))
                elif account.state != AccountState.LINKED:
                    yield "consent_missing", wording.consent_missing(str(account))
            held = self.known.held_back.get(self.participation.trainee_id)
            if held is not None:
                yield "held_back", wording.held_back(str(held.account), held.day)
            if self._miss is not None:
                yield "near_miss", wording.near_miss(self._miss.ended_on)
        flags = self.known.flags.get(self.participation.trainee_id, 0)
        if flags and not any(leaf["kind"] == ConditionKind.NO_OPEN_FLAG for leaf in leaves(self.rule.conditions)):
            yield "flag", wording.open_flags(flags)

    def _change(self, candidate: Candidate) -> str:
        """What took away what a candidate had met, as far as it can be told."""
        if candidate.state != CandidateState.LAPSED:
            return ""
        if not self.participation.is_graduated:
            return wording.graduation_gone()
        if candidate.account_id is None or candidate.crossed_on is None:
            return wording.something_changed()
        if all(account.pk != candidate.account_id for account in self._accounts):
            return wording.account_moved()
        about = (candidate.account_id, candidate.crossed_on)
        corrected = [c for c in self.known.corrections if (c.account_id, c.day) == about]
        if corrected:
            return wording.reading_corrected(
                candidate.crossed_on, corrected[0].old_followers, corrected[-1].new_followers
            )
        first, last = self.participation.support_starts_on, self.participation.support_ends_on
        if first is None or last is None or not first <= candidate.crossed_on <= last:
            return wording.period_changed(candidate.crossed_on, first, last)
        return wording.something_changed()

    # --- What to do ---

    def _next_step(self, missing: list[Reason]) -> Circumstance:
        code, told = next(self._steps(missing))
        return Circumstance(code, wording.step(code, **told))

    def _steps(self, missing: list[Reason]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Steps, the first of which counts."""
        state, candidate = self.participation.state, self._candidate
        if self._award(is_live=True) is not None:
            yield "held", {}
        if state in (ParticipationState.WITHDRAWN, ParticipationState.REFUSED):
            yield "ended", {}
        if self._award(is_live=False) is not None and (candidate is None or candidate.state not in OPEN):
            yield "withdrawn", {}
        if candidate is not None and candidate.state == CandidateState.REFUSED:
            yield "refused", {}
        if candidate is not None and candidate.state in IN_REVIEW:
            yield "wait_for_county" if candidate.state == CandidateState.ASKED else "wait_for_review", {}
        if state == ParticipationState.NOMINATED:
            yield "wait_for_admission", {}
        if self._is_met:
            yield "wait_for_evaluation", {}
        if self._miss is not None:
            yield "near_miss", {}
        for reason in missing:
            if reason.is_over:
                yield "support_over", {}
        # What takes the longest and is in one's own hands comes first; waiting comes last.
        for code in ("graduated", "class_hours", "followers", "published", "no_open_flag"):
            for reason in missing:
                if reason.code == code:
                    yield self._step(reason)

    def _step(self, reason: Reason) -> tuple[str, dict[str, Any]]:
        if reason.code == "graduated":
            training = self.known.trainings.get(self.participation.pk)
            return "wait_for_graduation" if training and training.is_enough else "attend_classes", {}
        if reason.code == "followers":
            return self._followers_step(reason)
        return {
            "class_hours": "attend_classes",
            "published": "publish_works",
            "no_open_flag": "wait_for_answer",
        }[reason.code], {}

    def _followers_step(self, reason: Reason) -> tuple[str, dict[str, Any]]:
        account = next(iter(self._accounts), None)
        if account is None:
            return "tell_account", {}
        if account.state != AccountState.LINKED:
            return {
                AccountState.NEEDS_CONSENT.value: "consent_again",
                AccountState.GONE.value: "account_gone",
            }.get(account.state, "connect_account"), {}
        if self.participation.trainee_id in self.known.held_back:
            return "wait_for_figure", {}
        if reason.have is None:
            return "wait_for_reading", {}
        if reason.unit == DAYS:
            return ("hold", {"until": wording.said(reason.until)}) if reason.until else ("reach_again", {})
        told = {"missing": f"{reason.missing:,}"}
        if reason.last_day is None:
            return "grow", told
        return "grow_until", told | {"last_day": wording.said(reason.last_day)}


def _telling(runs: list[Run], asked: Followers) -> Run | None:
    """The run that tells how far holding the number is: one held long enough, else the longest that lives, else any."""
    if asked.held_days == 1 or not runs:
        return None
    return max(runs, key=lambda run: (run.held >= asked.held_days, run.is_alive, run.held, -run.account_id))
