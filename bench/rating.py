"""How fast usage files are rated, against a bare sum of the same columns and against genai-prices, event by event.

Every step runs in a process of its own, on one thread, so that CPU and peak memory are its own. Steps:

    bare         DuckDB sums the five token columns: the least that any answer must read
    totals       `rate` on a file whose card says that its ids are unique: survey, group, price, invoice
    end_to_end   the same with the duplicate check
    ordered      the same under token tiers, whose crossing is read row by row in order
    events       genai-prices `calc_price`, one call a row of the same usage
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.figures import Figure, arguments, show, unmet
from bench.usage_data import BARE_METERS, usage_file

SIZES = (1_000_000, 10_000_000, 100_000_000)
JUDGED = 10_000_000  # goals are for this size and above; the smallest shows how cost grows
EVENTS = 3_000
LIST = """
contract: bench
buyer: bench
vendor: list
term: {from: 2026-01-01, until: 2027-01-01, time_zone: UTC, currency: USD}
billing: {period: month, anchor: 1, rounding: {where: line, places: 2, mode: half_even}}
scope: {models: ["*"], channels: [realtime, batch], access: [api]}
failed_requests: billed
prices:
  basis: list
  region_uplift: catalog
  cache: catalog
"""
TIERS = """
  tiers:
    kind: graduated
    measure: {amount: tokens, at: frozen}
    window: month
    steps: [{up_to: TOKENS, share: 0%}, {share: 10%}]
"""
Work = Callable[[], dict[str, Any]]


def bare(path: Path) -> Work:
    """The bare sum."""
    import duckdb

    sums = ", ".join(f"sum({meter})" for meter in BARE_METERS)

    def work() -> dict[str, Any]:
        connection = duckdb.connect(config={"threads": "1"})
        connection.execute(f"SELECT {sums} FROM read_parquet('{path}')").fetchone()
        return {}

    return work


def totals(path: Path) -> Work:
    """Rated at list price, no duplicate check."""
    return _rating(path, LIST, check_unique=False)


def end_to_end(path: Path) -> Work:
    """Rated at list price, with the duplicate check."""
    return _rating(path, LIST, check_unique=True)


def ordered(path: Path) -> Work:
    """Rated under token tiers whose step lies in the middle of the month."""
    rows = int(path.stem.split("-")[1])
    return _rating(path, LIST + TIERS.replace("TOKENS", str(rows * 6_000)), check_unique=False)


def events(path: Path) -> Work:
    """`calc_price` on the first rows, one call each."""
    import duckdb
    from genai_prices import Usage, calc_price

    columns = f"vendor, model, {', '.join(BARE_METERS)}"
    rows = duckdb.connect().execute(f"SELECT {columns} FROM read_parquet('{path}') LIMIT {EVENTS}").fetchall()

    def work() -> dict[str, Any]:
        for vendor, model, plain, read, short, long, output in rows:
            usage = Usage(
                input_tokens=plain + read + short + long,
                cache_read_tokens=read,
                cache_write_tokens=short + long,
                output_tokens=output,
            )
            calc_price(usage, model_ref=model, provider_id=vendor)
        return {"events": len(rows)}

    return work


STEPS: dict[str, Callable[[Path], Work]] = {
    "bare": bare, "totals": totals, "end_to_end": end_to_end, "ordered": ordered, "events": events,
}  # fmt: skip


def _rating(path: Path, text: str, check_unique: bool) -> Work:
    """Modules, contract and catalogue are loaded before the clock starts, as the peer's prices are."""
    from offtake.contract.parse import parse_bytes
    from offtake.operations.usage_input import LakeSource
    from offtake.rating.rate import rate
    from offtake.store.catalogs import open_catalog
    from offtake.store.engine import Limits
    from offtake.store.lake import open_lake

    contract, catalog = parse_bytes(text.encode(), "bench.yaml"), open_catalog(())

    def work() -> dict[str, Any]:
        with open_lake([path], Limits(threads=1), check_unique=check_unique) as lake:
            assert not lake.duplicates.dropped
            rated = rate(LakeSource(lake), contract, catalog)
        assert not rated.control.unpriced, rated.unpriced
        return {"rows": rated.control.records, "total": str(rated.total)}

    return work


