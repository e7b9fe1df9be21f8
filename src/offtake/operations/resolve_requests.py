"""Ending requests that nobody knows the end of: by hand, with a cost and a reason, or by the vendor's usage report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from offtake.ledger.resolutions import Open, Resolution, rows_of
from offtake.operations.contracts import open_contract
from offtake.operations.gateway_store import DEFAULT_CONFIG, gateway_ledger
from offtake.operations.serve_config import load_config
from offtake.operations.usage_input import open_usage
from offtake.rating.compiled import CompiledTerms
from offtake.rating.request import priced_alone
from offtake.store.ledger.history import block_before, events_after, instant
from offtake.store.ledger.leases import Unresolved, microseconds, unresolved
from offtake.store.ledger.ledger import Ledger
from offtake.store.ledger.posting import post_resolutions
from offtake.usage.record import UsageRecord
from offtake.usage.usage_objects import context_of
from offtake.values.errors import CatalogError, InputError, OfftakeError
from offtake.values.money import to_integer
from offtake.values.periods import Interval

_EVER = Interval(datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
Cost = Callable[[Unresolved], int]
"""What a request has cost, in picodollars, by a person's word."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What became of the unresolved requests: those that ended, and those that are left with the reason."""

    ended: list[Resolution]
    left: list[tuple[Unresolved, str]]


def unresolved_requests(*, config: Path | None, store: Path | None) -> list[Unresolved]:
    """Requests that were sent and whose end nobody wrote down, the oldest first."""
    with gateway_ledger(config, store) as ledger:
        return unresolved(ledger)


def resolve_by_hand(
    names: Sequence[str], cost: Cost, by: str, why: str, *, before: datetime | None = None, dry: bool = False,
    config: Path | None, store: Path | None,
) -> Resolved:  # fmt: skip
    """End the named requests, or where none is named all that were sent before an instant.

    InputError L728 for a name that is not unresolved, or where who and why are missing.
    """
    _check_said(by, why)
    with gateway_ledger(config, store) as ledger:
        found = {each.request: each for each in unresolved(ledger)}
        unknown = [name for name in names if name not in found]
        if unknown:
            hint = "`offtake ledger unresolved` lists those that are"
            raise InputError("L728", f"the request {unknown[0]} is not unresolved", hint=hint)
        chosen = [found[name] for name in dict.fromkeys(names)] if names else _sent_before(found.values(), before)
        at = microseconds(datetime.now(UTC))
        ended = [_resolution(each, cost(each), at, by, why) for each in chosen]
        if not dry:
            post_resolutions(ledger, ended, at)
        return Resolved(ended, [])


def resolve_by_usage(
    files: Sequence[Path], by: str, why: str, *, absent: Cost | None = None, dry: bool = False,
    config: Path | None, store: Path | None,
) -> Resolved:  # fmt: skip
    """End the requests whose rows are in a vendor's usage files, at what their usage costs under their contract.

    `absent`: what those cost that the files do not have, although they go on beyond them; None leaves them open.
    InputError L728 where who and why are missing, or where the configuration that names the contracts is.
    """
    _check_said(by, why)
    terms, seconds = _terms_of(config)
    with gateway_ledger(config, store) as ledger, open_usage(files) as usage:
        open_now = unresolved(ledger)
        rows = [row for row in usage.source.ordered(_EVER) if row.grain == "request"]
        if not rows:
            raise InputError("L728", "the files name no single requests", hint="export usage by request, not by day")
        booked = _booked(ledger, min((each.at for each in open_now), default=0))
        rows = [row for row in rows if row.id not in booked and row.vendor_request_id not in booked]
        until = max((microseconds(row.used_at) for row in usage.source.ordered(_EVER)), default=0)
        asked = [_asked(each) for each in open_now]
        matched, unclear = rows_of(asked, rows, lambda each, row: _is_model(terms, each, row), seconds * 1_000_000)
        ended, left = [], []
        at = microseconds(datetime.now(UTC))
        for each in open_now:
            row = matched.get(each.request)
            try:
                if row is not None:
                    ended.append(_settled(each, row, terms, at, by, why))
                elif absent is not None and each.at < until and each.request not in unclear:
                    ended.append(_resolution(each, absent(each), at, by, why))
                else:
                    left.append((each, "its row is not the only one" if each.request in unclear else "no row"))
            except OfftakeError as error:
                left.append((each, f"{error.code}: its row cannot be priced"))
        if not dry:
            post_resolutions(ledger, ended, at)
        return Resolved(ended, left)


