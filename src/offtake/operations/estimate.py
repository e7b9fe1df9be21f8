"""Estimate: what a workload would cost before it runs, in the configurations that a team can choose.

The workload becomes usage records, and rating prices them: no price is computed here. Totals are contracted costs of
the usage itself, without commitments, tiers on spend and fees, which depend on everything else that runs.

    list        all of it in realtime, nothing cached, at list price
    contract    the same at the contract's prices (only with a contract)
    cache       shares of the input read from, and written to, the cache
    batch       a share of the requests in batch
    batch+cache both
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from offtake.contract.contract import Contract
from offtake.contract.list_only import list_contract
from offtake.operations.contracts import Opened, moment_of, open_contract
from offtake.rating.lines import Invoices
from offtake.rating.rate import rate_records
from offtake.store.catalogs import open_catalog
from offtake.usage.record import UsageRecord, validated
from offtake.values.errors import InputError
from offtake.values.money import divide, quantize, total

CACHE_WRITES = {"5m": "cache_write_5m_tokens", "1h": "cache_write_1h_tokens"}
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Workload:
    """Tokens of one model. Shares lie between 0 and 1: of the input (cache), of the requests (batch)."""

    model: str
    input_tokens: int
    output_tokens: int
    cache_read: Decimal = Decimal(0)
    cache_write: Decimal = Decimal(0)
    ttl: str = "5m"
    batch: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Configuration:
    """One way to run the workload; `saving` is the list price less the total."""

    name: str
    total: Decimal
    saving: Decimal
    saving_share: Decimal


@dataclass(frozen=True, slots=True)
class Estimate:
    """The list price of the plain workload, and every configuration, the plain one first."""

    priced_at: datetime
    rated: Invoices
    list: Decimal
    configurations: tuple[Configuration, ...]


def estimate(
    workload: Workload,
    contract: Path | None = None,
    *,
    catalogs: Sequence[Path] = (),
    at: datetime | date | None = None,
    stance: str | None = None,
) -> Estimate:
    """The configurations that the workload's shares give. `at` is when it runs: today, or the term's nearest instant.

    Each request is taken to lie below every context threshold. InputError for shares that cannot be; CatalogError or
    UnpricedError where something has no price.
    """
    if workload.cache_read + workload.cache_write > ONE:
        raise InputError(
            "U196", "more than all of the input is cached", hint="--cache-read + --cache-write is at most 100%"
        )
    catalog = open_catalog(catalogs)
    signed = open_contract(contract, catalogs=catalogs, stance=stance) if contract else None
    moment = _moment(at, signed.contract if signed else None)
    public = Opened(list_contract(moment.date(), moment.date()), catalog)
    plain = replace(workload, cache_read=Decimal(0), cache_write=Decimal(0), batch=Decimal(0))
    listed = _rated(plain, public, moment)
    whole = _contracted(listed)
    chosen = signed or public
    rows = [("list", whole)]
    rows += [
        (name, _contracted(_rated(each, chosen, moment))) for name, each in _ways(workload, plain, signed is not None)
    ]
    found = tuple(Configuration(name, cost, whole - cost, _share(whole - cost, whole)) for name, cost in rows)
    return Estimate(moment, _rated(plain, chosen, moment) if signed else listed, whole, found)


def _ways(workload: Workload, plain: Workload, signed: bool) -> Iterator[tuple[str, Workload]]:
    cached = bool(workload.cache_read or workload.cache_write)
    if signed:
        yield "contract", plain
    if cached:
        yield "cache", replace(workload, batch=Decimal(0))
    if workload.batch:
        yield "batch", replace(plain, batch=workload.batch)
    if cached and workload.batch:
        yield "batch+cache", workload


def _rated(workload: Workload, opened: Opened, at: datetime) -> Invoices:
    found = rate_records(list(_records(workload, at)), opened.contract, opened.catalog, opened.facts)
    for reason in found.unpriced:
        raise InputError("U195", f"the workload cannot be priced: {reason}")
    return found


def _records(workload: Workload, at: datetime) -> Iterator[UsageRecord]:
    """The workload as one record a channel; shares of tokens are whole tokens, the rest stays in realtime."""
    quantities = {"input_tokens": workload.input_tokens, "output_tokens": workload.output_tokens}
    for meter, share in (
        ("cache_read_tokens", workload.cache_read),
        (CACHE_WRITES[workload.ttl], workload.cache_write),
    ):
        quantities[meter] = int(workload.input_tokens * share)
        quantities["input_tokens"] -= quantities[meter]
    batch = {meter: int(quantity * workload.batch) for meter, quantity in quantities.items()}
    realtime = {meter: quantity - batch[meter] for meter, quantity in quantities.items()}
    for channel, tokens in (("realtime", realtime), ("batch", batch)):
        used = {meter: quantity for meter, quantity in tokens.items() if quantity}
        if used or channel == "realtime":
            record = UsageRecord(
                id=channel, used_at=at, model=workload.model, quantities=used, channel=channel, context_tokens=0
            )
            yield validated(record)


def _contracted(invoices: Invoices) -> Decimal:
    lines = (line for invoice in invoices.invoices for line in invoice.lines if line.kind == "usage")
    return total(line.amounts.contracted for line in lines)


def _moment(at: datetime | date | None, contract: Contract | None) -> datetime:
    if contract:
        return moment_of(at, contract)
    if isinstance(at, datetime):
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    return datetime(at.year, at.month, at.day, tzinfo=UTC) if at else datetime.now(UTC)


def _share(part: Decimal, whole: Decimal) -> Decimal:
    return quantize(divide(part, whole), 4) if whole else Decimal(0)
