"""How much to commit, from a file of past demand: read it, ask the planner, judge the advice on the last periods.

Two questions that look alike have different answers, so which one is asked must be said: where the discount covers all
usage the advice is a level; where it ends at the commitment the advice is a fractile of demand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from offtake.operations.plan_extra import need_plan_extra
from offtake.planner.commitment.fractile import Deal
from offtake.planner.commitment.offer import NO_COMMITMENT, Applies, Level
from offtake.planner.commitment.prepay import Prepayment, discount_of_bonus, prepayment
from offtake.planner.demand.series import ROWS_PER_YEAR, Series, pooled, read_series
from offtake.store.sources import found_files, head_of, text_source
from offtake.values.errors import InputError
from offtake.values.money import divide

if TYPE_CHECKING:
    from offtake.planner.commitment.levels import LevelBacktest, LevelChoice
    from offtake.planner.commitment.pooling import Pooling
    from offtake.planner.commitment.sizing import Sizing
    from offtake.planner.demand.events import Event

JUDGED_WINDOWS_MAX = 5_000  # each is rated under every level


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is offered and what is known. Either `levels`, or `discount` (with `overage_discount` beyond).

    `window` is for how many rows of the demand a commitment is: by default one row for a discount; for a level a year
    where the periods have dates, else what is assumed with a note. `judge` rows at the end are kept to judge the advice
    by (half of all). `unit` is the size of what is sold; `reserved` (a unit's price, and what it serves on demand) says
    the discount. `cost_of_capital` (a year) goes with `prepay`, or with `top_up_bonus` on what is paid ahead.
    """

    demand: Path
    applies: Applies
    columns: tuple[str, ...] = ()
    levels: tuple[Level, ...] = ()
    discount: Decimal | None = None
    overage_discount: Decimal | None = None
    window: int | None = None
    judge: int | None = None
    reserved: tuple[Decimal, Decimal] | None = None
    unit: Decimal | None = None
    events: Path | None = None
    seed: int = 0
    prepay: Decimal | None = None
    top_up_bonus: Decimal | None = None
    cost_of_capital: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """The demand that was read, and what to do: `sizing` for a discount, `levels` with their back-test for levels."""

    question: Question
    series: Series
    window: int
    sizing: Sizing | None = None
    pooling: Pooling | None = None
    levels: LevelChoice | None = None
    backtest: LevelBacktest | None = None
    prepayment: Prepayment | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def level(self) -> Level:
        """The level to sign: the one of least expected cost, or none where the same choice would have lost money."""
        if not self.levels or not self.backtest or self.backtest.lost_money:
            return NO_COMMITMENT
        return self.levels.chosen.level


def advise(question: Question) -> Advice:
    """The advice. InputError for what cannot be read, does not rise or does not go together."""
    need_plan_extra("numpy")
    question = _with_discount(question)
    _check(question)
    (path,) = found_files([question.demand])
    head_of(path)
    apart = read_series(text_source(path), question.columns)
    series = pooled(apart)
    found = _levels(question, series) if question.levels else _discount(question, series, apart)
    if question.cost_of_capital is None:
        return found
    bonus = question.top_up_bonus
    ahead = discount_of_bonus(bonus) if bonus is not None else question.prepay or Decimal(0)
    return replace(found, prepayment=prepayment(ahead, question.cost_of_capital))


def _discount(question: Question, series: Series, apart: Sequence[Series]) -> Advice:
    from offtake.planner.commitment.pooling import pooling
    from offtake.planner.commitment.sizing import size
    from offtake.planner.demand.growth import OWN_POINTS_MIN

    assert question.discount is not None
    beyond = question.discount if question.applies == "all" else question.overage_discount or Decimal(0)
    deal = Deal(question.discount, beyond)
    window = question.window or 1
    windows = len(series.windows(window))
    notes = [] if deal.fractile else ["the discount holds without a commitment, so a larger one buys nothing"]
    if windows < OWN_POINTS_MIN:
        notes.append(f"{windows} periods are few to take a fractile of; see what the rule for a moving level says")
    return Advice(
        question=question,
        series=series,
        window=window,
        sizing=size(series, deal, window=window, judge=question.judge, unit=question.unit),
        pooling=pooling(apart, deal, window) if len(apart) > 1 else None,
        notes=tuple(notes),
    )


def _levels(question: Question, series: Series) -> Advice:
    import numpy as np

    from offtake.planner.commitment.futures import futures
    from offtake.planner.commitment.levels import choose, judge
    from offtake.planner.demand.backtest import holdout

    series, window, assumed = _as_read(question, series)
    events = _events(question.events)

    def choice(history: Series, known: tuple[Event, ...]) -> LevelChoice:
        generator = np.random.default_rng(question.seed)
        return choose(question.levels, question.applies, futures(history, window, generator, known))

    split = holdout(series, question.judge or _judged_rows(len(series.quantities), window))
    rows = len(split.judged.quantities)
    whole = rows >= window
    judged = split.judged.windows(window if whole else rows)
    part = Decimal(1) if whole else divide(Decimal(rows), window)
    fitted = choice(split.fitted, ()).chosen.level
    tested = judge(
        fitted, question.levels, question.applies, judged, part, len(split.fitted.quantities), rows
    )  # fmt: skip
    return Advice(
        question=question, series=series, window=window, levels=choice(series, events), backtest=tested,
        notes=assumed,
    )  # fmt: skip


