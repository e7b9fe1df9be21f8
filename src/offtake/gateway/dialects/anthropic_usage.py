"""Anthropic's usage objects: cumulative in a stream, and with parts that the totals leave out.

Source: anthropic 2.12 (types/beta/beta_usage.py, beta_iterations_usage.py), read November 2026: the tokens of a
`compaction` iteration "are not included in the top-level usage fields", nor are those of an advisor, which are another
model's and therefore kept apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from offtake.gateway.ask import Quantities
from offtake.usage.usage_objects import anthropic
from offtake.values.errors import InputError

FAST = "fast_mode"  # asked for beside the service tier and dearer than any of them; not OpenAI's `fast`
_BESIDE = ("compaction", "advisor_message")
_TOTAL, _SPLIT = "cache_creation_input_tokens", "cache_creation"


def read(
    usage: Mapping[str, Any], write: str, model: str
) -> tuple[Quantities | None, tuple[tuple[str, Quantities], ...]]:
    """The meters of the answer's own model, None where they are unknown; and those of other models beside it."""
    if not isinstance(usage.get("output_tokens"), int):
        return None, ()
    try:
        own = anthropic(usage, write)
        others: list[tuple[str, Quantities]] = []
        for iteration in usage.get("iterations") or ():
            if iteration.get("type") not in _BESIDE:
                continue
            counted = anthropic(iteration, write)
            if iteration.get("model") in (None, model):
                own = {meter: own.get(meter, 0) + counted.get(meter, 0) for meter in {**own, **counted}}
            else:
                others.append((iteration["model"], {meter: count for meter, count in counted.items() if count}))
    except (InputError, AttributeError, TypeError):
        return None, ()
    return {meter: quantity for meter, quantity in own.items() if quantity}, tuple(others)


def later(before: Mapping[str, Any], delta: Mapping[str, Any], write: str) -> dict[str, Any]:
    """The usage after a `message_delta`, whose totals include what `message_start` said.

    A delta has no split by retention; what the total has grown by is taken for the dearest that may be written.
    """
    usage = {**before, **{name: value for name, value in delta.items() if value is not None}}
    split, total = before.get(_SPLIT), delta.get(_TOTAL)
    if isinstance(split, dict) and isinstance(total, int) and not delta.get(_SPLIT):
        counts = {name: count for name, count in split.items() if isinstance(count, int)}
        grown = total - sum(counts.values())
        name = f"ephemeral_{write}_input_tokens"
        usage[_SPLIT] = {**counts, name: counts.get(name, 0) + grown} if grown >= 0 else None
    return usage


def tier_of(usage: Mapping[str, Any]) -> str:
    """The tier that served: fast mode where it ran, else the service tier; empty where the vendor does not say."""
    if usage.get("speed") == "fast":
        return FAST
    return usage["service_tier"] if isinstance(usage.get("service_tier"), str) else ""


def region_of(usage: Mapping[str, Any]) -> str:
    """Where inference ran, in Anthropic's word; empty where it does not say."""
    return usage["inference_geo"] if isinstance(usage.get("inference_geo"), str) else ""
