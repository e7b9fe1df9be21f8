"""What an answer proves or contradicts: where it was served, and by which version. Kept with the settlement.

Nothing here takes an answer away: the client has it. An answer from outside of the regions, or from another version
than the one that is pinned, is evidence for a claim.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from offtake.gateway.admit.evaluation import version_changed
from offtake.gateway.admit.question import clause_of
from offtake.gateway.admit.residency import proof_of
from offtake.gateway.ask import Served
from offtake.gateway.outlet import KeyRules, Outlet
from offtake.values.errors import CatalogError


def proofs(outlet: Outlet, key: KeyRules, model: str, served: Served, at: datetime) -> dict[str, str]:
    """Short facts by name; empty where the contract and the key ask for none."""
    contract = outlet.terms.contract
    version = contract.version_number(at)
    terms = contract.versions[version].terms
    found: dict[str, str] = {}
    if (terms.residency or key.regions) and (told := _told(outlet, version, key.regions, key.id, served.region)):
        found["residency"] = told
    if terms.models and terms.models.pin and served.model:
        changed = version_changed(contract, model, served.model, _resolved(outlet, served.model), at)
        if changed:
            found["version"] = f"{changed.code} {changed.message}; {changed.clause}"
    return found


@lru_cache(maxsize=4_096)
def _told(outlet: Outlet, version: int, key_regions: tuple[str, ...], key: str, served: str) -> str:
    """The verdict on a region, for an outlet whose contract or key speaks of regions; there are few of each."""
    signed = outlet.terms.contract.versions[version]
    proof = proof_of(signed.terms, key_regions, served)
    if proof is None:
        return ""
    clause = f"key {key}"
    if signed.terms.residency:
        clause = clause_of(outlet.terms.contract, "residency.regions", signed.effective)
    return f"{proof.verdict} {', '.join(proof.required)}; {clause}"


def _resolved(outlet: Outlet, name: str) -> str:
    """What the catalogue calls the model that the vendor names; "" where it does not know it."""
    try:
        return outlet.terms.catalog.resolve(name, outlet.vendor, outlet.access).id
    except CatalogError:
        return ""
