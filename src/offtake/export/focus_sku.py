"""The names of what is sold: meters, units, SKUs and their price details, in the words of FOCUS.

One row a token class, as the AI billing examples of the specification have it: consumed in Tokens, priced in
1000000 Tokens. In FOCUS 1.2 the model and token properties carry the prefix `x_`; later versions drop it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from offtake.catalog.list_price import ModelFacts
from offtake.rating.lines import Line
from offtake.usage.meters import BY_NAME

_CACHE_ACTIONS = {"": "Uncached", "read": "Read", "write_5m": "Write", "write_1h": "Write"}
_CACHE_WORDS = {"": "", "read": "Cache Read ", "write_5m": "Cache Write 5m ", "write_1h": "Cache Write 1h "}


def sku_meter(line: Line) -> str:
    """`Input Tokens`, `Cache Read Input Tokens`, `Web Searches`; for fees the words of the clause: `Fees Platform`."""
    meter = BY_NAME.get(line.meter)
    if meter is None:
        return _words(_root(line.clause).replace(".", "_"))
    if not meter.is_token or not meter.cache:
        return _words(meter.name)
    modality = "Audio " if "audio" in meter.name else ""
    return f"{_CACHE_WORDS[meter.cache]}{modality}Input Tokens"


def consumed_unit(line: Line) -> str:
    """What one piece is: Tokens, Requests, Searches; a currency stays as it is: USD."""
    meter = BY_NAME.get(line.meter)
    if meter is not None:
        return "Tokens" if meter.is_token else _words(meter.name.rsplit("_", 1)[-1])
    return line.unit if line.unit.isupper() else f"{_words(line.unit)}s"


def pieces_per_unit(line: Line) -> int:
    """How many pieces one price covers: 1000000 tokens, 1000 searches, one of anything else."""
    meter = BY_NAME.get(line.meter)
    return meter.per if meter else 1


def pricing_unit(line: Line) -> str:
    """The unit of the price: `1000000 Tokens`."""
    pieces = pieces_per_unit(line)
    return consumed_unit(line) if pieces == 1 else f"{pieces} {consumed_unit(line)}"


def sku_id(line: Line, vendor: str) -> str:
    """What is sold, whatever its price: vendor, model and meter; vendor and clause where no model is."""
    parts = (vendor, line.model, line.meter) if line.model else (vendor, _root(line.clause))
    return "/".join(part for part in parts if part)


def sku_price_id(line: Line, vendor: str) -> str:
    """One price of it: the SKU in a channel, through an access form, in a region."""
    return "/".join(part for part in (sku_id(line, vendor), line.channel, line.access, line.region) if part)


def sku_price_details(line: Line, vendor: str, facts: ModelFacts | None) -> str | None:
    """The price's properties as a JSON object; None for what is no model's. A family that nobody states is left out."""
    if not line.model:
        return None
    meter = BY_NAME.get(line.meter)
    family = facts.family if facts else ""
    version = line.model.removeprefix(f"{family}-") if family and line.model.startswith(f"{family}-") else ""
    cache_action = _CACHE_ACTIONS[meter.cache] if meter and meter.is_token and meter.direction == "input" else ""
    details = {
        "x_ModelDeveloper": (facts.vendor if facts else "") or vendor,
        "x_ModelFamily": family,
        "x_ModelId": line.model,
        "x_ModelVersion": version,
        "x_TokenDirection": meter.direction.capitalize() if meter and meter.is_token else "",
        "x_TokenCacheAction": cache_action,
        "x_ServiceTier": "standard" if line.channel == "realtime" else line.channel,
    }
    return key_values({name: value for name, value in details.items() if value})


def key_values(pairs: Mapping[str, str]) -> str | None:
    """A key-value column: one JSON object, keys in order, None where there is nothing to say."""
    return json.dumps(dict(sorted(pairs.items())), ensure_ascii=False, separators=(",", ":")) if pairs else None


def _root(clause: str) -> str:
    """A clause path without its indices, so that a SKU keeps its name when terms are added: `commitments.prepaid`."""
    return ".".join(step.split("[", 1)[0] for step in clause.split("."))


def _words(name: str) -> str:
    return " ".join(word.capitalize() for word in name.split("_"))
