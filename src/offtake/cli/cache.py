"""`offtake cache`: what prompt caching would cost on a trace, policy by policy, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import click

from offtake.cli import render
from offtake.cli.options import (
    EXISTING_FILE,
    at_option,
    catalog_option,
    contract_option,
    format_option,
    out_option,
    stance_option,
)
from offtake.cli.rate import reading

if TYPE_CHECKING:
    from offtake.operations.cache_economics import CacheEconomics, Dollars, Replayed, Steps
    from offtake.operations.usage_input import FileProgress
    from offtake.planner.cache.study import Row

SAID_AT_MOST = 3
RATIO_PLACES = 4
COLUMNS = ("policy", "ttl", "read_share", "write_share", "input_cost_ratio", "holdout_ratio", "cost")


@click.command("cache")
@click.argument("trace", type=EXISTING_FILE)
@click.option(
    "--rules", default="", metavar="MODEL|TEXT",
    help="Whose rules count: a model, or text such as anthropic:read=0.1,write=1.25,ttl=5m,min=1024. "
    "Each request's own model when absent.",
)  # fmt: skip
@click.option(
    "--policy", default="all", show_default=True, metavar="POLICY",
    help="end, static, from-turn:K, keep-alive:N, auto, none or all.",
)  # fmt: skip
@contract_option()
@catalog_option
@at_option
@stance_option
@format_option("table", "json", "csv")
@out_option
def command(
    trace: Path,
    rules: str,
    policy: str,
    output_format: str,
    out: Path | None,
    contract: Path | None,
    catalogs: tuple[Path, ...],
    at: datetime | date | None,
    stance: str | None,
) -> int:
    """Replay a trace under a prompt cache: what each policy reads, writes and costs.

    A ratio is the cost of all input over its cost without a cache: 1 is no caching, above 1 caching loses money. The
    holdout is the second half of the trace, with the cache as the first half left it; the advice is chosen on the
    first half and judged there. Usage without prefix ids gets break-evens and a range.

        offtake cache contracts/example-trace.jsonl --rules claude-sonnet-4-5
    """
    from offtake.operations.cache_economics import cache_economics
    from offtake.operations.cache_json import cache_document, policy_rows, range_rows, rejected_rows

    with _bars() as (report, replaying):
        found = cache_economics(
            trace, rules=rules, policy=policy, contract=contract, catalogs=catalogs, at=at, stance=stance,
            reading=report, replaying=replaying,
        )  # fmt: skip
    _say(found, rejected_rows(found))
    if output_format == "json":
        render.write(render.json_text(cache_document(found)), out)
    elif output_format == "csv":
        rows = policy_rows(found.replayed) if found.replayed else range_rows(found)
        columns = COLUMNS if found.replayed else tuple(rows[0])
        render.write(render.csv_text(columns, ([row[name] for name in columns] for row in rows)), out)
    else:
        render.write_tables(lambda: _show(found), out)
    return 1 if rejected_rows(found) or found.left_out else 0


@contextmanager
def _bars() -> Iterator[tuple[FileProgress, Steps]]:
    """A bar while the file is read, then one for the replays: a terminal shows one at a time."""
    with ExitStack() as bars:
        report = bars.enter_context(reading())

        def replaying(total: int) -> Callable[[int], None]:
            bars.close()
            return bars.enter_context(render.progress("replaying", total=total))

        yield report, replaying


def _say(found: CacheEconomics, rejected: Sequence[str]) -> None:
    for words in rejected[:SAID_AT_MOST]:
        render.note(words)
    if len(rejected) > SAID_AT_MOST:
        render.note(f"… and {len(rejected) - SAID_AT_MOST:,} more")
    for words in found.left_out:
        render.note(f"left out: {words}; write its rules with --rules, or add them with --catalog FILE")
    if found.assumed:
        render.note(
            "the file names no model: replayed under Anthropic's public multiples; say --rules MODEL for another"
        )


def _show(found: CacheEconomics) -> None:
    if found.replayed:
        _show_replay(found, found.replayed)
    else:
        for each in found.observed:
            named = " · ".join(part for part in (each.workload, each.model) if part and part != "any")
            render.text(f"{named}: {each.sentence()}" if named else each.sentence())
    _show_break_even(found)


def _show_replay(found: CacheEconomics, replayed: Replayed) -> None:
    render.text(replayed.advice.sentence, style="bold")
    priced = any(replayed.dollars)
    rows = [
        (row.policy.name, row.policy.ttl, *_shares(row), _cost(dollars, found.currency))
        for row, dollars in zip(replayed.rows, replayed.dollars, strict=True)
    ]
    columns = ("policy", "ttl", "read", "written", "ratio", "holdout", "cost")
    kept = columns if priced else columns[:-1]
    render.table(kept, [row[: len(kept)] for row in rows], right=columns[2:])
    if any(not row.is_offered for row in replayed.rows):
        render.text("auto: what a vendor that caches by itself would charge, for comparison")
    _show_notes(found, replayed)
    bounds = [(each.name, each.ttl, _places(each.ratio)) for each in replayed.bounds]
    render.table(("lower bound", "ttl", "ratio"), bounds, right=("ratio",))
    if len(replayed.advice.workloads) > 1:
        best = [
            (each.workload, each.model, render.count(each.requests), each.policy.name, each.policy.ttl,
             _places(each.fit_ratio), _places(each.holdout_ratio))
            for each in replayed.advice.workloads
        ]  # fmt: skip
        columns = ("workload", "model", "requests", "policy", "ttl", "first half", "second half")
        render.table(columns, best, right=("requests", "first half", "second half"), title="best by workload")
    if replayed.best_per_session is not None:
        render.text(f"best TTL of every session, known beforehand: {_places(replayed.best_per_session)}")
    _show_admissions(replayed)


def _show_admissions(replayed: Replayed) -> None:
    """Turn by turn, the TTLs beside each other."""
    ttls = list(dict.fromkeys(each.ttl for each in replayed.admissions))
    found = {(each.turn, each.ttl): each for each in replayed.admissions}
    rows = []
    for turn in dict.fromkeys(each.turn for each in replayed.admissions):
        last = turn == max(each.turn for each in replayed.admissions) and turn > 1
        rows.append(
            (f"{turn}+" if last else str(turn), render.count(found[turn, ttls[0]].requests),
             *(cell for ttl in ttls for cell in (_percent(found[turn, ttl].next_read_share),
                                                 _places(found[turn, ttl].reads_per_write))))
        )  # fmt: skip
    if rows:
        columns = (
            "turn",
            "requests",
            *(name for ttl in ttls for name in (f"read next in {ttl}", f"reads in all, {ttl}")),
        )
        render.table(columns, rows, right=columns[1:])


def _show_notes(found: CacheEconomics, replayed: Replayed) -> None:
    given = [each for each in replayed.dollars if each]
    if any(each.chain is not None for each in given):
        render.text("cost a – b: b where an agent that returns to a branch it left finds nothing cached there")
    longer = max((each.long_context for each in given), default=Decimal(0))
    if longer:
        render.text(
            "costs take every request to lie below the context at which prices rise; above it the same costs up to "
            f"{render.money(longer, found.currency)} more (cost_long_context in JSON)"
        )


def _show_break_even(found: CacheEconomics) -> None:
    rows = [
        (each.ttl, _percent(_ratio(each.read_share)), _places(_ratio(each.reads_per_write)),
         _minutes(each.keep_alive_minutes))
        for each in found.break_even
    ]  # fmt: skip
    columns = ("ttl", "pays if read next above", "pays if reads in all above", "pings pay for gaps below")
    render.table(columns, rows, right=columns[1:])


def _shares(row: Row) -> Sequence[str]:
    total = row.total
    shares = (_ratio(Fraction(total.read, total.input or 1)), _ratio(Fraction(total.written, total.input or 1)))
    return *(_places(each) for each in shares), _places(row.ratio()), _places(row.holdout_ratio())


def _ratio(value: Fraction | None) -> Decimal | None:
    from offtake.planner.cache.tally import decimal

    return None if value is None else decimal(value)


def _places(value: Decimal | None) -> str:
    return "" if value is None else render.rounded(value, RATIO_PLACES)


def _percent(value: Decimal | None) -> str:
    return "" if value is None else render.share(value, 2)


def _minutes(value: Fraction | None) -> str:
    found = _ratio(value)
    return "" if found is None else f"{render.rounded(found, 1)} min"


def _cost(dollars: Dollars | None, currency: str) -> str:
    if dollars is None:
        return ""
    shown = render.money(dollars.total, currency)
    return shown if dollars.chain is None else f"{shown} – {render.money(dollars.chain, currency)}"
