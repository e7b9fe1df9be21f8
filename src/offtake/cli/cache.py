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
    from offtake.planner.cache.advice import Choice
    from offtake.planner.cache.break_even import BreakEven
    from offtake.planner.cache.rules import CacheRules
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

        offtake cache contracts/traces/prefixes.jsonl --rules claude-sonnet-4-5
    """
    from offtake.operations.cache_economics import cache_economics

    with _bars() as (report, replaying):
        found = cache_economics(
            trace, rules=rules, policy=policy, contract=contract, catalogs=catalogs, at=at, stance=stance,
            reading=report, replaying=replaying,
        )  # fmt: skip
    _say(found)
    if output_format == "json":
        render.write(render.json_text(_document(found)), out)
    elif output_format == "csv":
        rows = _policies(found.replayed) if found.replayed else []
        render.write(render.csv_text(COLUMNS, ([row[name] for name in COLUMNS] for row in rows)), out)
    else:
        render.write_tables(lambda: _show(found), out)
    return 1 if _rejected(found) else 0


@contextmanager
def _bars() -> Iterator[tuple[FileProgress, Steps]]:
    """A bar while the file is read, then one for the replays: a terminal shows one at a time."""
    with ExitStack() as bars:
        report = bars.enter_context(reading())

        def replaying(total: int) -> Callable[[int], None]:
            bars.close()
            return bars.enter_context(render.progress("replaying", total=total))

        yield report, replaying


def _rejected(found: CacheEconomics) -> list[str]:
    rows = found.replayed.rejected if found.replayed else found.usage.rejected if found.usage else ()
    return [f"{row.where}: rejected[{row.code}]: {row.error}" for row in rows]


def _say(found: CacheEconomics) -> None:
    rejected = _rejected(found)
    for words in rejected[:SAID_AT_MOST]:
        render.note(words)
    if len(rejected) > SAID_AT_MOST:
        render.note(f"… and {len(rejected) - SAID_AT_MOST:,} more")
    if found.assumed:
        render.note(
            "the file names no model: replayed under Anthropic's public multiples; say --rules MODEL for another"
        )


def _document(found: CacheEconomics) -> dict[str, object]:
    document: dict[str, object] = {
        "contract": found.contract,
        "contract_hash": found.contract_hash,
        "catalog_version": found.catalog_version,
        "at": found.priced_at,
        "currency": found.currency,
        "assumed_rules": found.assumed,
        "rules": [_rule(model, rules) for model, rules in found.rules],
        "break_even": [_break_even(each) for each in found.break_even],
        "rejected": _rejected(found),
    }
    if found.replayed:
        return {**document, **_replay_document(found.replayed)}
    observed = [
        {
            "workload": each.workload, "model": each.model, "requests": each.requests, "input_tokens": each.input,
            "cacheable_share_at_most": _ratio(each.cacheable), "measured_ratio": each.measured(),
            "range": [
                {"ttl": ttl, "lowest_ratio": each.ratios(ttl)[0], "highest_ratio": each.ratios(ttl)[1]}
                for ttl in each.rules.ttls
            ],
        }
        for each in found.observed
    ]  # fmt: skip
    advice = {"sentence": found.observed[0].sentence(), "workloads": [each.sentence() for each in found.observed]}
    return {**document, "policies": [], "observed": observed, "advice": advice}


def _replay_document(replayed: Replayed) -> dict[str, object]:
    advice = replayed.advice
    requests = replayed.trace.requests
    return {
        "kind": replayed.kind,
        "requests": len(requests),
        "input_tokens": sum(request.input_tokens for request in requests),
        "output_tokens": sum(request.output_tokens for request in requests),
        "policies": _policies(replayed),
        "bounds": [{"bound": each.name, "ttl": each.ttl, "input_cost_ratio": each.ratio} for each in replayed.bounds],
        "best_per_session_ratio": replayed.best_per_session,
        "admission": [
            {
                "turn": each.turn, "ttl": each.ttl, "requests": each.requests,
                "continued_share": each.continued_share, "reads_per_write": each.reads_per_write,
            }
            for each in replayed.admissions
        ],
        "advice": {
            "sentence": advice.sentence,
            **_choice(advice.whole),
            "mixed_holdout_ratio": advice.mixture and advice.mixture.by_workload,
            "single_holdout_ratio": advice.mixture and advice.mixture.by_one,
            "workloads": [
                {"workload": each.workload, "model": each.model, "requests": each.requests, **_choice(each),
                 "sentence": each.sentence}
                for each in advice.workloads
            ],
        },
    }  # fmt: skip


def _choice(choice: Choice) -> dict[str, object]:
    return {
        "policy": choice.policy.name,
        "ttl": choice.policy.ttl or None,
        "fit_ratio": choice.fit_ratio,
        "holdout_ratio": choice.holdout_ratio,
        "holdout_saving": choice.holdout_saving,
    }


def _policies(replayed: Replayed) -> list[dict[str, object]]:
    return [_policy(row, dollars) for row, dollars in zip(replayed.rows, replayed.dollars, strict=True)]


def _policy(row: Row, dollars: Dollars | None) -> dict[str, object]:
    total = row.total
    return {
        "policy": row.policy.name,
        "ttl": row.policy.ttl or None,
        "read_share": _ratio(Fraction(total.read, total.input or 1)),
        "write_share": _ratio(Fraction(total.written, total.input or 1)),
        "input_cost_ratio": row.ratio(),
        "holdout_ratio": row.holdout_ratio(),
        "ping_share": _ratio(Fraction(total.pinged, total.input or 1)),
        "offered": row.is_offered,
        "cost": dollars and dollars.total,
        "cost_output": dollars and dollars.output,
        "cost_left_branches_forgotten": dollars and dollars.chain,
        "cost_long_context": dollars and dollars.long_context,
    }


def _rule(model: str, rules: CacheRules) -> dict[str, object]:
    return {
        "model": model, "rules": rules.name, "read": _ratio(rules.read),
        "writes": {ttl: _ratio(write) for ttl, write in rules.writes},
        "min_prefix_tokens": rules.min_prefix_tokens, "automatic": rules.automatic, "source": rules.source,
    }  # fmt: skip


def _break_even(each: BreakEven) -> dict[str, object]:
    return {
        "ttl": each.ttl,
        "read_share": _ratio(each.read_share),
        "reads_per_write": _ratio(each.reads_per_write),
        "keep_alive_pings": _ratio(each.pings),
        "keep_alive_minutes": _ratio(each.keep_alive_minutes),
    }


def _ratio(value: Fraction | None) -> Decimal | None:
    from offtake.planner.cache.tally import decimal

    return None if value is None else decimal(value)


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
             *(cell for ttl in ttls for cell in (render.share(found[turn, ttl].continued_share),
                                                 _places(found[turn, ttl].reads_per_write))))
        )  # fmt: skip
    if rows:
        columns = ("turn", "requests", *(name for ttl in ttls for name in (f"next in {ttl}", f"reads a write, {ttl}")))
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
        (each.ttl, _percent(each.read_share), _places(_ratio(each.reads_per_write)),
         _minutes(each.keep_alive_minutes))
        for each in found.break_even
    ]  # fmt: skip
    columns = ("ttl", "caching all pays above a read share of", "one write above reads of", "pings pay for gaps below")
    render.table(columns, rows, right=columns[1:])


def _shares(row: Row) -> Sequence[str]:
    total = row.total
    shares = (_ratio(Fraction(total.read, total.input or 1)), _ratio(Fraction(total.written, total.input or 1)))
    return *(_places(each) for each in shares), _places(row.ratio()), _places(row.holdout_ratio())


def _places(value: Decimal | None) -> str:
    return "" if value is None else render.rounded(value, RATIO_PLACES)


def _percent(value: Fraction | None) -> str:
    found = _ratio(value)
    return "" if found is None else render.share(found, 2)


def _minutes(value: Fraction | None) -> str:
    found = _ratio(value)
    return "" if found is None else f"{render.rounded(found, 1)} min"


def _cost(dollars: Dollars | None, currency: str) -> str:
    if dollars is None:
        return ""
    shown = render.money(dollars.total, currency)
    return shown if dollars.chain is None else f"{shown} – {render.money(dollars.chain, currency)}"
