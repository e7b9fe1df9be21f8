"""A request as the wire of an outlet takes it: untouched where that speaks its dialect, else translated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from offtake.gateway.ask import Ask, BadAsk, Refusal
from offtake.gateway.dialects import BY_NAME, Dialect
from offtake.gateway.outlet import Outlet
from offtake.gateway.translate import BadRequest, Exchange, translate, wire_of

ANTHROPIC_VERSION = "2023-06-01"
"""The version that is sent to Anthropic for a client who sends none."""
TRANSLATED_TO = ("anthropic_messages", "openai_chat", "openai_responses")


class Spoken(NamedTuple):
    """A request in a vendor's `dialect`; `exchange` translates the answer back, None where nothing was translated."""

    dialect: Dialect
    ask: Ask
    exchange: Exchange | None = None


def prepare(outlet: Outlet, model: str, dialect: Dialect, ask: Ask, spoken: Sequence[str], at: int) -> Spoken | Refusal:
    """The request of a model for a wire that speaks these dialects, or why none can say it; `at` in Unix seconds."""
    if ask.dialect in spoken:
        return Spoken(dialect, ask)
    vendor = next((name for name in TRANSLATED_TO if name in spoken), None)
    if vendor is None or ask.dialect not in TRANSLATED_TO:
        return Refusal("bad_request", "G108", f"{outlet.name} speaks no {ask.dialect}: {', '.join(spoken)}")
    try:
        wire = wire_of(outlet.vendor, model, outlet.access, ANTHROPIC_VERSION)
        exchange = translate(ask.dialect, vendor, ask.body, wire, at)  # type: ignore[arg-type]  # names of dialects
        theirs = BY_NAME[vendor]
        return Spoken(theirs, theirs.read(exchange.path, {}, exchange.body), exchange)
    except BadRequest as error:
        what = f"{outlet.name} cannot take this: {error.message}"
        return Refusal("bad_request", "G108", what, hint=error.param or "")
    except BadAsk as error:
        return error.refusal
