"""Compare two contracts term by term, or two dates of one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from offtake.contract.contract import Contract
from offtake.contract.diff import Change, diff
from offtake.operations.contracts import load_contract


@dataclass(frozen=True, slots=True)
class Compared:
    """The two contracts, and what differs between their texts."""

    before: Contract
    after: Contract
    changes: tuple[Change, ...]


def diff_contracts(
    before: Path, after: Path | None = None, since: datetime | date | None = None, until: datetime | date | None = None
) -> Compared:
    """What differs between the text of `before` in force at `since` and that of `after` at `until`.

    Without dates the last texts are compared; with one file only, its signed text with its last.
    """
    old = load_contract(before)
    new = load_contract(after) if after else old
    start = since or (None if after else old.signed.term.from_)
    return Compared(old, new, diff(_as_of(old, start), _as_of(new, until)))


def _as_of(contract: Contract, when: datetime | date | None) -> Contract:
    """The contract as if the text in force at an instant were all of it."""
    if when is None:
        return contract
    version = contract.version_at(contract.instant(when))
    return replace(contract, versions=(version,), places=version.places)
