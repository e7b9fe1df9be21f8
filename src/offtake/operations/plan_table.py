"""Offer files → offers on one table: stances, commitment levels, the list prices that need no paper.

contracts/mid-size/contract.yaml          as it stands
contracts/mid-size/contract.yaml@ask      as one stance of its negotiation has it
--level 10%@600k --level 20%@1.2M         each offer with a commitment, at each of these levels
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from offtake.contract.amend import put
from offtake.contract.contract import Contract
from offtake.contract.list_only import list_contract
from offtake.contract.parse import parse_data
from offtake.contract.schema.negotiation import STANCES
from offtake.operations.contracts import LOCK, load_contract, load_facts
from offtake.planner.commitment.offer import Level
from offtake.planner.offers.admissible import Rejected
from offtake.planner.offers.list_today import ListToday
from offtake.planner.offers.offer import Offer, expected_facts, fitted
from offtake.store.catalogs import open_catalog
from offtake.values.errors import InputError, Place
from offtake.values.periods import shift_months

LIST = "list prices"


@dataclass(frozen=True, slots=True)
class Opener:
    """What all offers are opened with. `months` is the plan's horizon, `at` the instant of today's list prices."""

    months: int
    at: datetime
    catalogs: Sequence[Path] = ()
    facts: Sequence[Path] = ()
    levels: Sequence[Level] = ()

    def public(self, access: Sequence[str]) -> Offer:
        """The makers' list prices, which need no signature."""
        last = shift_months(self.at.date(), self.months)
        contract = list_contract(self.at.date(), last, access)
        return Offer(LIST, fitted(contract, self.months), ListToday(open_catalog(self.catalogs), self.at), (), True)

    def open(self, path: Path, stance: str | None = None) -> tuple[list[Offer], list[Rejected]]:
        """The offers of one file: one, or one for each level. What is not in force long enough is turned away."""
        contract = load_contract(path, stance)
        lock = path.with_name(LOCK)
        catalog = ListToday(open_catalog(self.catalogs, lock if lock.exists() else None), self.at)
        facts = load_facts(self.facts, contract)
        offers, rejected = [], []
        for name, each in self._at_levels(contract, stance):
            try:
                cut = fitted(each, self.months)
            except ValueError as error:
                rejected.append(
                    Rejected(name, "", "", str(error), "term.until", each.place("term.until"), "a shorter --horizon")
                )
                continue
            offers.append(Offer(name, cut, catalog, expected_facts(cut, facts)))
        return offers, rejected

    def _at_levels(self, contract: Contract, stance: str | None) -> Iterator[tuple[str, Contract]]:
        name = contract.signed.contract + (f"@{stance}" if stance else "")
        if not self.levels or not any(each.amount for each in contract.signed.commitments):
            yield name, contract
            return
        for level in self.levels:
            yield f"{name} {named(level)}", at_level(contract, level)


def named(level: Level) -> str:
    """As people say it: 20% at 1,200,000."""
    fee = f" + {level.fee:,.0f}" if level.fee else ""
    return f"{level.discount:.4%}".replace(".0000%", "%") + f" at {level.commitment:,.0f}{fee}"


def at_level(contract: Contract, level: Level) -> Contract:
    """The contract with its commitment and its discount replaced. InputError P667 where it has not one of each."""
    signed = contract.versions[0]
    if len(signed.terms.commitments) != 1 or len(signed.terms.prices.discounts) != 1:
        raise InputError(
            "P667", "a level needs one commitment and one discount to put its figures in",
            where=Place(contract.file), why=f"it has {len(signed.terms.commitments)} and "
            f"{len(signed.terms.prices.discounts)}", hint="write a contract file for each level instead",
        )  # fmt: skip
    data = copy.deepcopy(dict(signed.data))
    currency = signed.terms.term.currency
    put(data, ("commitments", 0, "amount"), f"{level.commitment:f} {currency} / year")
    put(data, ("prices", "discounts", 0, "share"), f"{level.discount * 100:f}%")
    if level.fee:
        put(data, ("fees", "platform"), f"{level.fee:f} {currency} / year")
    digest = sha256(f"{contract.hash} {named(level)}".encode()).hexdigest()
    return parse_data(data, contract.file, signed.places, digest)


def open_table(specs: Sequence[str], opener: Opener) -> tuple[list[Offer], list[Rejected]]:
    """All offers, by names that differ. InputError P668 for a file that is not there; ContractError for a wrong one."""
    offers: list[Offer] = []
    rejected: list[Rejected] = []
    for spec in dict.fromkeys(specs):
        path, stance = split(spec)
        found, turned_away = opener.open(path, stance)
        taken = {offer.name for offer in offers}
        for offer in found:
            unique = offer.name if offer.name not in taken else f"{offer.name} ({path})"
            offers.append(Offer(unique, offer.contract, offer.catalog, offer.facts))
        rejected += turned_away
    return offers, rejected


def split(spec: str) -> tuple[Path, str | None]:
    """FILE or FILE@STANCE."""
    file, at, stance = spec.rpartition("@")
    path, wanted = (Path(file), stance) if at and stance in STANCES and not Path(spec).exists() else (Path(spec), None)
    if not path.is_file():
        raise InputError(
            "P668", f"no such offer: {spec}", why="an offer is a contract file",
            hint=f"FILE, or FILE@STANCE with one of {', '.join(STANCES)}",
        )  # fmt: skip
    return path, wanted
