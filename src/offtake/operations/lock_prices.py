"""Lock the list prices of a contract beside it, and say what the catalogue lists otherwise since.

A lock only grows: what was locked stays as it was, new offers are added at today's list prices.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from offtake.catalog.catalog import Catalog
from offtake.catalog.list_price import Offer
from offtake.catalog.lock import Change, diff, write_lock
from offtake.contract.checks.subject import subjects
from offtake.contract.contract import Contract
from offtake.operations.contracts import LOCK, load_contract
from offtake.store.catalogs import open_catalog, open_lock
from offtake.values.errors import CatalogError, InputError


@dataclass(frozen=True, slots=True)
class LockText:
    """Where a contract's lock belongs, its text, and how many offers it holds (of them `added` now)."""

    path: Path
    text: str
    offers: int
    added: int


def lock_prices(contract_path: Path, catalogs: Sequence[Path] = ()) -> LockText:
    """The text of the lock for every model, channel, access form and region of the contract's scope."""
    contract = load_contract(contract_path)
    path = contract_path.with_name(LOCK)
    catalog = open_catalog(catalogs, path if path.exists() else None)
    held = set(open_lock(path).offers) if path.exists() else set()
    offers = held | set(_offers(contract, catalog))
    if offers == held:
        return LockText(path, path.read_text("utf-8"), len(held), 0)
    return LockText(path, write_lock(catalog, offers), len(offers), len(offers - held))


def diff_lock(contract_path: Path, catalogs: Sequence[Path] = ()) -> list[Change]:
    """What the catalogue lists otherwise than the lock beside a contract. InputError where there is no lock."""
    path = contract_path.with_name(LOCK)
    if not path.exists():
        raise InputError("U199", f"no {LOCK} beside {contract_path}", hint=f"offtake catalog lock {contract_path}")
    return diff(open_lock(path), open_catalog(catalogs))


def _offers(contract: Contract, catalog: Catalog) -> Iterator[Offer]:
    """Every offer of the scope that has a list price at some time."""
    for subject in subjects(contract, catalog):
        scope = subject.terms.scope
        for model in subject.models:
            for channel in dict.fromkeys(["realtime", *scope.channels]):
                for access in scope.access:
                    for region in dict.fromkeys(["global", *subject.regions]):
                        try:
                            if catalog.cells(model.id, model.vendor, channel, access, region):
                                yield Offer(model.id, model.vendor, channel, access, region)
                        except CatalogError:
                            continue
