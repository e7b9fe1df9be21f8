"""Residency and retention: where a request may run, and what may be kept of it. Fails closed, and is proven after.

Clause: `residency.regions`, `residency.fail`, `data.retention`, `data.training`. Before dispatch the outlet's region
must lie in every list that speaks: the contract's and the key's. Afterwards the region that the vendor says it served
in is compared with the same lists and becomes the proof that the settlement carries.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from offtake.contract.contract import Contract
from offtake.contract.schema.terms import Terms
from offtake.gateway.admit.question import Looked
from offtake.gateway.ask import Refusal
from offtake.values.units import Duration

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)
_GEOGRAPHIES = {"europe": "eu", "northamerica": "us", "asia": "apac"}  # as one cloud begins the names of its regions


class Proof(NamedTuple):
    """Where a request was served, against where it had to be: kept with its settlement."""

    served: str
    required: tuple[str, ...]
    verdict: Literal["inside", "outside", "unproven"]


def fits(region: str, allowed: Iterable[str]) -> bool:
    """Whether a region lies in one of those: `eu-central-1` and `europe-west4` lie in `eu`; `global` in none."""
    first, dash, rest = region.lower().partition("-")
    written = {region.lower(), f"{_GEOGRAPHIES.get(first, first)}{dash}{rest}"}
    return any(name == each or name.startswith(f"{each}-") for name in written for each in map(str.lower, allowed))


def region_allowed(looked: Looked) -> Refusal | None:
    """Inference runs in a region that the contract and the key allow, or the request does not leave."""
    clause, key = looked.terms.residency, looked.asked.key
    region = looked.asked.region
    if clause and clause.fail == "closed" and not fits(region, clause.regions):
        return Refusal(
            "region", "G311", f"{looked.asked.outlet.id} serves in {region}, outside of {', '.join(clause.regions)}",
            looked.clause("residency.regions"), "residency fails closed: no outlet of this contract may serve it there",
        )  # fmt: skip
    if key.regions and not fits(region, key.regions):
        return Refusal(
            "region", "G311", f"this key's requests stay in {', '.join(key.regions)}; the outlet serves in {region}",
            f"key {key.id}",
        )  # fmt: skip
    return None


def region_preferred(looked: Looked) -> Refusal | None:
    """`fail: open`: a request may leave the regions, and it is said that it did. Never enforced."""
    clause = looked.terms.residency
    if clause is None or clause.fail == "closed" or fits(looked.asked.region, clause.regions):
        return None
    what = f"served in {looked.asked.region}, outside of {', '.join(clause.regions)}; residency fails open"
    return Refusal("region", "G312", what, looked.clause("residency.fail"))


def retention_allowed(looked: Looked) -> Refusal | None:
    """The contract promises to keep no longer than the key's workload allows; a promise that is missing is none."""
    limit = looked.asked.key.retention_hours_max
    promised = hours_kept(looked.terms)
    if limit is not None and (promised is None or promised > limit):
        said = "says nothing of" if promised is None else f"allows {promised} hours of"
        what = f"this key's requests may be kept for {limit} hours, and the contract {said} retention"
        return Refusal("policy", "G313", what, looked.clause("data.retention"))
    if looked.asked.stores and promised == 0:
        return Refusal(
            "policy", "G314", "the request asks the vendor to store it, and the contract has zero retention",
            looked.clause("data.retention"), "send store: false, and no reference to what the vendor holds",
        )  # fmt: skip
    return None


def training_refused(looked: Looked) -> Refusal | None:
    """A key whose data is never trained on needs a contract that says so, without carve-outs."""
    if not looked.asked.key.training_refused:
        return None
    data = looked.terms.data
    if data and data.training == "never" and data.carve_outs in (None, "none"):
        return None
    what = "this key's data may not train a model, and the contract does not rule it out"
    return Refusal("policy", "G315", what, looked.clause("data.training"))


def keeps_nothing(contract: Contract, at: datetime) -> bool:
    """Whether the contract has zero retention: then nothing is left to a vendor's default of storing."""
    return hours_kept(contract.as_of(at)) == 0


def hours_kept(terms: Terms) -> int | None:
    """How long the vendor may keep inputs and outputs, in whole hours up; 0 for zero retention, None unsaid."""
    kept = terms.data.retention if terms.data else None
    if kept is None or kept == "none":
        return None if kept is None else 0
    assert isinstance(kept, Duration)
    return -((_EPOCH - kept.after(_EPOCH)) // _HOUR)


def proof_of(terms: Terms, key_regions: tuple[str, ...], served: str) -> Proof | None:
    """Where it was served against where it had to be; None where nobody requires a region."""
    lists = [tuple(terms.residency.regions) if terms.residency else (), key_regions]
    required = tuple(dict.fromkeys(each for names in lists for each in names))
    if not required:
        return None
    if served in ("", "not_available"):
        return Proof(served, required, "unproven")
    inside = all(fits(served, names) for names in lists if names)
    return Proof(served, required, "inside" if inside else "outside")
