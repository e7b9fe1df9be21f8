"""Edits of a contract: a term changed or taken out, by the paths that amendments use.

An edit is tried on a copy of every text of the contract, signed and amended, and the result is validated as a whole:
what is priced is always a contract that could be signed. Codes: P670 a path that names no term; P671 a value that does
not fit; P672 not PATH=VALUE; P678 an edit of the term.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256

from offtake.contract.amend import REMOVED, put
from offtake.contract.contract import Contract, Version
from offtake.contract.paths import PathError, Step, at, locate
from offtake.contract.schema.terms import Terms
from offtake.contract.validate import validate
from offtake.values.errors import ContractError, Finding, InputError
from offtake.values.units import number
from offtake.values.yaml_text import read_yaml


@dataclass(frozen=True, slots=True)
class Edit:
    """A value at a path; `removed` takes the term out."""

    path: str
    value: object

    def __str__(self) -> str:
        return f"{self.path} = {written(self.value)}"


def written(value: object) -> str:
    """A value as a contract file writes it on one line."""
    match value:
        case dict():
            return "{" + ", ".join(f"{key}: {written(each)}" for key, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(written, value)) + "]"
        case bool():
            return str(value).lower()
        case Decimal():
            return f"{value:f}"
    return str(value)


def read_edit(text: str) -> Edit:
    """`PATH=VALUE`, with the value as a contract file writes it: `commitment.amount=900_000`."""
    path, separator, value = text.partition("=")
    if not separator or not path.strip() or not value.strip():
        raise InputError("P672", f"{text!r} is not PATH=VALUE", hint="such as commitment.amount=900_000")
    try:
        data, _ = read_yaml(value.strip(), "--change")
    except ContractError as error:
        raise InputError("P671", f"{path}: the value {value.strip()!r} cannot be read", why=error.args[0]) from error
    return Edit(path.strip(), data)


def edited(contract: Contract, edits: Sequence[Edit]) -> Contract:
    """The contract with every edit in place, in each of its texts.

    A number for a term that has a unit keeps the unit. InputError for a path that names nothing, with the nearest
    ones, and for a value that does not fit.
    """
    versions = tuple(_edited(version, edits) for version in contract.versions)
    words = " ".join(str(edit) for edit in edits)
    digest = sha256(f"{contract.hash} {words}".encode()).hexdigest()
    return Contract(contract.file, digest, versions, versions[-1].places)


def _edited(version: Version, edits: Sequence[Edit]) -> Version:
    data = copy.deepcopy(dict(version.data))
    for edit in edits:
        try:
            steps = locate(edit.path, data)
        except PathError as error:
            raise InputError("P670", f"--change {error}", hint=error.hint) from error
        standing = at(data, steps)
        if steps[0] == "term":
            raise InputError(
                "P678", f"--change {edit.path}: the term says how long is compared, so it cannot be changed",
                hint="write a second contract file and value both",
            )  # fmt: skip
        if edit.value == REMOVED and standing is None:
            continue
        put(data, steps, _with_unit(edit.value, standing, steps))
    terms, findings = validate(Terms, data, version.places, "")
    if terms is None:
        raise _refused(edits, findings)
    # The term is never edited, and a contract that was cut to a plan's months says so in its terms alone.
    return replace(version, terms=terms.model_copy(update={"term": version.terms.term}), data=data)


def _with_unit(value: object, standing: object, steps: Sequence[Step]) -> object:
    """900000 in the place of `1_200_000 USD / year` is `900000 USD / year`."""
    if isinstance(value, bool) or not isinstance(standing, str) or not isinstance(value, (int, Decimal)):
        return value
    amount, space, unit = standing.strip().partition(" ")
    try:
        number(amount)
    except ValueError:
        return value
    return f"{written(value)} {unit}" if space else value


def _refused(edits: Sequence[Edit], findings: Sequence[Finding]) -> InputError:
    first = findings[0]
    words = "; ".join(str(edit) for edit in edits)
    return InputError("P671", f"the contract with {words} is not valid: {first.what}", why=first.why, hint=first.hint)


def of_stances(stances: Mapping[str, Mapping[str, object]]) -> list[tuple[str, Edit]]:
    """(stance, edit) for every position of a negotiation file, in its order."""
    return [(stance, Edit(path, value)) for path, positions in stances.items() for stance, value in positions.items()]
