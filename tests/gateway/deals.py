"""Contracts, outlets and asks that the gateway's tests share: `acme.yaml` with the terms that a test adds."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

from offtake.catalog.catalog import Catalog
from offtake.contract.parse import parse
from offtake.gateway.ask import Ask
from offtake.gateway.outlet import KeyRules, Modes, Outlet
from offtake.rating.bound import Bounds
from offtake.rating.compiled import CompiledTerms
from offtake.store.catalogs import open_catalog
from offtake.values.yaml_text import read_yaml

AT = datetime(2026, 10, 5, 12, tzinfo=UTC)
OPUS = "claude-opus-4-7"
HEAD = """contract: acme
buyer: Acme
vendor: anthropic
term: {from: 2026-01-01, until: 2027-01-01, time_zone: UTC, currency: USD}
billing: {period: month, anchor: 1, rounding: {where: line, places: 2, mode: half_even}}
scope: {models: [claude-*], channels: [realtime, priority], access: [api]}
prices: {basis: list, cache: catalog, priority: {surcharge: 50%}, region_uplift: catalog}
failed_requests: billed
"""


@cache
def catalog() -> Catalog:
    """The shipped catalogue."""
    return open_catalog()


def outlet(
    more: str = "", *, name: str = "anthropic", file: str = "acme.yaml", vendor: str = "anthropic",
    region: str = "global", modes: Modes = Modes(), text: str = HEAD,
) -> Outlet:  # fmt: skip
    """An outlet under the contract of `text` and `more`."""
    contract = parse(text + more, file)
    terms = CompiledTerms(contract, catalog())
    return Outlet(
        name, contract.signed.contract, terms, Bounds(terms), vendor, region=region, speaks="anthropic_messages",
        modes=modes,
    )  # fmt: skip


def key(**rules: object) -> KeyRules:
    """A key with these rules."""
    return KeyRules("key_1", **rules)  # type: ignore[arg-type]  # the test names fields of it


def ask(**fields: object) -> Ask:
    """A request of Opus with 1,000 tokens in and at most 1,000 out."""
    given: dict[str, object] = {
        "dialect": "anthropic_messages", "body": b"{}", "model": OPUS, "input_tokens_max": 1_000,
        "output_tokens_max": 1_000,
    } | fields  # fmt: skip
    return Ask(**given)  # type: ignore[arg-type]  # the test names fields of it


def read(text: str) -> Any:
    """YAML as contracts are read: decimals, dates and no floats."""
    return read_yaml(text, "test")[0]


def written(data: Any) -> str:
    """Plain values as YAML in one line."""
    match data:
        case dict():
            return "{" + ", ".join(f"{json.dumps(name)}: {written(value)}" for name, value in data.items()) + "}"
        case list():
            return "[" + ", ".join(map(written, data)) + "]"
        case bool() | str() | None:
            return json.dumps(data)
        case _:
            return str(data)
