"""Opening a contract with what lies beside it: the stances of its negotiation, and the locked list prices.

contract.yaml                the contract
contract.negotiation.yaml    stances (offered, ask, fallback, walk_away); opened only where one is asked for
prices.lock.yaml             the list prices that it was priced with, written by `offtake catalog lock`
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from offtake.catalog.catalog import Catalog
from offtake.contract.contract import Contract
from offtake.contract.parse import parse_bytes
from offtake.rating.facts import Fact, in_order, read_facts
from offtake.store.catalogs import open_catalog
from offtake.values.errors import ContractError, Place

if TYPE_CHECKING:
    from offtake.contract.stance import Negotiation

LOCK = "prices.lock.yaml"


@dataclass(frozen=True, slots=True)
class Opened:
    """A contract, the list prices that it is priced with, and the facts that no usage holds."""

    contract: Contract
    catalog: Catalog
    facts: tuple[Fact, ...] = ()


def load_contract(path: str | Path, stance: str | None = None) -> Contract:
    """The contract of a file, or that contract as one stance of its negotiation would have it.

    ContractError holds every problem of the file, each with its place; OSError where it cannot be read.
    """
    path = Path(path)
    contract = parse_bytes(path.read_bytes(), str(path))
    if stance is None:
        return contract
    from offtake.contract.stance import with_stance

    return with_stance(contract, open_stances(path, contract), stance)


def open_stances(path: Path, contract: Contract) -> Negotiation:
    """The negotiation file beside a contract. ContractError where there is none, or where it is wrong."""
    from offtake.contract.stance import parse_negotiation

    beside = path.with_name(f"{path.stem}.negotiation.yaml")
    if not beside.exists():
        raise ContractError(
            "C273", f"no stances: {beside.name} is not beside the contract", where=Place(str(path)),
            hint=f"write {beside.name} with `negotiation: {contract.signed.contract}` and `stances: …`",
        )  # fmt: skip
    return parse_negotiation(_text(beside), str(beside))


def open_contract(
    path: Path, *, catalogs: Sequence[Path] = (), facts: Sequence[Path] = (), stance: str | None = None
) -> Opened:
    """A contract with its catalogue (the lock beside it, where there is one) and its facts."""
    contract = load_contract(path, stance)
    lock = path.with_name(LOCK)
    catalog = open_catalog(catalogs, lock if lock.exists() else None)
    return Opened(contract, catalog, load_facts(facts, contract))


def load_facts(paths: Sequence[Path], contract: Contract) -> tuple[Fact, ...]:
    """The facts of several files, in time order."""
    found = [fact for path in paths for fact in read_facts(_text(path).splitlines(), str(path), contract.zone)]
    return in_order(found)


def instant_of(when: datetime | date | None, contract: Contract) -> datetime | None:
    """A date or instant of the command line as a UTC instant: a date is local midnight in the contract's zone."""
    return None if when is None else contract.instant(when)


def moment_of(when: datetime | date | None, contract: Contract) -> datetime:
    """The instant that is asked for; by default now, or the instant of the term that is nearest to it."""
    if when is not None:
        return contract.instant(when)
    return min(max(datetime.now(UTC), contract.span.start), contract.span.end - timedelta(microseconds=1))


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ContractError("C207", "the file is not UTF-8 text", where=Place(str(path)), why=str(error)) from error
