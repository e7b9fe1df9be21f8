"""The models that a caller may use, as each dialect lists them: what the contracts in force sell, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from offtake.catalog.list_price import ModelFacts
from offtake.contract.patterns import match_any
from offtake.gateway.in_force import InForce
from offtake.gateway.outlet import KeyRules


def listed(in_force: InForce, key: KeyRules, at: datetime, *, anthropic: bool) -> bytes:
    """The list, in Anthropic's words or in OpenAI's."""
    found = list(_models(in_force, key, at))
    if not anthropic:
        return json.dumps({"object": "list", "data": [_openai(vendor, facts) for vendor, facts in found]}).encode()
    data = [_anthropic(facts) for _, facts in found]
    ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {"first_id": None, "last_id": None}
    return json.dumps({"data": data, "has_more": False, **ends}).encode()


def one(in_force: InForce, key: KeyRules, at: datetime, name: str, *, anthropic: bool) -> bytes | None:
    """One model; None where the caller may use none of that name."""
    for vendor, facts in _models(in_force, key, at):
        if facts.id == name:
            return json.dumps(_anthropic(facts) if anthropic else _openai(vendor, facts)).encode()
    return None


def _models(in_force: InForce, key: KeyRules, at: datetime) -> Iterator[tuple[str, ModelFacts]]:
    seen = set()
    for outlet in in_force.outlets:
        contract = outlet.terms.contract
        if at not in contract.span or (key.contracts and outlet.contract not in key.contracts):
            continue
        patterns = contract.as_of(at).scope.models
        for facts in outlet.terms.catalog.models(outlet.vendor):
            allowed = match_any(patterns, facts.id) and match_any(key.models, facts.id)
            if allowed and not match_any(key.models_denied, facts.id) and facts.id not in seen:
                seen.add(facts.id)
                yield outlet.vendor, facts


def _openai(vendor: str, facts: ModelFacts) -> dict[str, object]:
    launched = int(facts.launched.timestamp()) if facts.launched else 0
    return {"id": facts.id, "object": "model", "created": launched, "owned_by": vendor}


def _anthropic(facts: ModelFacts) -> dict[str, object]:
    launched = facts.launched or datetime(1970, 1, 1, tzinfo=UTC)
    shown = f"{launched:%Y-%m-%dT%H:%M:%SZ}"
    return {"type": "model", "id": facts.id, "display_name": facts.id, "created_at": shown}
