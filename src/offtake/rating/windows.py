"""Window clauses: what acts on totals and not on one token. The order of use and of closing is stated here, once.

credits that do not count   they pay before anything is counted toward a commitment
block                       usage inside a flat block bills nothing and counts nowhere else
commitment                  rollover, counting, prepaid drawdown, overage; at its close shortfall, burst, rollover
tiers                       a discount on spend comes after the commitment has counted it
fees                        platform, licence, seats, reserved capacity; then support, a share of usage
grants                      credits and top-ups pay what is left, fees included
rounding                    `invoice.py`, last
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple, Protocol

from offtake.rating.piece import Piece
from offtake.values.periods import Interval

if TYPE_CHECKING:
    from offtake.rating.run import Run


@dataclass(frozen=True, slots=True)
class Window:
    """[start, end) of one clause; `name` (period, true_up, month, average, …) tells its windows apart."""

    name: str
    interval: Interval


@dataclass(frozen=True, slots=True)
class Cut:
    """A cumulative measure whose thresholds split usage: records around one must be read in order.

    `left` are the distances from where the run stands to each threshold ahead, ascending. `weights` (by meter) says
    that the measure is tokens and a record is split token by token; None that it is money, which splits anywhere.
    """

    measure: Callable[[Piece], Decimal | int]
    left: tuple[Decimal, ...]
    weights: Mapping[str, Decimal] | None


class Charge(NamedTuple):
    """What a clause adds to usage, in picodollars: `amount`, on a base of so many at a share of it. `why` on demand.

    `key` tells two charges of one path on one invoice apart.
    """

    path: str
    base: int
    share: Decimal
    amount: Decimal
    why: Callable[[], str]
    key: str = ""


class WindowClause(Protocol):
    """One clause at work on a run. Windows open and close in time; between them pieces are used in time order."""

    @property
    def path(self) -> str:
        """The term's path in the contract file."""
        ...

    @property
    def acts_on_usage(self) -> bool:
        """Whether `use` does anything: what does not is left out when requests are priced."""
        ...

    @property
    def may_cut(self) -> bool:
        """Whether the order of records can decide money under it."""
        ...

    def windows(self) -> Iterable[Window]:
        """Every window of the term, in order."""
        ...

    def opens(self, window: Window, run: Run) -> None:
        """A window begins: amounts are due, lots are granted."""
        ...

    def use(self, piece: Piece, run: Run) -> None:
        """Usage happens."""
        ...

    def charges(self, run: Run) -> list[Charge]:
        """What has come onto usage since the last time that this was asked."""
        ...

    def closes(self, window: Window, run: Run) -> None:
        """A window ends: lines are written, balances roll over or expire."""
        ...

    def cuts(self, run: Run) -> Iterable[Cut]:
        """Where the order of records decides money."""
        ...
