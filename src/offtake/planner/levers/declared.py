"""What a buyer declares that no log can say: what may wait, what a cache would serve, which models would do.

Each is said of the workloads that a pattern names; the most specific pattern wins. Nothing is assumed in its place:
without a share of cache reads there is no saving from caching, only the point from which it would pay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol, TypeVar

from offtake.catalog.list_price import ListPrices
from offtake.contract.patterns import most_specific
from offtake.planner.levers.running import CacheShares, Model
from offtake.planner.profile.traffic import Batchable
from offtake.planner.workload import Workload
from offtake.values.errors import InputError

ZERO, ONE = Decimal(0), Decimal(1)


@dataclass(frozen=True, slots=True)
class Range:
    """A share of the workloads that a pattern names; both ends are alike where one was given."""

    workloads: str
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Admissible:
    """A model that may do the work of some workloads; `tokens` of its own stand for one of theirs."""

    workloads: str
    model: str
    tokens: Decimal = ONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """Everything that is declared. `executives` says of a vendor, or of "*", whether an account executive is assigned;
    `failed` is the share of output tokens of failed and truncated requests, where the usage does not say.
    """

    batchable: Sequence[Batchable] = ()
    cache_read: Sequence[Range] = ()
    cache_write: Sequence[Range] = ()
    ttl: str = "5m"
    admissible: Sequence[Admissible] = ()
    failed: Decimal | None = None
    executives: Mapping[str, bool] = field(default_factory=dict)
    zero_retention: bool = False
    region: str = ""


class _Said(Protocol):
    @property
    def workloads(self) -> str: ...


Any = TypeVar("Any", bound=_Said)


def cache_shares(declared: Declared, workload: Workload) -> CacheShares | None:
    """The cache shares declared for a workload, or None.

    Where no share of writes is declared, it lies between none and all that is not read. InputError P622 where both
    together are more than all of the input.
    """
    read = _of(declared.cache_read, workload)
    if read is None:
        return None
    written = _of(declared.cache_write, workload) or Range("*", ZERO, ONE - read.low)
    if read.low + written.high > ONE or read.high + written.low > ONE:
        raise InputError(
            "P622", f"more than all input of {workload.name or workload.model} is read from the cache or written to it",
            hint="--cache-read + --cache-write is at most 100%",
        )  # fmt: skip
    return CacheShares((read.high, read.low), (written.low, written.high), declared.ttl)


def models_for(declared: Declared, workload: Workload, catalog: ListPrices) -> tuple[Model, ...]:
    """The models that may do a workload besides its own. CatalogError for one that nobody lists."""
    patterns = [each.workloads for each in declared.admissible]
    winners = most_specific(patterns, workload.name)
    found: dict[str, Model] = {}
    for index in winners:
        each = declared.admissible[index]
        known = catalog.resolve(each.model)
        if known.id != catalog.resolve(workload.model, workload.vendor, workload.access).id:
            found[known.id] = Model(each.model, known.vendor, each.tokens)
    return tuple(found.values())


def _of(said: Sequence[Any], workload: Workload) -> Any | None:
    winners = most_specific([each.workloads for each in said], workload.name)
    return said[winners[-1]] if winners else None