def run_step(step: str, path: Path) -> dict[str, Any]:
    """A step in a fresh process: its result, CPU seconds and peak memory in MB. No step waits for the disk."""
    _into_memory(path)
    command = [sys.executable, "-m", "bench.rating", "--step", step, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _into_memory(path: Path) -> None:
    """Read a file once, so that the kernel has it: what reading a disk costs would fall on whoever comes first."""
    with path.open("rb", buffering=0) as file:
        while file.read(2**24):
            pass


def measure(options: argparse.Namespace) -> list[Figure]:
    """All figures."""
    sizes = options.rows or SIZES
    peer = run_step("events", usage_file(sizes[0], options.data))
    per_event = peer["cpu"] / peer["events"]
    figures = [Figure("genai-prices calc_price, one event", per_event * 1e6, "µs")]
    for rows in sizes:
        figures += _figures(rows, usage_file(rows, options.data), per_event)
    return figures + _growth(figures, sizes)


def _growth(figures: list[Figure], sizes: Sequence[int]) -> list[Figure]:
    """How much dearer a row gets from the smallest to the largest size; 1 is linear."""
    cpu = {figure.name: figure.value for figure in figures if figure.unit == "s" and figure.value is not None}
    small, large = min(sizes), max(sizes)
    return [
        Figure(
            f"{step}: CPU a row, {_size(large)} against {_size(small)}",
            cpu[f"{_size(large)}: {step}, CPU"] / cpu[f"{_size(small)}: {step}, CPU"] * small / large,
            "x",
        )
        for step in ("bare sum", "totals", "end to end", "ordered")
    ]


def _size(rows: int) -> str:
    return f"{rows // 1_000_000} M rows"


def _figures(rows: int, path: Path, per_event: float) -> list[Figure]:
    found = {step: run_step(step, path) for step in ("bare", "totals", "end_to_end", "ordered")}
    cpu = {step: result["cpu"] for step, result in found.items()}
    judged = rows >= JUDGED
    goals: dict[str, tuple[str, str, str]] = {
        "totals": (">= 1000", "<= 5", "<= 300"),
        "end_to_end": (">= 200", "<= 15", "<= 1024"),
        "ordered": ("", "", "<= 1024"),
    }
    size = _size(rows)
    figures = [Figure(f"{size}: bare sum, CPU", cpu["bare"], "s")]
    for step, (times, of_bare, memory) in goals.items():
        name = f"{size}: {step.replace('_', ' ')}"
        figures += [
            Figure(f"{name}, CPU", cpu[step], "s"),
            Figure(f"{name}, against calc_price", rows * per_event / cpu[step], "x", times if judged else ""),
            Figure(f"{name}, against the bare sum", cpu[step] / cpu["bare"], "x", of_bare if judged else ""),
            Figure(f"{name}, peak memory", found[step]["peak_mb"], "MB", memory if judged else ""),
            Figure(f"{name}, spilled to disk", found[step]["spilled_mb"], "MB"),
        ]
    return figures


def main() -> int:
    """The script."""
    parser = arguments()
    parser.add_argument("--step", nargs=2, metavar=("STEP", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        step, path = options.step
        work = STEPS[step](Path(path))
        started = time.process_time()
        result = work()
        cpu = time.process_time() - started
        used = resource.getrusage(resource.RUSAGE_SELF)
        memory = {"peak_mb": used.ru_maxrss / 1024, "spilled_mb": used.ru_oublock * 512 / 1e6}
        print(json.dumps({**result, "cpu": cpu, **memory}))
        return 0
    figures = measure(options)
    show("rating", figures, options.format)
    return unmet(figures)


if __name__ == "__main__":
    sys.exit(main())
