"""Check a contract: everything that is wrong with the file, and everything that could surprise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from offtake.contract.check import check
from offtake.contract.contract import Contract
from offtake.operations.contracts import open_contract
from offtake.values.errors import ContractError, Finding


@dataclass(frozen=True, slots=True)
class Checked:
    """The findings, errors first. `contract` is None where the file cannot be read as one."""

    contract: Contract | None
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> int:
        """How many findings stop the contract."""
        return sum(finding.severity == "error" for finding in self.findings)


def check_contract(path: Path, *, catalogs: Sequence[Path] = (), stance: str | None = None) -> Checked:
    """Read and check a contract file against its catalogue. Problems of the contract are findings, never raised."""
    try:
        opened = open_contract(path, catalogs=catalogs, stance=stance)
    except ContractError as error:
        return Checked(None, error.findings)
    return Checked(opened.contract, check(opened.contract, opened.catalog))
