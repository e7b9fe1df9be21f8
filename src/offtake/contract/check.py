"""`check`: every (model, meter, channel, region, instant) of the scope has exactly one price and one policy.

Each check is a free function from a subject (one version of the contract while it holds, and a catalogue) to findings;
the list below is the order in which they are shown. Errors stop a contract; warnings are doubts, and terms that can
have no effect, with the reason. `parse` has already refused what no catalogue is needed for.
"""

from __future__ import annotations

from offtake.contract.checks import effects, policies, prices
from offtake.contract.checks.subject import Check, Listing, subjects
from offtake.contract.contract import Contract
from offtake.values.errors import Finding

CHECKS: tuple[Check, ...] = (*prices.CHECKS, *policies.CHECKS, *effects.CHECKS)


def check(contract: Contract, catalog: Listing) -> tuple[Finding, ...]:
    """Every finding, errors first, in the order of the file. Empty: the contract can be rated."""
    found = [finding for subject in subjects(contract, catalog) for each in CHECKS for finding in each(subject)]
    return tuple(sorted(dict.fromkeys(found), key=_order))


def _order(finding: Finding) -> tuple[bool, int, int, str]:
    where = finding.where
    return (
        finding.severity != "error",
        (where.line or 0) if where else 0,
        (where.column or 0) if where else 0,
        finding.code,
    )
