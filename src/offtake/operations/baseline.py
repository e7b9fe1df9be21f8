"""The baseline of a contract: how fast, reliable and good each model was over a span, kept at signing and signed.

The ledger is what counts: attempts that were dispatched through the gateway. How good a model was is what signed
results of `offtake accept` beside the contract say. baseline_compare.py compares later traffic with the file, which
stands beside the contract: `sla.latency.no_worse_than: baseline`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from offtake.contract.contract import Contract
from offtake.contract.patterns import canonical
from offtake.contract.schema.service import Latency, LatencyLoad
from offtake.operations.accepted_results import read_accepted
from offtake.operations.contracts import load_contract
from offtake.operations.gateway_store import DEFAULT_CONFIG, gateway_ledger, store_path
from offtake.operations.serve_config import load_config
from offtake.operations.signatures import is_signed, signed
from offtake.operations.traffic import at_share
from offtake.planner.routing.accepted import Accepted
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
TIMES = ("latency_ms", "first_token_ms")


@dataclass(slots=True)
class Measured:
    """One model's attempts: latencies in milliseconds, of those that went well."""

    requests: int = 0
    failed: int = 0
    throttled: int = 0
    latency_ms: list[int] = field(default_factory=list)
    first_token_ms: list[int] = field(default_factory=list)

    def add(self, settle: Mapping[str, Any], load: LatencyLoad | None) -> None:
        """One more attempt; its latencies where it is of the load that a promise is about."""
        outcome = settle.get("outcome", "ok")
        self.requests += 1
        if settle.get("evidence", {}).get("ended") in THROTTLED:
            self.throttled += 1
        elif outcome in FAILED:
            self.failed += 1
        if outcome == "ok" and (load is None or _within(settle, load)):
            for name in TIMES:
                if settle.get(name) is not None:
                    getattr(self, name).append(settle[name])

    def row(self, model: str) -> dict[str, object]:
        """It as the file has it; shares are decimals as text."""
        found: dict[str, object] = {"model": model, "requests": self.requests}
        for name in ("failed", "throttled"):
            count = getattr(self, name)
            found |= {name: count, f"{name}_share": str((Decimal(count) / self.requests).quantize(Decimal("0.000001")))}
        for name in TIMES:
            found[name] = {f"p{share}": at_share(getattr(self, name), share) for share in (50, 95, 99)}
        return found | {"counted": {name: len(getattr(self, name)) for name in TIMES}}


def baseline_file(contract_file: Path) -> Path:
    """Where the baseline of a contract is."""
    return contract_file.with_name(f"{contract_file.stem}.baseline.json")


def promised(contract: Contract, at: datetime) -> Latency | None:
    """What a contract says of latency at an instant."""
    sla = contract.as_of(at).sla
    return sla.latency if sla else None


def record_baselines(since: datetime, until: datetime, by: str, *, config: Path | None) -> list[Path]:
    """Write the baseline of each contract that had traffic in the span; the files, beside their contracts.

    InputError (L726) where none had enough, or where nobody signs.
    """
    if not by.strip():
        raise InputError("L726", "a baseline is signed off by somebody", hint="--by NAME")
    loaded = load_config(config or DEFAULT_CONFIG)
    secret = server_secret(loaded.store)
    written = []
    for each in loaded.settings.contracts:
        path = loaded.path(each.file)
        contract = load_contract(path)
        name = contract.signed.contract
        accepted, _ = read_accepted(path, contract, loaded.store, until)
        measured = measure(contract, since, until, config).items()
        rows = [
            found.row(model) | {"quality": quality_of(model, accepted)}
            for model, found in sorted(measured)
            if found.requests >= REQUESTS_MIN
        ]
        if rows:
            document = {
                "baseline": name,
                "from": since.isoformat(),
                "until": until.isoformat(),
                "by": by,
                "models": rows,
            }
            target = baseline_file(path)
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


def measure(contract: Contract, since: datetime, until: datetime, config: Path | None) -> dict[str, Measured]:
    """What the ledger has of each model under a contract in a span: latencies of what its promise is about."""
    found: dict[str, Measured] = {}
    first, end = microseconds(since), microseconds(until)
    latency = promised(contract, until)
    load = latency.at if latency else None
    with gateway_ledger(config, None) as ledger, ledger.reading():
        for _, event in events_after(ledger, block_before(ledger, first), "settle"):
            if event["contract"] == contract.signed.contract and first <= event["at"] < end:
                found.setdefault(event["model"], Measured()).add(event, load)
    return found


def quality_of(model: str, accepted: Iterable[Accepted]) -> list[dict[str, object]]:
    """How a model did on each suite of which a signed result is there, as a baseline has it."""
    return [
        {"suite": each.suite, "passed": each.passed, "tasks": each.tasks}
        for each in accepted
        if canonical(each.model) == canonical(model)
    ]


def _within(settle: Mapping[str, Any], load: LatencyLoad) -> bool:
    quantities = settle["quantities"]
    tokens_in = settle.get("context_tokens") or quantities.get("input_tokens", 0)
    tokens_out = quantities.get("output_tokens", 0)
    limits = ((tokens_in, load.input_tokens_max), (tokens_out, load.output_tokens_max))
    return all(most is None or tokens <= most for tokens, most in limits)
