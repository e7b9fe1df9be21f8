"""Crossover: open the aggregator's terms and the gates of the vendors, and draw the surface of who is the cheaper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

from offtake.contract.contract import Contract
from offtake.contract.list_only import list_contract
from offtake.operations.contracts import moment_of, open_contract
from offtake.planner.crossover import Axes, Crossover, Mix, Shops, crossover, discounted, every_month
from offtake.planner.levers.facts import ACCOUNT_EXECUTIVE, Gate, Table, gate_of, read_gates
from offtake.store.catalogs import open_catalog
from offtake.values.errors import InputError
from offtake.values.yaml_text import read_yaml

MONTHS = 12


@dataclass(frozen=True, slots=True)
class Found:
    """The crossover, and what it was made of; `bonuses` are those of the surface, as asked for or as the contract."""

    crossover: Crossover
    axes: Axes
    shops: Shops
    vendors: Mapping[str, str]


def find_crossover(
    axes: Axes,
    *,
    aggregator: Path | None = None,
    aggregator_discounts: Mapping[str, Decimal] | None = None,
    threshold: tuple[Decimal, Decimal] | None = None,
    mix: Mix | None = None,
    catalogs: Sequence[Path] = (),
    at: datetime | date | None = None,
) -> Found:
    """The surface for an aggregator's contract file, or for its discounts by pattern of models.

    Without bonuses on the axes they are none and the contract's own. `threshold` is the monthly spend from which every
    vendor negotiates (low, high); without it the dated gates of the package say so. InputError P604 where the
    aggregator is not said, or said twice.
    """
    if (aggregator is None) == (not aggregator_discounts):
        raise InputError(
            "P604", "say what the aggregator asks, once", why="its discounts are a commercial term and have no default",
            hint="--aggregator contracts/aggregator-customer/contract.yaml, or --aggregator-discount 'claude-*=15%'",
        )  # fmt: skip
    if aggregator:
        opened = open_contract(aggregator, catalogs=catalogs)
        contract, catalog = every_month(opened.contract), opened.catalog
        moment = moment_of(at, contract)
    else:
        catalog, moment = open_catalog(catalogs), _moment(at)
        contract = discounted(list_contract(moment.date(), moment.date()), aggregator_discounts or {})
    vendors = {model: catalog.resolve(model).vendor for model in axes.models}
    if not axes.bonuses:
        axes = replace(axes, bonuses=_bonuses(contract, moment))
    public = list_contract(moment.date(), moment.date())
    gates = {model: _gate(vendor, threshold, moment.date()) for model, vendor in vendors.items()}
    shops = Shops(public, contract, catalog, gates, moment, mix or Mix())
    return Found(crossover(axes, shops), axes, shops, vendors)


def _bonuses(contract: Contract, at: datetime) -> tuple[Decimal, ...]:
    top_ups = contract.as_of(at).top_ups
    return (Decimal(0), top_ups.bonus) if top_ups and top_ups.bonus else (Decimal(0),)


def _gate(vendor: str, threshold: tuple[Decimal, Decimal] | None, day: date) -> Gate:
    if threshold:
        low, high = (each * MONTHS for each in threshold)
        return Gate(ACCOUNT_EXECUTIVE, vendor, day, low, high, "--account-executive")
    name = "gates.yaml"
    text = files("offtake.planner.levers").joinpath(name).read_text("utf-8")
    gate = gate_of(read_gates(Table(*read_yaml(text, name), name)), ACCOUNT_EXECUTIVE, vendor, day)
    if gate is None:
        raise InputError(
            "P605", f"nothing says from which spend {vendor} negotiates on {day}",
            hint="say it: --account-executive 50k..100k",
        )  # fmt: skip
    return gate


def _moment(at: datetime | date | None) -> datetime:
    if isinstance(at, datetime):
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    return datetime(at.year, at.month, at.day, tzinfo=UTC) if at else datetime.now(UTC)
