"""Scope: what the contract covers, and what the key may ask for.

Clause: `term`, `scope.models`, `scope.channels`, `scope.access`, `scope.affiliates`. A model that no catalogue
knows never comes here: `unknown_model` answers it with the nearest names.
"""

from __future__ import annotations

from offtake.contract.patterns import match_any
from offtake.gateway.admit.question import Looked
from offtake.gateway.ask import Refusal
from offtake.values.errors import CatalogError


def unknown_model(error: CatalogError) -> Refusal:
    """The answer to a name that no contract's catalogue knows: 404 with the nearest names."""
    found = error.findings[0]
    return Refusal("model", "G302", found.what, hint=found.hint)


def in_term(looked: Looked) -> Refusal | None:
    """The contract is in force."""
    span = looked.contract.span
    if looked.at in span:
        return None
    word = "has ended" if looked.at >= span.end else "has not begun"
    path = "term.until" if looked.at >= span.end else "term.from"
    return Refusal("policy", "G301", f"the contract {looked.terms.contract} {word}", looked.clause(path))


def model_covered(looked: Looked) -> Refusal | None:
    """`scope.models` covers the model."""
    model, patterns = looked.asked.model, looked.terms.scope.models
    if match_any(patterns, model):
        return None
    return Refusal(
        "policy", "G303", f"{model} is not in scope.models {patterns}", looked.clause("scope.models"),
        "ask for a model of the contract, or add it by an amendment",
    )  # fmt: skip


def channel_covered(looked: Looked) -> Refusal | None:
    """`scope.channels` covers the channel."""
    if looked.asked.channel in looked.terms.scope.channels:
        return None
    known = ", ".join(looked.terms.scope.channels)
    return Refusal(
        "policy", "G304", f"the channel {looked.asked.channel} is not covered: {known}",
        looked.clause("scope.channels"), "leave service_tier out",
    )  # fmt: skip


def access_covered(looked: Looked) -> Refusal | None:
    """`scope.access` covers the form of access of the outlet."""
    outlet = looked.asked.outlet
    if outlet.access in looked.terms.scope.access:
        return None
    what = f"access through {outlet.access} is not covered: {', '.join(looked.terms.scope.access)}"
    return Refusal("policy", "G305", what, looked.clause("scope.access"))


def affiliate_covered(looked: Looked) -> Refusal | None:
    """`scope.affiliates` covers the company behind the key."""
    affiliates, account = looked.terms.scope.affiliates, looked.asked.key.account
    if affiliates == "all" or match_any(affiliates, account):
        return None
    what = f"the account {account!r} of this key is not an affiliate under the contract"
    return Refusal("policy", "G306", what, looked.clause("scope.affiliates"))


def key_may(looked: Looked) -> Refusal | None:
    """The key's own lists: contracts, paths, models allowed and denied. A denial wins."""
    asked, key = looked.asked, looked.asked.key
    clause = f"key {key.id}"
    if key.contracts and asked.outlet.contract not in key.contracts:
        return Refusal("policy", "G307", f"this key may not use the contract {asked.outlet.contract}", clause)
    if key.scopes and asked.dialect not in key.scopes:
        return Refusal("policy", "G308", f"this key may not call {asked.dialect}", clause, ", ".join(key.scopes))
    if match_any(key.models_denied, asked.model) or not match_any(key.models, asked.model):
        return Refusal(
            "policy", "G309", f"this key may not use {asked.model}", clause, f"it may: {', '.join(key.models)}"
        )
    return None
