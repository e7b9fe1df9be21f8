"""The baseline of a contract: how fast and how reliable each model was over a span, kept at signing and signed.

The ledger is what counts: attempts that were dispatched through the gateway. A clause `no_worse_than: baseline`
compares later traffic with the file, which stands beside the contract.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from offtake.operations.contracts import load_contract
from offtake.operations.gateway_store import DEFAULT_CONFIG, gateway_ledger, store_path
from offtake.operations.serve_config import load_config
from offtake.operations.signatures import is_signed, signed
from offtake.operations.traffic import at_share
from offtake.store.files import replacing
from offtake.store.ledger.history import block_before, events_after
from offtake.store.ledger.keys import server_secret
from offtake.store.ledger.leases import microseconds
from offtake.values.errors import InputError

FAILED = ("http_5xx", "timeout", "vendor_truncation")
"""Outcomes that are the vendor's fault."""
THROTTLED = ("429", "529", "rate_limit_error", "rate_limit_exceeded", "overloaded_error")
REQUESTS_MIN = 20
"""Fewer say nothing of a 95th percentile."""


@dataclass(slots=True)
class Measured:
    """One model's attempts: latencies in milliseconds, of those that went well."""

    requests: int = 0
    failed: int = 0
    throttled: int = 0
    latency_ms: list[int] = field(default_factory=list)
    first_token_ms: list[int] = field(default_factory=list)

    def add(self, settle: Mapping[str, Any]) -> None:
        """One more attempt."""
        outcome = settle.get("outcome", "ok")
        self.requests += 1
        if settle.get("evidence", {}).get("ended") in THROTTLED:
            self.throttled += 1
        elif outcome in FAILED:
            self.failed += 1
        if outcome == "ok":
            for name in ("latency_ms", "first_token_ms"):
                if settle.get(name) is not None:
                    getattr(self, name).append(settle[name])

    def row(self, model: str) -> dict[str, object]:
        """It as the file has it; shares are decimals as text."""
        found: dict[str, object] = {"model": model, "requests": self.requests}
        for name in ("failed", "throttled"):
            count = getattr(self, name)
            found |= {name: count, f"{name}_share": str((Decimal(count) / self.requests).quantize(Decimal("0.000001")))}
        for name in ("latency_ms", "first_token_ms"):
            found[name] = {f"p{share}": at_share(getattr(self, name), share) for share in (50, 95, 99)}
        return found


def record_baselines(since: datetime, until: datetime, by: str, *, config: Path | None) -> list[Path]:
    """Write the baseline of each contract that had traffic in the span; the files, beside their contracts.

    InputError (L726) where none had enough, or where nobody signs.
    """
    if not by.strip():
        raise InputError("L726", "a baseline is signed off by somebody", hint="--by NAME")
    loaded = load_config(config or DEFAULT_CONFIG)
    measured = _measured(since, until, config)
    secret = server_secret(loaded.store)
    written = []
    for each in loaded.settings.contracts:
        path = loaded.path(each.file)
        name = load_contract(path).signed.contract
        models = {model: found for (contract, model), found in sorted(measured.items()) if contract == name}
        rows = [found.row(model) for model, found in models.items() if found.requests >= REQUESTS_MIN]
        if rows:
            document = {
                "baseline": name,
                "from": since.isoformat(),
                "until": until.isoformat(),
                "by": by,
                "models": rows,
            }
            target = path.with_name(f"{path.stem}.baseline.json")
            with replacing(target) as file:
                file.write(json.dumps(signed(document, secret), indent=2, ensure_ascii=False).encode() + b"\n")
            written.append(target)
    if not written:
        raise InputError(
            "L726", f"no model had {REQUESTS_MIN} requests under a contract in that span", hint="measure for longer"
        )
    return written


def check_baseline(path: Path, *, config: Path | None, store: Path | None) -> dict[str, Any]:
    """What a baseline file says. InputError (L726) where it is none, or was not signed with this store's secret."""
    try:
        document = json.loads(path.read_bytes())
    except ValueError:
        document = None
    if not isinstance(document, dict) or not isinstance(document.get("models"), list):
        raise InputError("L726", f"{path} is no baseline", hint="`offtake baseline record` writes one")
    if not is_signed(document, server_secret(store_path(config, store))):
        raise InputError("L726", f"{path} was changed since it was signed, or signed with another store's secret")
    return document


def _measured(since: datetime, until: datetime, config: Path | None) -> dict[tuple[str, str], Measured]:
    found: dict[tuple[str, str], Measured] = {}
    first, end = microseconds(since), microseconds(until)
    with gateway_ledger(config, None) as ledger, ledger.reading():
        for _, event in events_after(ledger, block_before(ledger, first), "settle"):
            if first <= event["at"] < end:
                found.setdefault((event["contract"], event["model"]), Measured()).add(event)
    return found
