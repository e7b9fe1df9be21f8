"""Stances: the contract as it would be if an offer, an ask, a fallback or the walk-away were signed.

They live in a file of their own beside the contract. Nothing that serves or exports to outside opens that file.
Codes: C270 a stance at a path that names no term; C271 the file is about another contract; C272 no such stance.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

from offtake.contract.amend import moved, put
from offtake.contract.contract import Contract, Version
from offtake.contract.paths import PathError, locate, text
from offtake.contract.schema.negotiation import STANCES, NegotiationFile
from offtake.contract.schema.terms import Terms
from offtake.contract.validate import place_of, validate
from offtake.values.errors import ContractError, Finding, Place
from offtake.values.yaml_text import read_yaml


@dataclass(frozen=True, slots=True)
class Negotiation:
    """A parsed negotiation file: values by path and stance, with their places."""

    file: str
    hash: str
    contract: str
    stances: Mapping[str, Mapping[str, object]]
    places: Mapping[str, Place]


def parse_negotiation(content: str, file: str) -> Negotiation:
    """The negotiation file's text as values. ContractError with every finding."""
    data, places = read_yaml(content, file)
    parsed, findings = validate(NegotiationFile, data, places, file)
    if parsed is None:
        raise ContractError.of(findings)
    stances = {
        path: {name: getattr(stance, name) for name in STANCES if getattr(stance, name) is not None}
        for path, stance in parsed.stances.items()
    }
    return Negotiation(file, sha256(content.encode()).hexdigest(), parsed.negotiation, stances, places)


def with_stance(contract: Contract, negotiation: Negotiation, stance: str) -> Contract:
    """The contract with every position of one stance in place, in each of its versions.

    A path without that stance stays as the contract has it. ContractError when a position does not fit the schema.
    """
    if stance not in STANCES:
        raise ContractError("C272", f"no stance is called {stance!r}", hint=f"one of: {', '.join(STANCES)}")
    if negotiation.contract != contract.signed.contract:
        raise ContractError(
            "C271",
            f"the negotiation is about {negotiation.contract!r}, and the contract is {contract.signed.contract!r}",
            where=place_of("negotiation", negotiation.places, negotiation.file),
        )
    taken = [_taken(version, negotiation, stance, contract.file) for version in contract.versions]
    findings = list(dict.fromkeys(finding for _, problems in taken for finding in problems))
    versions = tuple(version for version, _ in taken if version)
    if findings or len(versions) < len(contract.versions):
        raise ContractError.of(findings)
    digest = sha256(f"{contract.hash} {negotiation.hash} {stance}".encode()).hexdigest()
    return Contract(contract.file, digest, versions, versions[-1].places)


def _taken(version: Version, negotiation: Negotiation, stance: str, file: str) -> tuple[Version | None, list[Finding]]:
    data, places = copy.deepcopy(dict(version.data)), dict(version.places)
    findings = []
    for path, positions in negotiation.stances.items():
        if stance not in positions:
            continue
        here = f"stances.{path}.{stance}"
        try:
            steps = locate(path, data)
        except PathError as error:
            where = place_of(here, negotiation.places, negotiation.file)
            findings.append(Finding("C270", "error", str(error), where, here, "", error.hint))
            continue
        put(data, steps, positions[stance])
        places = moved(places, text(steps), here, negotiation.places)
    terms, problems = validate(Terms, data, places, file)
    if terms is None or findings:
        return None, findings + problems
    return replace(version, terms=terms, data=data, places=places), []
