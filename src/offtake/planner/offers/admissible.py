"""Which offers may serve a workload, and which models: what the workload needs against what the paper says.

    needs                       an offer is out where
    models                      (the evaluation's admissions, or a list) none of these models is sold
    region: eu                  `residency.regions` says nothing, or allows more than that region
    retention_max: 24 hours     `data.retention` says nothing, or longer
    training: never             `data.training` says nothing else
    latency_ms_max: 900         today's latency and the 80 ms that an aggregator adds come to more
    peak tokens a minute        `capacity.limits` are lower

Each exclusion names the clause that made it, or the one that is missing: what a negotiation could change.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from offtake.contract.patterns import most_specific
from offtake.planner.offers.offer import Offer
from offtake.values.errors import CatalogError, InputError, Place
from offtake.values.units import Duration

AGGREGATOR_MS = 80
"""What a hop through an aggregator adds to the first token, as measured by a public comparison of gateways."""
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What the workloads that a pattern names ask of whoever serves them. `where` is the row that says so.

    `models` None: the model of today. `latency_ms` is what is measured today, to its first token.
    """

    workloads: str
    models: tuple[str, ...] | None = None
    region: str = ""
    retention_max: Duration | Literal["none"] | None = None
    training: Literal["never"] | None = None
    latency_ms: int | None = None
    latency_ms_max: int | None = None
    input_tpm: int | None = None
    output_tpm: int | None = None
    where: Place | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """An offer that may not, or cannot, serve a workload with a model. "" stands for all of them.

    `clause` is the contract's path that decides, `where` its place, and `relax` what would have to change.
    """

    offer: str
    workload: str
    model: str
    why: str
    clause: str = ""
    where: Place | None = None
    relax: str = ""


def need_of(needs: Sequence[Need], workload: str) -> Need:
    """What a workload needs: the row with the most specific pattern. InputError P660 where two say it equally."""
    found = most_specific([need.workloads for need in needs], workload)
    if len(found) > 1:
        rows = " and ".join(str(needs[index].where or needs[index].workloads) for index in found)
        raise InputError(
            "P660", f"two rows say what {workload!r} needs: {rows}", where=needs[found[1]].where,
            hint="leave one of them, or name the workload in full in one",
        )  # fmt: skip
    return needs[found[0]] if found else Need(workloads=workload)


def exclusions(offer: Offer, need: Need, workload: str, model: str) -> Iterator[Rejected]:
    """Why the paper keeps an offer from serving a workload with a model; nothing where it may."""
    for why, clause, relax in (
        *_region(offer, need), *_data(offer, need), *_latency(offer, need, model), *_capacity(offer, need),
    ):  # fmt: skip
        where = None if offer.implied else offer.contract.place(clause)
        said = f"{relax}, or relax {need.where}" if need.where else relax
        yield Rejected(offer.name, workload, model, why, clause, where, said)


Reasons = Iterator[tuple[str, str, str]]


def _region(offer: Offer, need: Need) -> Reasons:
    residency = offer.terms.residency
    if not need.region:
        return
    if residency is None:
        yield f"it promises no region, and {need.region} is needed", "residency", f"ask for `residency: {need.region}`"
    elif {each.lower() for each in residency.regions} - {need.region.lower()}:
        allowed = ", ".join(residency.regions)
        yield f"it may run in {allowed}, and {need.region} is needed", "residency.regions", "narrow residency.regions"
    elif residency.fail != "closed":
        yield f"it may leave {need.region} when that fails", "residency.fail", "ask for `fail: closed`"


def _data(offer: Offer, need: Need) -> Reasons:
    data = offer.terms.data
    kept = data.retention if data else None
    most = need.retention_max
    if most is not None:
        if kept is None:
            yield f"it says nothing of retention, and {_words(most)} is the most", "data", "ask for `data.retention`"
        elif kept != "none" and (most == "none" or kept.after(EPOCH) > most.after(EPOCH)):
            yield (
                f"it keeps data for {kept}, and {_words(most)} is the most",
                "data.retention",
                "ask for less retention",
            )
    if need.training == "never" and (data is None or data.training != "never"):
        yield "it does not rule out training on the data", "data.training", "ask for `training: never`"


def _words(most: Duration | str) -> str:
    return "zero retention" if most == "none" else str(most)


def _latency(offer: Offer, need: Need, model: str) -> Reasons:
    if need.latency_ms_max is None or need.latency_ms is None or offer.implied:
        return
    if not is_aggregator(offer, model):
        return
    expected = need.latency_ms + AGGREGATOR_MS
    if expected > need.latency_ms_max:
        yield (
            f"an aggregator adds {AGGREGATOR_MS} ms: {expected} ms, and {need.latency_ms_max} ms is the most",
            "vendor",
            f"allow {expected} ms",
        )


def is_aggregator(offer: Offer, model: str) -> bool:
    """Whether someone else than the maker sells the model, at the public interface: a cloud has its own access form."""
    maker = offer.catalog.resolve(model).vendor
    try:
        seller = offer.catalog.resolve(model, offer.vendor).vendor
    except CatalogError:  # a seller with a price book of its own, and without this model
        seller = maker
    return maker == seller != offer.vendor.lower() and offer.terms.scope.access == ["api"]


def _capacity(offer: Offer, need: Need) -> Reasons:
    limits = offer.terms.capacity.limits if offer.terms.capacity else None
    for name in ("input_tpm", "output_tpm"):
        most, peak = getattr(limits, name, None), getattr(need, name)
        if most is not None and peak is not None and peak > most:
            yield (
                f"it serves {most:,} {name} at most, and the peak minute needs {peak:,}",
                f"capacity.limits.{name}",
                f"ask for {name} of {peak:,}",
            )
