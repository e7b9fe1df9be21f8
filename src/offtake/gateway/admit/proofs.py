"""What an answer proves or contradicts: where it was served, and by which version. Kept with the settlement.

Nothing here takes an answer away: the client has it. An answer from outside of the regions, or from another version
than the one that is pinned, is evidence for a claim.
"""

from __future__ import annotations

from datetime import datetime

from offtake.gateway.admit.evaluation import version_changed
from offtake.gateway.admit.question import clause_of
from offtake.gateway.admit.residency import proof_of
from offtake.gateway.ask import Served
from offtake.gateway.outlet import KeyRules, Outlet
from offtake.values.errors import CatalogError


def proofs(outlet: Outlet, key: KeyRules, model: str, served: Served, at: datetime) -> dict[str, str]:
    """Short facts by name; empty where the contract and the key ask for none."""
    contract = outlet.terms.contract
    terms = contract.as_of(at)
    found: dict[str, str] = {}
    proof = proof_of(terms, key.regions, served.region)
    if proof:
        clause = clause_of(contract, "residency.regions", at) if terms.residency else f"key {key.id}"
        found["residency"] = f"{proof.verdict} {', '.join(proof.required)}; {clause}"
    if terms.models and terms.models.pin and served.model:
        changed = version_changed(contract, model, served.model, _resolved(outlet, served.model), at)
        if changed:
            found["version"] = f"{changed.code} {changed.message}; {changed.clause}"
    return found


def _resolved(outlet: Outlet, name: str) -> str:
    """What the catalogue calls the model that the vendor names; "" where it does not know it."""
    try:
        return outlet.terms.catalog.resolve(name, outlet.vendor, outlet.access).id
    except CatalogError:
        return ""
