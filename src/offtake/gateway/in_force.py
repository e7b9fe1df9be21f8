"""What is in force: the contracts of the configuration with their prices, and the outlets that serve under them.

One reading of the files is one `InForce`. A reload makes a new one; a request keeps the one that it began with, so that
its terms never change under way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from offtake.contract.contract import Contract
from offtake.gateway.admit.limits import Limits, limits_of
from offtake.gateway.admit.policy import Policy
from offtake.gateway.admit.question import clause_of
from offtake.gateway.admit.reserved import reservation_of
from offtake.gateway.forecasts import Forecasts, read_forecasts
from offtake.gateway.log import say
from offtake.gateway.outlet import Modes, Outlet
from offtake.gateway.route.candidates import RouteState
from offtake.gateway.route.standing import Standing
from offtake.operations.accepted_results import read_accepted
from offtake.operations.contracts import open_contract
from offtake.operations.serve_config import ServeConfig
from offtake.rating.bound import Bounds
from offtake.rating.compiled import CompiledTerms
from offtake.values.errors import CatalogError, ContractError

NAMES_MAX = 4_096


@dataclass(slots=True, eq=False)
class InForce:
    """Outlets in the order of the configuration, limits of each contract at this worker, the policy, and forecasts."""

    outlets: tuple[Outlet, ...]
    limits: Mapping[str, Limits]
    policy: Policy
    routing: RouteState
    forecasts: Forecasts = field(default_factory=dict)
    _found: dict[str, tuple[tuple[Outlet, str], ...]] = field(default_factory=dict)

    def after(self, before: InForce, now_ns: int) -> InForce:
        """Take over what was counted and known under an earlier reading: a reload resets nothing. Returns itself.

        Windows of rates, requests in flight, suspensions, open circuits, warm sessions and reservations go on.
        """
        self.limits = {
            name: before.limits[name].retune(fresh, now_ns) if name in before.limits else fresh
            for name, fresh in self.limits.items()
        }
        self.policy.after(before.policy)
        self.routing.breakers, self.routing.sessions = before.routing.breakers, before.routing.sessions
        for name, fresh in self.routing.standings.items():
            known = before.routing.standings.get(name)
            if known and known.reservation and fresh.reservation and known.reservation.text == fresh.reservation.text:
                fresh.reservation = known.reservation
        return self

    def selling(self, name: str) -> tuple[tuple[Outlet, str], ...]:
        """(outlet, the catalogue's id) for each outlet whose vendor sells the model that people mean by this name.

        CatalogError with the nearest names where none does.
        """
        found = self._found.get(name)
        if found is None:
            found = self._selling(name)
            if len(self._found) >= NAMES_MAX:  # names come from clients
                self._found.clear()
            self._found[name] = found
        return found

    def _selling(self, name: str) -> tuple[tuple[Outlet, str], ...]:
        found, problem = [], None
        for outlet in self.outlets:
            try:
                found.append((outlet, outlet.terms.catalog.resolve(name, outlet.vendor, outlet.access).id))
            except CatalogError as error:
                problem = problem or error
        if not found:
            raise problem or CatalogError("K301", f"no outlet sells {name}")
        return tuple(found)


def read_in_force(config: ServeConfig, workers: int = 1, worker: int = 0) -> InForce:
    """Read every contract of the configuration, and what was accepted beside it.

    Raises what a wrong contract, catalogue or facts file raises; a wrong result of `offtake accept` is said instead.
    """
    aside: dict[Path, str] = {}
    outlets = [_outlet(config, index, aside) for index in range(len(config.settings.contracts))]
    if worker == 0:  # one of those that read the files says it
        for path, why in aside.items():
            say("a result of offtake accept admits nothing", code="G711", file=str(path), why=why)
    limits = limits_at(outlets, worker, workers)
    now = datetime.now(UTC)
    standings = {outlet.contract: Standing(reservation_of(outlet.terms.contract, now, workers)) for outlet in outlets}
    forecasts = read_forecasts(config, outlets, says=worker == 0)
    return InForce(tuple(outlets), limits, Policy(), RouteState(standings), forecasts)


def _outlet(config: ServeConfig, index: int, aside: dict[Path, str]) -> Outlet:
    """The outlet of one contract. `aside` learns which results of `offtake accept` beside it admit nothing, and why."""
    settings = config.settings.contracts[index]
    file = config.path(settings.file)
    opened = open_contract(file, catalogs=_paths(config, settings.catalogs), facts=_paths(config, settings.facts))
    accepted, without = read_accepted(file, opened.contract, config.store, datetime.now(UTC))
    aside.update(without)
    terms = CompiledTerms(opened.contract, opened.catalog, opened.facts)
    signed = opened.contract.signed
    name = settings.vendor or signed.vendor
    vendor = config.settings.vendors.get(name)
    if vendor is None:
        raise ContractError(
            "G705", f"{settings.file} is with {name}, and no [vendors.{name}] says how to reach it",
            hint=f"add [vendors.{name}], or vendor = … to [[contracts]] number {index + 1}",
        )  # fmt: skip
    rules = dict.fromkeys(settings.observe, "observe")
    modes = Modes(settings.mode or config.settings.gateway.mode, rules)  # type: ignore[arg-type]  # "observe" is a mode
    return Outlet(
        name, signed.contract, terms, Bounds(terms), vendor.prices or signed.vendor, vendor.access, vendor.region,
        "anthropic" if vendor.wire in ("anthropic", "bedrock", "vertex") else "openai", modes,
        runs_batches=vendor.runs_batches, accepted=accepted,
    )  # fmt: skip


def limits_at(outlets: Sequence[Outlet], worker: int = 0, workers: int = 1) -> dict[str, Limits]:
    """The limits of each contract at one of several workers, which has a part of each; the parts sum to the limit.

    `BATCHES` is the process of batches: it has a part where an outlet of the contract runs none of its own.
    """
    emulated = {outlet.contract for outlet in outlets if not outlet.runs_batches}
    return {
        outlet.contract: _limits(outlet.terms.contract, worker, workers, batches=outlet.contract in emulated)
        for outlet in outlets
    }


def _limits(contract: Contract, worker: int, workers: int, *, batches: bool) -> Limits:
    now = datetime.now(UTC)
    capacity = contract.as_of(now).capacity
    if capacity is None or capacity.limits is None:
        return Limits(())
    return limits_of(
        capacity.limits, lambda term: clause_of(contract, f"capacity.limits.{term}", now), worker, workers,
        batches=batches,
    )  # fmt: skip


def _paths(config: ServeConfig, names: list[str]) -> list[Path]:
    return [config.path(name) for name in names]