def _judged_rows(rows: int, window: int) -> int:
    """Half of the rows; where that holds whole windows, only those, and at most so many."""
    half = rows // 2
    return min(half // window, JUDGED_WINDOWS_MAX) * window if half >= window else half


def _as_read(question: Question, series: Series) -> tuple[Series, int, tuple[str, ...]]:
    """The series, for how many of its rows a level is, and what was assumed to say so.

    A level's amount is for a year. Rows without dates are whole windows where any of them reaches a level, else months.
    """
    if question.window or series.grain:
        return series, question.window or ROWS_PER_YEAR[series.grain or "year"], ()
    largest = max(series.quantities)
    assumed = "the periods have no dates: rows are taken for {}, and a level's amount for {}; --window ROWS settles it"
    if any((1 - level.discount) * largest >= level.commitment for level in question.levels):
        return series, 1, (assumed.format("whole windows, as one of them reaches a level", "one row"),)
    return replace(series, grain="month"), ROWS_PER_YEAR["month"], (assumed.format("months", "a year"),)


def _events(path: Path | None) -> tuple[Event, ...]:
    if path is None:
        return ()
    from offtake.planner.commitment.futures import WORKLOAD
    from offtake.planner.demand.events_file import read_events

    (found,) = found_files([path])
    return read_events("".join(text_source(found).lines), str(found), (WORKLOAD,))


def _with_discount(question: Question) -> Question:
    """Reserved capacity as the discount that it is, on the committed part."""
    if question.reserved is None:
        return question
    if question.applies == "all" or question.discount is not None or question.levels:
        raise InputError(
            "P647", "--reserved has no effect here", why="it is itself the discount, on the committed part only",
            hint="--discount-applies committed --reserved PRICE/PRICE, without --discount and --level",
        )  # fmt: skip
    return replace(question, discount=Deal.reserved(*question.reserved).discount)


def _check(question: Question) -> None:
    if bool(question.levels) == (question.discount is not None):
        raise InputError(
            "P646", "what is offered? levels, or one discount, and not both",
            hint="--level 10%@600k --level 20%@1.2M, or --discount 20%",
        )  # fmt: skip
    for low, high in pairwise(question.levels):
        dearer = high.discount < low.discount if question.applies == "committed" else high.discount <= low.discount
        if high.commitment <= low.commitment or dearer:
            raise InputError(
                "P646", f"the level {_said(high)} does not rise above {_said(low)}",
                why="a larger commitment unlocks a larger discount; otherwise nobody would choose it",
                hint="give the levels in rising order, each with more discount",
            )  # fmt: skip
    given = (question.discount, question.overage_discount, question.prepay, question.top_up_bonus)
    shares = [level.discount for level in question.levels] + [each for each in given if each is not None]
    if question.cost_of_capital is not None and question.cost_of_capital < 0:
        raise InputError("P646", "the cost of capital lies at or above 0%", hint="--cost-of-capital 10%")
    if any(not 0 <= each < 1 for each in shares):
        raise InputError(
            "P646",
            "a discount lies at or above 0% and below 100%",
            why="at 100% nothing is paid, and nothing to decide",
        )
    _check_company(question)


def _check_company(question: Question) -> None:
    """Refuse what would have no effect."""
    ahead = [each for each in (question.prepay, question.top_up_bonus) if each is not None]
    idle = {
        "--overage-discount": question.overage_discount is not None and (question.levels or question.applies == "all"),
        "--unit": question.unit is not None and question.levels,
        "--events": question.events is not None and not question.levels,
        "--cost-of-capital": question.cost_of_capital is not None and not ahead,
        "--prepay": question.prepay is not None and (question.cost_of_capital is None or len(ahead) > 1),
        "--top-up-bonus": question.top_up_bonus is not None and question.cost_of_capital is None,
    }
    why = {
        "--overage-discount": "it is a share off what lies beyond --discount on the committed part only",
        "--unit": "it goes with --discount: a level's commitment is given",
        "--events": "events change paths of a year ahead, which levels are weighed on",
        "--cost-of-capital": "it is what --prepay or --top-up-bonus is weighed against",
        "--prepay": "a discount for paying ahead is weighed against --cost-of-capital, and without a bonus",
        "--top-up-bonus": "a bonus is weighed against --cost-of-capital",
    }
    for option, without_effect in idle.items():
        if without_effect:
            raise InputError("P647", f"{option} has no effect here", why=why[option], hint=f"leave out {option}")


def _said(level: Level) -> str:
    return f"{level.discount.scaleb(2).normalize():f}%@{level.commitment:f}"