def as_held(request: Unresolved) -> int:
    """The dearest that it may have cost."""
    return max(request.holds.values(), default=0)


def _check_said(by: str, why: str) -> None:
    if not by.strip() or not why.strip():
        raise InputError("L728", "a resolution needs who and why", hint="--by NAME --why WORDS")


def _sent_before(requests: Iterable[Unresolved], before: datetime | None) -> list[Unresolved]:
    return [each for each in requests if before is None or each.at < microseconds(before)]


def _asked(request: Unresolved) -> Open:
    intent = request.intent
    return Open(
        request.request, request.at, str(intent.get("model", "")), str(intent.get("contract", "")), tuple(request.holds)
    )


def _resolution(request: Unresolved, cost_pico: int, at: int, by: str, why: str) -> Resolution:
    intent = request.intent
    return Resolution(
        request.request, at, tuple(request.holds), cost_pico, str(intent.get("contract", "")),
        str(intent.get("vendor", "")), by, why,
    )  # fmt: skip


def _settled(
    request: Unresolved, row: UsageRecord, terms: dict[str, CompiledTerms], at: int, by: str, why: str
) -> Resolution:
    """As the gateway would have settled it, had it read the usage."""
    intent = request.intent
    record = replace(
        row, id=request.request, used_at=instant(request.at), vendor=intent["vendor"], model=intent["model"],
        access=intent.get("access", "api"), region=intent.get("region", "global"),
        context_tokens=row.context_tokens or context_of(row.quantities), outcome=row.outcome or "ok",
        workload=intent.get("workload", ""), account=intent.get("customer", ""),
    )  # fmt: skip
    piece = priced_alone(terms[intent["contract"]], record)
    credited = sum(entry.credited for entry in piece.entries)
    cost = piece.contracted - (to_integer(credited) if credited else 0)
    more: dict[str, object] = {
        "key_id": intent.get("key_id", ""), "outcome": record.outcome, "account": record.account,
        "channel": record.channel, "region": record.region, "workload": record.workload,
        "customer": intent.get("customer", ""), "tags": intent.get("tags", {}),
        "context_tokens": record.context_tokens, "tier_requested": intent.get("tier_requested", ""),
        "tier_served": record.tier_served, "vendor_request_id": row.vendor_request_id or row.id,
        "clauses": list(dict.fromkeys(entry.price.clause for entry in piece.entries)),
        "evidence": {"resolved_by": by, "resolved_because": why},
    }  # fmt: skip
    return replace(
        _resolution(request, cost, at, by, why), used_at=request.at, model=record.model, access=record.access,
        list_pico=piece.public, quantities=dict(record.quantities), more=more,
    )  # fmt: skip


def _terms_of(config: Path | None) -> tuple[dict[str, CompiledTerms], int]:
    """The contracts of the configuration by name, and how long a request may take."""
    file = config or DEFAULT_CONFIG
    if not file.exists():
        raise InputError("L728", "usage is priced under contracts, and no configuration names them", hint="--config")
    loaded = load_config(file)
    found = {}
    for each in loaded.settings.contracts:
        opened = open_contract(
            loaded.path(each.file), catalogs=[loaded.path(name) for name in each.catalogs],
            facts=[loaded.path(name) for name in each.facts],
        )  # fmt: skip
        found[opened.contract.signed.contract] = CompiledTerms(opened.contract, opened.catalog, opened.facts)
    return found, loaded.settings.gateway.request_seconds_max


def _booked(ledger: Ledger, since: int) -> set[str]:
    """The vendors' names of requests that the books have."""
    settled = events_after(ledger, block_before(ledger, since), "settle")
    return {str(event["vendor_request_id"]) for _, event in settled if event.get("vendor_request_id")}


def _is_model(terms: dict[str, CompiledTerms], request: Open, row: UsageRecord) -> bool:
    """Whether a vendor's row is of the request's model, under any of its names."""
    own = terms.get(request.contract)
    if own is None:
        return False
    try:
        found = own.catalog.resolve(row.model, own.contract.signed.vendor)
        return request.model in (row.model, found.id)
    except CatalogError:
        return row.model == request.model
