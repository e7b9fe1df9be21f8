"""Offtake runs a company's LLM contract: prices it before signing, and checks every bill after.

The names below are the public API; docs/reference/python.md describes them. Each is loaded when it is first used, so
that `import offtake` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["OfftakeError", "Position", "UsageRecord", "load_contract", "position_after", "price", "rate"]

_HOMES = {
    "OfftakeError": "offtake.values.errors",
    "Position": "offtake.rating.run",
    "UsageRecord": "offtake.usage.record",
    "load_contract": "offtake.operations.contracts",
    "position_after": "offtake.operations.price_record",
    "price": "offtake.operations.price_record",
    "rate": "offtake.operations.rate_from_python",
}

if TYPE_CHECKING:
    from offtake.operations.contracts import load_contract
    from offtake.operations.price_record import position_after, price
    from offtake.operations.rate_from_python import rate
    from offtake.rating.run import Position
    from offtake.usage.record import UsageRecord
    from offtake.values.errors import OfftakeError


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'offtake' has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
