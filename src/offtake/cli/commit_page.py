"""The advice of `offtake commit` for people: the answer first, then what it rests on."""

from __future__ import annotations

from decimal import Decimal

from offtake.cli import render
from offtake.operations.advise_commitment import Advice
from offtake.planner.commitment.offer import NO_COMMITMENT, Level
from offtake.values.counting import counted
from offtake.values.money import quantize

_RULES = {
    "fractile": "the fractile of past demand",
    "hedged": "the fractile, if the level moves as it does for others",
    "none": "no commitment",
}


def show(advice: Advice) -> None:
    """Print the page."""
    if advice.sizing:
        _show_sizing(advice)
    else:
        _show_levels(advice)
    if advice.prepayment:
        paid = advice.prepayment
        verdict = "pays" if paid.pays else "does not pay"
        most = counted(paid.months_max or 0, "month")
        lasts = f" It pays as long as it is used up within {most}." if paid.months_max else ""
        render.text(
            f"Paying a year ahead for {_exact(paid.discount)} {verdict}: even use over twelve months breaks even at "
            f"{_exact(paid.break_even)}.{lasts}"
        )


def _show_sizing(advice: Advice) -> None:
    sizing = advice.sizing
    assert sizing is not None
    period = _period(advice)
    tested, trial = sizing.backtest, sizing.backtest.trial(sizing.rule)
    if sizing.commitment:
        render.text(f"Commit {_plain(sizing.commitment)} {period}.", style="bold")
        on = sizing.on_history
        render.text(
            f"Over the whole history it would have covered {render.share(on.coverage)} of demand, been used to "
            f"{render.share(on.utilisation)}, and cost {on.relative_cost} of what no commitment costs."
        )
    else:
        render.text("Do not commit.", style="bold")
    render.text(
        f"Best fractile at {_exact(sizing.deal.discount)} off ({_exact(sizing.deal.overage_discount)} beyond the "
        f"commitment): F(q) = {quantize(sizing.deal.fractile, 4)}."
    )
    fractile = tested.trial("fractile")
    if fractile.lost_money:
        render.text(
            f"The fractile would have lost money on the last periods ({fractile.relative_cost}), so the advice is "
            f"{_RULES[sizing.rule]} ({trial.relative_cost})."
        )
    render.table(
        ("rule", "commitment", "relative cost", "of the saving", "of the best"),
        [
            (
                _RULES[each.rule], _plain(each.commitment), str(each.relative_cost),
                render.share(each.saving_captured), render.share(each.captured_of_best),
            )
            for each in tested.trials
        ],
        right=("commitment", "relative cost", "of the saving", "of the best"),
        title=f"Fitted on the first {tested.fitted_windows} periods, judged on the last {tested.judged_windows}",
    )  # fmt: skip
    render.text(
        f"No commitment is 1.0000; the best one with hindsight {tested.best_relative_cost}; "
        f"committing the average {tested.average_relative_cost}."
    )
    _show_curve(advice)


def _show_curve(advice: Advice) -> None:
    sizing = advice.sizing
    assert sizing is not None
    columns = ("fractile", "commitment", "coverage", "utilisation", "relative cost")
    rows = [
        (
            render.share(each.share), _plain(each.commitment), render.share(each.coverage),
            render.share(each.utilisation), str(each.relative_cost),
        )
        for each in sizing.curve
    ]  # fmt: skip
    render.table(columns, rows, right=columns, title="What each commitment would have done, over the whole history")
    if advice.pooling:
        pooled = advice.pooling
        render.text(
            f"One commitment for all columns costs {pooled.together}, one for each {pooled.apart}: pooling gains "
            f"{render.share(pooled.gain, 2)} of the uncommitted cost."
        )


def _show_levels(advice: Advice) -> None:
    choice, tested = advice.levels, advice.backtest
    assert choice is not None
    assert tested is not None
    chosen, none = choice.chosen, choice.levels[0]
    if advice.level != NO_COMMITMENT:
        render.text(f"Sign {_level(advice.level)}.", style="bold")
        saving = none.expected - chosen.expected
        render.text(
            f"Expected cost {render.money(chosen.expected)} {_period(advice)}, {render.money(saving)} less than "
            f"without a commitment; it falls short in {render.share(chosen.shortfall_share)} of the futures."
        )
    else:
        render.text("Do not commit.", style="bold")
        if chosen.level != NO_COMMITMENT:
            render.text(f"{_level(chosen.level)} has the least expected cost, but see the back-test.")
    columns = ("level", "fee", "expected", "10%", "50%", "90%", "falls short", "used")
    rows = [
        (
            _level(each.level), render.money(each.level.fee), render.money(each.expected), render.money(each.low),
            render.money(each.middle), render.money(each.high), render.share(each.shortfall_share),
            render.share(each.utilisation) if each.level.commitment else "",
        )
        for each in choice.levels
    ]  # fmt: skip
    render.table(columns, rows, right=columns[1:], title=f"Cost {_period(advice)}: {choice.futures.source}")
    verdict = "would have lost money" if tested.lost_money else "would not have lost money"
    render.text(
        f"Back-test: chosen on the first {counted(tested.fitted_rows, 'row')}, {_level(tested.level)} {verdict} on the "
        f"last {tested.judged_rows}: {render.money(tested.cost)} against {render.money(tested.uncommitted)} without a "
        f"commitment ({tested.relative_cost}); hindsight: {_level(tested.best)} ({tested.best_relative_cost})."
    )


def _level(level: Level) -> str:
    if level == NO_COMMITMENT:
        return "no commitment"
    return f"{_exact(level.discount)} for {render.money(level.commitment, places=0)}"


def _period(advice: Advice) -> str:
    grain, rows = advice.series.grain or "row", advice.window
    if rows == 1:
        return f"per {grain}"
    return (
        "per year" if advice.levels and advice.series.grain and not advice.question.window else f"per {rows} {grain}s"
    )


def _plain(quantity: Decimal) -> str:
    return f"{quantity.normalize():,f}"


def _exact(share: Decimal) -> str:
    return f"{share.scaleb(2).normalize():f}%"
