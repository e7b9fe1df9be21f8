"""What the gateway serves now: ended requests as they are posted, and sums of the last minutes. Without content.

The ledger is read, which is some tenths of a second behind the workers, and stays when nothing runs.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from offtake.operations.gateway_store import gateway_ledger
from offtake.store.ledger.history import block_before, events_after, instant, last_block
from offtake.store.ledger.keys import read_keys
from offtake.store.ledger.leases import microseconds
from offtake.store.ledger.ledger import Ledger
from offtake.store.ledger.posting import intent_of
from offtake.values.money import from_pico

LOOK_SECONDS = 0.2
ENDS = ("settle", "release", "resolve")
GROUPS = ("key", "model", "contract", "outcome")


@dataclass(frozen=True, slots=True)
class Request:
    """One attempt that has ended. `outlet` is the vendor; tokens in count what a cache held. `ms` None: not known.

    `outcome` is that of its usage record, `not_sent` for what was released, `resolved` for what a person resolved.
    """

    id: str
    at: datetime
    key: str
    model: str
    contract: str
    outlet: str
    outcome: str
    input_tokens: int
    output_tokens: int
    cost_pico: int
    ms: int | None

    def row(self) -> dict[str, object]:
        """It as JSON has it."""
        names = ("id", "at", "key", "model", "contract", "outlet", "outcome", "input_tokens", "output_tokens")
        return {name: getattr(self, name) for name in names} | {"cost": from_pico(self.cost_pico), "ms": self.ms}


@dataclass(slots=True)
class Sum:
    """The requests of one key, model, contract or outcome."""

    name: str
    requests: int = 0
    failed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_pico: int = 0
    ms: list[int] = field(default_factory=list)

    def add(self, request: Request) -> None:
        """One more."""
        self.requests += 1
        self.failed += request.outcome != "ok"
        self.input_tokens += request.input_tokens
        self.output_tokens += request.output_tokens
        self.cost_pico += request.cost_pico
        if request.ms is not None:
            self.ms.append(request.ms)

    def row(self) -> dict[str, object]:
        """It as JSON has it."""
        names = ("name", "requests", "failed", "input_tokens", "output_tokens")
        found: dict[str, object] = {name: getattr(self, name) for name in names}
        return found | {
            "cost": from_pico(self.cost_pico),
            "ms_p50": at_share(self.ms, 50),
            "ms_p95": at_share(self.ms, 95),
        }


def tail(last: int, follow: bool, *, config: Path | None, store: Path | None) -> Iterator[Request]:
    """The last so many requests, and then, where `follow`, each as it is posted, for ever."""
    with gateway_ledger(config, store) as ledger:
        names = _names(ledger)
        block = last_block(ledger)
        yield from [_request(ledger, event, names) for event in _last(ledger, block, last)]
        while follow:
            for number, event in events_after(ledger, block, *ENDS):
                if event.get("key_id", "") not in names:  # made since
                    names = _names(ledger)
                block = number
                yield _request(ledger, event, names)
            time.sleep(LOOK_SECONDS)


def top(by: str, minutes: int, now: datetime, *, config: Path | None, store: Path | None) -> list[Sum]:
    """The requests that ended in the last minutes, summed by one of `GROUPS`, the dearest first."""
    since = now - timedelta(minutes=minutes)
    sums: dict[str, Sum] = {}
    with gateway_ledger(config, store) as ledger, ledger.reading():
        names = _names(ledger)
        for _, event in events_after(ledger, block_before(ledger, microseconds(since)), *ENDS):
            request = _request(ledger, event, names)
            if request.at >= since:
                name = getattr(request, by)
                sums.setdefault(name, Sum(name)).add(request)
    return sorted(sums.values(), key=lambda each: (-each.cost_pico, -each.requests, each.name))


def at_share(values: Iterable[int], percent: int) -> int | None:
    """The value that so many of a hundred do not exceed; None of none."""
    found = sorted(values)
    return found[max(-(-len(found) * percent // 100), 1) - 1] if found else None


def _last(ledger: Ledger, block: int, count: int) -> list[Mapping[str, Any]]:
    """The last so many ends up to a block: looked for in ever longer stretches, since most blocks hold many."""
    stretch, found = 1, list[Mapping[str, Any]]()
    while count:
        start = max(block - stretch, 0)
        found = [event for number, event in events_after(ledger, start, *ENDS) if number <= block]
        if len(found) >= count or not start:
            break
        stretch *= 4
    return found[-count:] if count else []


def _names(ledger: Ledger) -> dict[str, str]:
    return {key.id: key.name for key in read_keys(ledger)}


def _request(ledger: Ledger, event: Mapping[str, Any], names: Mapping[str, str]) -> Request:
    if event["kind"] != "settle":  # whose it was, its intent says
        event = {**intent_of(ledger, event["id"]), **event}
    quantities = event.get("quantities", {})
    outcome = {"release": "not_sent", "resolve": "resolved"}.get(event["kind"]) or event.get("outcome", "ok")
    key = event.get("key_id", "")
    return Request(
        event["id"], instant(event["at"]), names.get(key, key), event.get("model", ""), event.get("contract", ""),
        event.get("vendor", ""), outcome, event.get("context_tokens") or quantities.get("input_tokens", 0),
        quantities.get("output_tokens", 0), event.get("cost_pico", 0), event.get("latency_ms"),
    )  # fmt: skip
