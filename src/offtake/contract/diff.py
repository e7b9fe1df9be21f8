"""What differs between two contracts, term by term, with both places.

Elements of a list that have a name are compared by it (`commitments[spend].amount`), so that a commitment added in
front does not move all the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from offtake.contract.contract import Contract
from offtake.contract.paths import Step, text
from offtake.contract.schema.field_types import plain
from offtake.values.errors import Place


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. A side that lacks the term has None for its value and for its place."""

    path: str
    before: str | None
    after: str | None
    before_place: Place | None = None
    after_place: Place | None = None


def diff(before: Contract, after: Contract, at: datetime | None = None) -> tuple[Change, ...]:
    """Every difference between the texts in force at an instant; the last versions when none is given."""
    old, new = written(before, at), written(after, at)
    changes = []
    for path in dict.fromkeys([*old, *new]):
        old_value, old_place = old.get(path, (None, None))
        new_value, new_place = new.get(path, (None, None))
        if old_value != new_value:
            changes.append(Change(path, old_value, new_value, old_place, new_place))
    return tuple(changes)


def written(contract: Contract, at: datetime | None = None) -> dict[str, tuple[str, Place]]:
    """Each value of the text in force at an instant as the file writes it, and its place, by path."""
    version = contract.version_at(at) if at else contract.versions[-1]
    found: dict[str, tuple[str, Place]] = {}

    def walk(value: object, named: str, steps: tuple[Step, ...]) -> None:
        if isinstance(value, dict):
            for key, each in value.items():
                walk(each, f"{named}.{key}" if named else key, (*steps, key))
        elif isinstance(value, list) and any(isinstance(each, (dict, list)) for each in value):
            for index, each in enumerate(value):
                name = each.get("id", each.get("name", index)) if isinstance(each, dict) else index
                walk(each, f"{named}[{name}]", (*steps, index))
        else:
            written = ", ".join(map(_scalar, value)) if isinstance(value, list) else _scalar(value)
            if written:
                found[named] = (written, contract.place(text(steps), version.effective))

    walk(version.terms.model_dump(by_alias=True, exclude_none=True), "", ())
    return found


def _scalar(value: object) -> str:
    """One value; 1.50 and 1.5 are no difference."""
    if isinstance(value, bool):
        return str(value).lower()
    return plain(value) if isinstance(value, Decimal) else str(value)
