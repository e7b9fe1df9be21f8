"""What the commitments of a contract will still draw: usage as rated so far, carried on by the planner's paths."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from offtake.operations.commitment_status import Status
from offtake.operations.forecast_file import CommitmentForecast, ForecastFile, Rest
from offtake.operations.plan_extra import need_plan_extra
from offtake.planner.commitment.draws import PERMILLE, still_drawn
from offtake.planner.demand.series import Series
from offtake.store.sources import found_files, text_source
from offtake.values.errors import InputError
from offtake.values.money import ZERO
from offtake.values.periods import Interval

if TYPE_CHECKING:
    from offtake.assurance.status import CommitmentStatus
    from offtake.planner.demand.events import Event

DAY = timedelta(days=1)
SEED = 0
CENTS = 2


def forecast_draws(status: Status, events: Path | None = None) -> ForecastFile:
    """The forecast at the instant of a status, of each commitment that has drawn something before that day.

    InputError P649 where none has, P648 for an events file that is wrong.
    """
    need_plan_extra("numpy")
    known = _events(events)
    found = [forecast for each in status.commitments if (forecast := _forecast(status, each, known))]
    if not found:
        raise InputError(
            "P649", "no commitment with an open window has drawn anything before that day",
            why="a forecast is made from what whole days have drawn", hint="give usage from before --at",
        )  # fmt: skip
    return ForecastFile(
        contract=status.contract.signed.contract, contract_hash=status.contract.hash, at=status.at, permille=PERMILLE,
        commitments=tuple(found),
    )  # fmt: skip


def _forecast(status: Status, each: CommitmentStatus, events: tuple[Event, ...]) -> CommitmentForecast | None:
    import numpy as np

    days = _days(status, each)
    if status.at >= each.window.end or not any(days.quantities):
        return None
    rests, basis = still_drawn(
        days, Interval(status.at, each.window.end), np.random.default_rng(SEED), events,
        places=0 if each.unit == "token" else CENTS,
    )  # fmt: skip
    return CommitmentForecast(
        id=each.id, unit=each.unit, from_=each.window.start, until=each.window.end, drawn=each.drawn, basis=basis,
        rest=tuple(Rest(at=rest.at, amounts=rest.amounts) for rest in rests),
    )  # fmt: skip


def _days(status: Status, each: CommitmentStatus) -> Series:
    """What each day from the first usage until yesterday drew; the day of the status is not over."""
    stopped, zone = status.stopped, status.contract.zone
    if stopped.first is None:
        return Series(each.id, (), (), "day")
    first, today = stopped.first.astimezone(zone).date(), status.at.astimezone(zone).date()
    dates = [first + DAY * number for number in range((today - first).days)]
    drawn = stopped.draws[each.clause]
    return Series(each.id, tuple(map(str, dates)), tuple(drawn.get(day, ZERO) for day in dates), "day")


def _events(path: Path | None) -> tuple[Event, ...]:
    if path is None:
        return ()
    from offtake.planner.commitment.futures import WORKLOAD
    from offtake.planner.demand.events_file import read_events

    (found,) = found_files([path])
    return read_events("".join(text_source(found).lines), str(found), (WORKLOAD,))
