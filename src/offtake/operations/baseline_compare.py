"""Later traffic beside the baseline of a contract: what is worse than at signing, and what chance may explain.

Clause: `sla.latency.no_worse_than`, with its `tolerance` and the requests that `at` counts. Failures, throttles and
quality are compared alike; the clause does not promise them.

Every figure is a share of bad ones: of answers slower than the baseline's percentile and the tolerance, of failures, of
tasks that did not pass. It is worse where even the least share that the traffic now proves (Wilson's bound at 95%) is
not below the largest that the baseline leaves open. Between the two, chance may explain it.

Example: a p95 of 1,000 ms over 400 answers, a tolerance of 10%. Of 400 answers now 40 take more than 1,100 ms, 10.0%:
at least 7.8%, and the baseline's 5% of 400 may be 7.1% at most. It is worse. With 30, 7.5%, chance may explain it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from offtake.contract.contract import Contract
from offtake.operations.accepted_results import read_accepted
from offtake.operations.baseline import (
    REQUESTS_MIN,
    TIMES,
    Measured,
    baseline_file,
    check_baseline,
    measure,
    promised,
    quality_of,
)
from offtake.operations.contracts import load_contract
from offtake.operations.gateway_store import DEFAULT_CONFIG
from offtake.operations.serve_config import load_config
from offtake.operations.traffic import at_share
from offtake.planner.routing.confidence import decimal_of, deviations, reaches, upper_bound
from offtake.values.errors import InputError

CONFIDENCE = Decimal("0.95")
PERCENTILES = (50, 95)
CLAUSE = "sla.latency.no_worse_than"
AS_GOOD, MAYBE, WORSE, UNKNOWN = "as good", "worse, or chance", "worse", "too few to say"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a model: milliseconds, or a share of `counted` as a decimal; None where nothing was counted.

    `clause` is what promises it, "" for nothing.
    """

    model: str
    figure: str
    then: Decimal
    now: Decimal | None
    counted: int
    verdict: str
    clause: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """A contract's figures since its baseline: `since` to `until`. `tolerance` is that of the text in force."""

    contract: str
    by: str
    since: datetime
    until: datetime
    tolerance: Decimal
    figures: tuple[Figure, ...]


def compare_baselines(days: int, until: datetime, *, config: Path | None) -> list[Compared]:
    """Each contract that has a baseline beside it, over the last days that the baseline itself does not cover.

    InputError (L726) where none has one, or one was changed since it was signed.
    """
    loaded = load_config(config or DEFAULT_CONFIG)
    found = []
    for each in loaded.settings.contracts:
        path = loaded.path(each.file)
        if not baseline_file(path).exists():
            continue
        document = check_baseline(baseline_file(path), config=config, store=loaded.store)
        contract = load_contract(path)
        since = min(max(until - timedelta(days=days), datetime.fromisoformat(document["until"])), until)
        measured = measure(contract, since, until, config)
        accepted, _ = read_accepted(path, contract, loaded.store, until)
        figures = []
        for row in document["models"]:
            now = measured.get(row["model"], Measured())
            figures += [*_times(row, now, contract, until), *_shares(row, now, quality_of(row["model"], accepted))]
        tolerance = _tolerance(contract, until)
        found.append(Compared(document["baseline"], document["by"], since, until, tolerance, tuple(figures)))
    if not found:
        raise InputError("L726", "no contract has a baseline beside it", hint="`offtake baseline record` writes one")
    return found


def _tolerance(contract: Contract, at: datetime) -> Decimal:
    latency = promised(contract, at)
    return (latency.tolerance if latency else None) or Decimal(0)


def _times(row: Mapping[str, Any], now: Measured, contract: Contract, at: datetime) -> Iterator[Figure]:
    latency, tolerance = promised(contract, at), _tolerance(contract, at)
    clause = CLAUSE if latency and latency.no_worse_than else ""
    for name in TIMES:
        values = getattr(now, name)
        for percent in PERCENTILES:
            then = row[name][f"p{percent}"]
            if then is None:
                continue
            slow = sum(value > then * (1 + tolerance) for value in values)
            allowed = (100 - percent, 100, row["counted"][name])
            value = at_share(values, percent)
            yield Figure(
                row["model"], f"{name} p{percent}", Decimal(then), None if value is None else Decimal(value),
                len(values), _verdict(slow, len(values), *allowed), clause,
            )  # fmt: skip


def _shares(row: Mapping[str, Any], now: Measured, quality: list[dict[str, Any]]) -> Iterator[Figure]:
    """Failures, throttles, and what did not pass of each suite."""
    requests = row["requests"]
    for name in ("failed", "throttled"):
        yield _share(row["model"], name, (row[name], requests), (getattr(now, name), now.requests))
    for then in row["quality"]:
        later = next((each for each in quality if each["suite"] == then["suite"]), {"passed": 0, "tasks": 0})
        missed = [(each["tasks"] - each["passed"], each["tasks"]) for each in (then, later)]
        yield _share(row["model"], f"not passed of {then['suite']}", *missed)


def _share(model: str, figure: str, then: tuple[int, int], now: tuple[int, int]) -> Figure:
    before, later = (decimal_of(Fraction(bad, of or 1)) for bad, of in (then, now))
    return Figure(model, figure, before, later if now[1] else None, now[1], _verdict(*now, *then, then[1]))


def _verdict(bad: int, of: int, bad_then: int, of_then: int, counted_then: int) -> str:
    """How a share of bad ones stands beside that of then, which was counted on so many."""
    if of < REQUESTS_MIN:
        return UNKNOWN
    z, share, then = deviations(CONFIDENCE), Fraction(bad, of), Fraction(bad_then, of_then)
    if share <= then:
        return AS_GOOD
    return WORSE if reaches(share, of, Fraction(upper_bound(then, counted_then, z)), z) else MAYBE
