"""`offtake profile`: what traffic is like, which lever moves its bill, which model is the cheapest for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from offtake.cli import render
from offtake.cli.estimate import Share
from offtake.cli.options import (
    at_option,
    catalog_option,
    contract_option,
    format_option,
    out_option,
    stance_option,
    usage_argument,
)
from offtake.cli.rate import reading

if TYPE_CHECKING:
    from offtake.operations.profile_usage import Profiled, ProfiledUsage
    from offtake.planner.profile.figures import Sizes
    from offtake.planner.profile.model_choice import Choice
    from offtake.planner.profile.prefixes import PrefixRepeat
    from offtake.planner.profile.verdict import Lever
    from offtake.planner.workload import Workload

NOT_KNOWN = "not known"
SAID_AT_MOST = 3
SHOWN_AT_MOST = 20
"""The dearest workloads in the tables; JSON and CSV have all of them."""
FORM = ("vendor", "model", "channel", "access", "region")


class Rule(click.ParamType[tuple[str, Decimal]]):
    """A declared rule: eval-*=100%."""

    name = "rule"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Decimal]:
        """A pattern of workloads and a share of their requests."""
        if isinstance(value, tuple):
            return value
        pattern, equals, share = str(value).rpartition("=")
        if not equals or not pattern:
            self.fail(f"{value!r} is not a rule; write WORKLOAD=SHARE, such as 'eval-*=100%'", param, ctx)
        return pattern, Share().convert(share, param, ctx)


@click.command("profile")
@usage_argument()
@click.option(
    "--model", default="", metavar="NAME", help="Price all of it as this model; also the model of usage without one."
)
@click.option("--compare", multiple=True, metavar="MODEL", help="A model to choose among; may be repeated.")
@click.option(
    "--batchable", "rules", multiple=True, type=Rule(), metavar="WORKLOAD=SHARE",
    help="The share of a workload's requests that may wait a day, such as 'eval-*=100%'; may be repeated.",
)  # fmt: skip
@click.option(
    "--cache-read", type=Share(), default="70%", show_default=True, metavar="SHARE",
    help="The share of the input that a cache is taken to serve; the rest is written to it.",
)  # fmt: skip
@click.option("--ttl", type=click.Choice(("5m", "1h")), default="5m", show_default=True, help="How long writes live.")
@contract_option()
@catalog_option
@at_option
@stance_option
@format_option("table", "json", "csv")
@out_option
def command(
    usage: tuple[Path, ...],
    rules: tuple[tuple[str, Decimal], ...],
    cache_read: Decimal,
    ttl: str,
    output_format: str,
    out: Path | None,
    at: datetime | date | None,
    **flags: Any,
) -> int:
    """Show what traffic is like, and which lever moves its bill.

    USAGE… are files of any kind that `offtake import` knows. A request may wait a day when a rule of --batchable says
    so, when its tag `latency` is async, batch, offline or background, or when it runs in batch already. Dollars are
    today's list prices, or a contract's.

        offtake profile usage.csv --batchable 'eval-*=100%' --compare claude-haiku-4-5 --compare gpt-5.4
    """
    from offtake.operations.profile_usage import profile_usage
    from offtake.planner.profile.traffic import Batchable
    from offtake.planner.profile.verdict import Caching

    declared = [Batchable(pattern, share) for pattern, share in rules]
    with reading() as progress:
        found = profile_usage(
            usage, rules=declared, caching=Caching(cache_read, ttl), at=at, progress=progress, **flags
        )  # fmt: skip
    if output_format == "json":
        render.write(render.json_text(document(found)), out)
    elif output_format == "csv":
        render.write(render.csv_text(*_csv(found)), out)
    else:
        render.write_tables(lambda: _show(found), out)
    return _say_what_is_missing(found)


def document(found: ProfiledUsage) -> dict[str, object]:
    """The JSON document; what is not known is null."""
    return {
        "priced_at": found.priced_at,
        "contract": found.contract,
        "contract_hash": found.contract_hash,
        "catalog_version": found.catalog_version,
        "currency": found.currency,
        "complete": not _missing(found),
        "priced_as": found.model or None,
        "cache": {"read": found.caching.read, "ttl": found.caching.ttl},
        "workloads": [_row(each) for each in found.workloads],
        "rejected": len(found.usage.rejected),
        "duplicates": found.usage.duplicates,
        "conflicts": found.usage.conflict_count,
    }


def _row(each: Profiled) -> dict[str, object]:
    profile, workload = each.profile, each.profile.workload
    growth, repeat = profile.growth, each.prefix_repeat
    return {
        "workload": workload.name,
        **{name: getattr(workload, name) for name in FORM},
        "requests": workload.requests,
        "quantities": workload.quantities,
        "first": workload.first,
        "last": workload.last,
        "in_out_ratio": profile.in_out_ratio,
        "input": _sizes(profile.input),
        "output": _sizes(profile.output),
        "context_tokens": workload.context_tokens,
        "reach": [
            {"tokens": reach.tokens, "requests": reach.requests, "input": reach.input_tokens}
            for reach in profile.reaches
        ],
        "growth": {"ratio": growth.ratio, "days": growth.days} if growth else None,
        "peak_to_mean": profile.peak_to_mean,
        "batchable": workload.batchable,
        "outcomes": profile.outcomes,
        "failed": profile.failed,
        "truncated": profile.truncated,
        "cache_read": profile.cache_read,
        "cache_write": profile.cache_write,
        "prefix_repeat": {"ever": repeat.ever, "within": repeat.within} if repeat else None,
        **_money(each),
    }


def _money(each: Profiled) -> dict[str, object]:
    verdict = each.verdict
    priced: dict[str, object] = {"cost": None, "unpriced": each.unpriced}
    if verdict:
        levers = (verdict.batch, verdict.batchable, verdict.cache)
        priced = {
            "list": verdict.cost.list,
            "cost": verdict.cost.contracted,
            "output_share": verdict.output_share,
            "cached_today": verdict.cached_today,
            "saving": dict(zip(("batch", "batch_what_can_wait", "cache"), map(_lever, levers), strict=True)),
            "verdict": verdict.words,
        }
    return {**priced, "models": _choice(each.choice) if each.choice else None}


def _sizes(sizes: Sizes | None) -> dict[str, object] | None:
    return {name: getattr(sizes, name) for name in ("mean", "p50", "p90", "p99")} if sizes else None


def _lever(lever: Lever) -> dict[str, object]:
    return {"cost": lever.cost, "saving": lever.saving, "share": lever.share, "reason": lever.reason}


def _choice(choice: Choice) -> dict[str, object]:
    return {
        "cheapest": choice.models[0].model,
        "costs": [
            {name: getattr(each, name) for name in ("model", "input_mtok", "output_mtok", "cost")}
            for each in choice.models
        ],
        "flips": [
            {"models": list(flip.models), "in_out_ratio": flip.ratio, "cheaper_below": flip.below}
            for flip in choice.flips
        ],
        "cheapest_by_ratio": [{"from": each.start, "to": each.end, "model": each.model} for each in choice.ranges],
    }


def _csv(found: ProfiledUsage) -> tuple[Sequence[str], list[list[object]]]:
    columns = (
        "workload", *FORM, "requests", "in_out_ratio", "input_mean", "input_p50", "input_p90", "input_p99",
        "output_mean", "output_p50", "output_p90", "output_p99", "growth", "peak_to_mean", "batchable", "failed",
        "truncated", "cache_read", "cost", "output_share", "saving_batch", "saving_batch_what_can_wait",
        "saving_cache", "verdict",
    )  # fmt: skip
    rows = []
    for each in found.workloads:
        row, verdict = _row(each), each.verdict
        for name in ("input", "output"):
            row |= {f"{name}_{key}": value for key, value in (_sizes(getattr(each.profile, name)) or {}).items()}
        row["growth"] = each.profile.growth.ratio if each.profile.growth else None
        if verdict:
            row |= {
                "saving_batch": verdict.batch.saving,
                "saving_batch_what_can_wait": verdict.batchable.saving,
                "saving_cache": verdict.cache.saving,
            }
        rows.append([row.get(column) for column in columns])
    return columns, rows


def _show(found: ProfiledUsage) -> None:
    render.text("Which lever moves the bill", style="bold")
    for each in found.workloads[:SHOWN_AT_MOST]:
        render.text(f"  {name_of(each.profile.workload)}: {_words(each, found.currency)}")
    more = len(found.workloads) - SHOWN_AT_MOST
    if more > 0:
        render.text(f"  … and {more:,} more workloads; --format json or csv has all of them")
    render.text()
    _show_money(found)
    _show_traffic(found)
    for each in found.workloads[:SHOWN_AT_MOST]:
        if each.choice:
            _show_choice(each, each.choice, found.currency)
    when = f"{found.priced_at:%Y-%m-%d}"
    as_model = f" as {found.model}" if found.model else ""
    for each in found.workloads[:SHOWN_AT_MOST]:
        if each.prefix_repeat:
            render.text(f"{name_of(each.profile.workload)}: {_repeats(each.prefix_repeat)}; `offtake cache` prices it.")
    unknown = any(each.prefix_repeat is None for each in found.workloads)
    read = render.share(found.caching.read, 0)
    render.text(
        f"Priced at {found.contract}{as_model} of {when}. Caching is taken to read {read} of the input and to write "
        f"the rest for {found.caching.ttl}" + (f"; which prefixes repeat is {NOT_KNOWN}." if unknown else ".")
    )


def _repeats(repeat: PrefixRepeat) -> str:
    within = ", ".join(f"{render.share(share)} within {ttl}" for ttl, share in repeat.within.items())
    return f"{render.share(repeat.ever)} of the input repeats the beginning of an earlier prompt ({within})"


def _words(each: Profiled, currency: str) -> str:
    verdict = each.verdict
    if verdict is None:
        return f"no price: {each.unpriced}"
    savings = (
        ("batch", verdict.batch.saving),
        ("caching", verdict.cache.saving),
        ("the cache in use", verdict.cached_today),
    )
    said = [f"{name} {_effect(saving, currency)}" for name, saving in savings if saving is not None]
    return f"{verdict.words} ({', '.join(said)})" if said else verdict.words


def _effect(saving: Decimal, currency: str) -> str:
    return f"{'saves' if saving >= 0 else 'costs'} {render.money(saving.copy_abs(), currency)}"


def _show_money(found: ProfiledUsage) -> None:
    percent = f"{render.share(found.caching.read, 0)}"
    columns = ("workload", "cost", "output", "batch, all", "batch, what can wait", f"cache, {percent} read")
    rows = []
    for each in found.workloads[:SHOWN_AT_MOST]:
        if each.verdict is None:
            continue
        verdict = each.verdict
        levers = (_saving(lever, found.currency) for lever in (verdict.batch, verdict.batchable, verdict.cache))
        share = "" if verdict.output_share is None else render.share(verdict.output_share)
        cost = render.money(verdict.cost.contracted, found.currency)
        rows.append((name_of(each.profile.workload), cost, share, *levers))
    render.table(columns, rows, right=columns[1:], title="What each lever saves, against what it costs now")


def _show_traffic(found: ProfiledUsage) -> None:
    columns = ["workload", "requests", "in:out", "input p50/p99", "output p50/p99", "≥ 1,024"]
    columns += ["peak:mean", "growth", "can wait", "failed", "cut short"]
    rows = []
    for each in found.workloads[:SHOWN_AT_MOST]:
        profile, workload, growth = each.profile, each.profile.workload, each.profile.growth
        rows.append(
            (
                name_of(workload),
                render.count(workload.requests),
                _shown(profile.in_out_ratio),
                _percentiles(profile.input),
                _percentiles(profile.output),
                _share(profile.reaches[0].input_tokens if profile.reaches else None),
                _shown(profile.peak_to_mean),
                f"{render.share(growth.ratio)}/{growth.days}d" if growth else "–",
                render.share(workload.batchable),
                _share(profile.failed),
                _share(profile.truncated),
            )
        )
    render.table(columns, rows, right=columns[1:], title="The traffic (≥ 1,024: input in prompts that can be cached)")


def _show_choice(each: Profiled, choice: Choice, currency: str) -> None:
    rows = [
        (
            cost.model, render.money(cost.input_mtok, currency), render.money(cost.output_mtok, currency),
            render.money(cost.cost, currency),
        )
        for cost in choice.models
    ]  # fmt: skip
    columns = ("model", "input, a million", "output, a million", "this traffic")
    title = f"Models for {name_of(each.profile.workload)}, in:out {_shown(each.profile.in_out_ratio)}"
    render.table(columns, rows, right=columns[1:], title=title)
    said = [f"{span.model} {_between(span.start, span.end)}" for span in choice.ranges]
    render.text(f"  The cheapest by in:out ratio: {'; '.join(said)}.")
    render.text()


def _between(start: Decimal, end: Decimal | None) -> str:
    if end is None:
        return f"above {start.normalize():f}" if start else "at every ratio"
    return f"below {end.normalize():f}" if not start else f"from {start.normalize():f} to {end.normalize():f}"


def name_of(workload: Workload) -> str:
    """A workload for the eye: its name, its model, and what is not usual about how it runs."""
    unusual = [workload.channel] if workload.channel != "realtime" else []
    unusual += [workload.access] if workload.access != "api" else []
    unusual += [workload.region] if workload.region != "global" else []
    return " · ".join([workload.name or "(no workload)", workload.model, *unusual])


def _saving(lever: Lever, currency: str) -> str:
    if lever.saving is None or lever.share is None:
        return "–"
    return f"{render.money(lever.saving, currency)} ({render.share(lever.share)})"


def _percentiles(sizes: Sizes | None) -> str:
    if sizes is None:
        return "–"
    if sizes.p50 is None or sizes.p99 is None:
        return f"mean {render.rounded(sizes.mean, 0)}"
    return f"{render.count(sizes.p50)}/{render.count(sizes.p99)}"


def _shown(ratio: Decimal | None) -> str:
    return "–" if ratio is None else f"{ratio.normalize():f}"


def _share(ratio: Decimal | None) -> str:
    return "–" if ratio is None else render.share(ratio)


def _missing(found: ProfiledUsage) -> list[str]:
    """What the profile leaves out, in words."""
    usage = found.usage
    told = [f"{row.where}: rejected[{row.code}]: {row.error}" for row in usage.rejected[:SAID_AT_MOST]]
    more = len(usage.rejected) - SAID_AT_MOST
    told += [f"… and {more:,} more rows that cannot be read"] if more > 0 else []
    told += [f"conflict: {words}" for words in usage.conflicts]
    unpriced = [each for each in found.workloads if each.unpriced]
    told += [f"no price for {name_of(each.profile.workload)}: {each.unpriced}" for each in unpriced[:SAID_AT_MOST]]
    more = len(unpriced) - SAID_AT_MOST
    return told + ([f"… and {more:,} more workloads without a price"] if more > 0 else [])


def _say_what_is_missing(found: ProfiledUsage) -> int:
    told = _missing(found)
    for words in told:
        render.note(words)
    return 1 if told else 0
