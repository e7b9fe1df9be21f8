"""Cache economics as the JSON document that scripts read; docs/reference/json.md says what its names mean."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from offtake.operations.cache_economics import CacheEconomics, Dollars, Replayed
from offtake.planner.cache.advice import Choice
from offtake.planner.cache.break_even import BreakEven
from offtake.planner.cache.rules import CacheRules
from offtake.planner.cache.study import Row
from offtake.planner.cache.tally import decimal


def cache_document(found: CacheEconomics) -> dict[str, object]:
    """All of it; amounts are Decimals with all of their digits."""
    document: dict[str, object] = {
        "contract": found.contract,
        "contract_hash": found.contract_hash,
        "catalog_version": found.catalog_version,
        "at": found.priced_at,
        "currency": found.currency,
        "assumed_rules": found.assumed,
        "rules": [_rule(model, rules) for model, rules in found.rules],
        "break_even": [_break_even(each) for each in found.break_even],
        "rejected": rejected_rows(found),
        "left_out": found.left_out,
    }
    if found.replayed:
        return {**document, **_replay_document(found.replayed)}
    advice = {"sentence": found.observed[0].sentence(), "workloads": [each.sentence() for each in found.observed]}
    return {**document, "policies": [], "observed": _observed(found), "advice": advice}


def range_rows(found: CacheEconomics) -> list[dict[str, object]]:
    """One row a workload, model and TTL, of usage without prefix ids."""
    return [
        {
            "workload": each.workload, "model": each.model, "ttl": ttl, "lowest_ratio": each.ratios(ttl)[0],
            "highest_ratio": each.ratios(ttl)[1], "measured_ratio": each.measured(),
        }
        for each in found.observed
        for ttl in each.rules.ttls
    ]  # fmt: skip


def _observed(found: CacheEconomics) -> list[dict[str, object]]:
    return [
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


def _replay_document(replayed: Replayed) -> dict[str, object]:
    advice = replayed.advice
    requests = replayed.trace.requests
    return {
        "kind": replayed.kind,
        "requests": len(requests),
        "input_tokens": sum(request.input_tokens for request in requests),
        "output_tokens": sum(request.output_tokens for request in requests),
        "policies": policy_rows(replayed),
        "bounds": [{"bound": each.name, "ttl": each.ttl, "input_cost_ratio": each.ratio} for each in replayed.bounds],
        "best_per_session_ratio": replayed.best_per_session,
        "admission": [
            {
                "turn": each.turn, "ttl": each.ttl, "requests": each.requests,
                "continued_share": each.continued_share,
                "next_read_share": each.next_read_share, "reads_per_write": each.reads_per_write,
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


def policy_rows(replayed: Replayed) -> list[dict[str, object]]:
    """One row a policy."""
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


def rejected_rows(found: CacheEconomics) -> list[str]:
    """The rows that could not be read, each with its place and code."""
    rows = found.replayed.rejected if found.replayed else found.usage.rejected if found.usage else ()
    return [f"{row.where}: rejected[{row.code}]: {row.error}" for row in rows]


def _ratio(value: Fraction | None) -> Decimal | None:
    return None if value is None else decimal(value)
