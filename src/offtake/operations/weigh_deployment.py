"""Weigh a private deployment: its contract and what running it takes, against buying the same tokens by the token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from offtake.contract.list_only import list_contract
from offtake.operations.contracts import Opened, moment_of, open_contract
from offtake.planner.private_deployment import Comparison, Deployment, Running, Traffic, compare, deployment
from offtake.planner.rated import Pricing
from offtake.rating.breakdown import unrounded


@dataclass(frozen=True, slots=True)
class Weighed:
    """The comparisons, for one model and more, and what they were made of."""

    comparisons: tuple[Comparison, ...]
    signed: Deployment
    running: Running
    traffic: Traffic
    contract: str
    contract_hash: str
    against: str
    catalog_version: str
    currency: str


def weigh_deployment(
    contract: Path,
    running: Running,
    *,
    models: Sequence[str],
    mix: tuple[int, int],
    utilisations: Sequence[Decimal],
    volume: int | None = None,
    against: Path | None = None,
    catalogs: Sequence[Path] = (),
    at: datetime | date | None = None,
    stance: str | None = None,
) -> Weighed:
    """The private contract against list prices, or against the prices a token of another contract.

    Without `at` it is now, or the instant of the term that is nearest to it. ContractError P606 or P607 where the
    contract does not say what is weighed.
    """
    opened = open_contract(contract, catalogs=catalogs, stance=stance)
    moment = moment_of(at, opened.contract)
    signed = deployment(opened.contract, opened.catalog, moment)
    if against:
        other = open_contract(against, catalogs=catalogs)
        moment = moment_of(moment, other.contract)
    else:
        other = Opened(list_contract(moment.date(), moment.date()), opened.catalog)
    traffic = Traffic(tuple(dict.fromkeys(models)), *mix, moment)
    pricing = Pricing(unrounded(other.contract), other.catalog)
    terms = opened.contract.signed
    return Weighed(
        comparisons=compare(signed, running, traffic, pricing, utilisations, volume),
        signed=signed,
        running=running,
        traffic=traffic,
        contract=terms.contract,
        contract_hash=opened.contract.hash,
        against=other.contract.signed.contract,
        catalog_version=other.catalog.version,
        currency=terms.term.currency,
    )
