"""Rollover: a share of what a window leaves unused may be used later, at no further charge.

Clause: `commitments[].rollover`. Source: S2 "up to 20% of unused monthly tokens" roll into the next quarter; Metronome
`rollover_fraction`; PostHog PR #18362 (half of which base?).

Why it matters: a factor of five hangs on the word `of`. The shortfall is paid in full first; then the lot draws at 0
billed in the named window, does not count toward that window's commitment, expires, and never rolls again.

Example: 100 M committed, 80 M used, 20 M unused. 20% of the unused is 4 M, and 16 M are forfeited; 20% of the
commitment is 20 M, all of the unused and none forfeited (never more than the unused).
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from offtake.contract.contract import Contract
from offtake.contract.schema.commitments import Rollover
from offtake.rating.committed import origin_of
from offtake.values.periods import Interval, Period, whole_windows

INSTANT = timedelta(microseconds=1)


def rolled(clause: Rollover, committed: Decimal, unused: Decimal) -> Decimal:
    """Dollars or weighted tokens that roll over."""
    base = unused if clause.of == "unused" else committed
    return min(clause.share * base, unused)


def usable_in(clause: Rollover, contract: Contract, window: Interval, every: Period) -> Interval:
    """When the lot may be drawn: the named window, cut by `expires_after` and by the end of the term."""
    if clause.into == "rest_of_year":
        year = _window_of("year", contract, window)
        span = Interval(window.end, max(year.end, window.end))
    elif clause.into == "next_quarter":
        span = _after(contract, "quarter", _window_of("quarter", contract, window))
    else:
        span = _after(contract, every, window)
    end = min(span.end, contract.span.end)
    if clause.expires_after:
        end = min(end, clause.expires_after.after(span.start.astimezone(contract.zone)))
    return Interval(span.start, max(end, span.start))


def _window_of(every: Period, contract: Contract, window: Interval) -> Interval:
    """The quarter or year that holds the last instant of a window."""
    moment = Interval(window.end - INSTANT, window.end)
    return next(iter(whole_windows(every, origin_of(contract, every), moment, contract.zone)))


def _after(contract: Contract, every: Period, window: Interval) -> Interval:
    moment = Interval(window.end, window.end + INSTANT)
    return next(iter(whole_windows(every, origin_of(contract, every), moment, contract.zone)))
