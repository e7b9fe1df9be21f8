"""What is written into a request before it is weighed, because the key or its workload says so: never behind its back.

Server tools that a vendor calls as often as it likes have no price that anything bounds; `tool_calls_max` of the key
bounds them. A workload that the configuration marks as non-urgent may be served in the flex tier. What was written is
in the ask's `edited`, which a header names. An ask that needs nothing is untouched.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from offtake.gateway.admit.hold import shape_of
from offtake.gateway.ask import Ask
from offtake.gateway.callers import Caller
from offtake.gateway.dialects import Dialect
from offtake.gateway.dialects.anthropic_input import is_search
from offtake.gateway.dialects.asked import tools_of
from offtake.gateway.dialects.document import encoded, spliced
from offtake.gateway.in_force import InForce
from offtake.gateway.outlet import KeyRules, Outlet
from offtake.values.errors import OfftakeError

_OBJECTS = msgspec.json.Decoder(list[dict[str, Raw]]).decode
_NAMES = {"tools": "tools.max_uses"}


def amended(dialect: Dialect, ask: Ask, rules: KeyRules, headers: Mapping[bytes, bytes]) -> Ask:
    """The ask as it is weighed and sent."""
    most = rules.tool_calls_max
    if most is None or ask.server_tools <= most:
        return ask
    return written(dialect, ask, _tool_calls(ask, most), headers)


def flexed(
    dialect: Dialect, ask: Ask, caller: Caller, preferred: frozenset[bytes], in_force: InForce,
    headers: Mapping[bytes, bytes],
) -> Ask:  # fmt: skip
    """The ask in OpenAI's flex tier: of a non-urgent workload that wants it, where a contract prices it for the model.

    `preferred` are the call's preferences: `wait` asks for it. A tier that the client names stays.
    """
    patience = caller.patience
    wanted = patience is not None and (patience.flex or b"wait" in preferred)
    if not wanted or ask.dialect not in ("openai_chat", "openai_responses") or ask.tier not in ("", "auto"):
        return ask
    at = datetime.now(UTC)
    slow = replace(ask, tier="flex")
    for outlet, model in _selling(in_force, ask.model):
        if outlet.speaks == "openai" and "flex" in outlet.terms.contract.as_of(at).scope.channels:
            with contextlib.suppress(OfftakeError):
                shape = shape_of(slow, outlet, model, caller.rules)
                outlet.bounds.ceiling(shape._replace(channels=("flex",)), at)  # UnpricedError where it has no price
                return written(dialect, ask, {"service_tier": b'"flex"'}, headers)
    return ask


def _selling(in_force: InForce, name: str) -> tuple[tuple[Outlet, str], ...]:
    """Where a model is sold; nowhere, as the admission will say."""
    try:
        return in_force.selling(name)
    except OfftakeError:
        return ()


def written(dialect: Dialect, ask: Ask, changes: Mapping[str, bytes], headers: Mapping[bytes, bytes]) -> Ask:
    """The ask with members of its body changed or added, read again."""
    if not changes:
        return ask
    found = dialect.read("", headers, spliced(ask.body, ask.fields, changes))
    found.edited = (*ask.edited, *(_NAMES.get(name, name) for name in changes))
    return found


def _tool_calls(ask: Ask, most: int) -> dict[str, bytes]:
    """The members that bound the calls of server tools; none where the dialect has no word for it."""
    if ask.dialect == "openai_responses":
        return {"max_tool_calls": encoded(most)}
    kinds = tools_of(ask.fields) if ask.dialect == "anthropic_messages" else []
    searches = sum(is_search(tool.type) for tool in kinds)
    if not searches:
        return {}
    each = max(most // searches, 1)  # a tool that may be used 0 times is none to Anthropic
    tools = _OBJECTS(ask.fields["tools"])
    for tool, kind in zip(tools, kinds, strict=True):
        if is_search(kind.type) and (kind.max_uses is None or kind.max_uses > each):
            tool["max_uses"] = Raw(encoded(each))
    return {"tools": encoded(tools)}
