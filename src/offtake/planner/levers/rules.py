"""What a requirement or a fact forbids: a lever that is barred is shown with the reason, never tried in silence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from offtake.catalog.list_price import ListPrices
from offtake.contract.contract import Contract
from offtake.planner.levers.facts import Exclusion, exclusion_of
from offtake.planner.levers.running import Model
from offtake.planner.workload import Workload


@dataclass(frozen=True, slots=True, order=True)
class Bar:
    """A lever that some workloads of a vendor may not pull."""

    lever: str
    vendor: str
    why: str
    source: str


@dataclass(frozen=True, slots=True)
class Rules:
    """What is required of everything that runs, and the dated facts that this brings into play."""

    exclusions: Sequence[Exclusion]
    catalog: ListPrices
    day: date
    zero_retention: bool = False
    region: str = ""

    @property
    def required(self) -> tuple[str, ...]:
        """The requirements by the names that the table of exclusions has for them."""
        found = (("zero_retention", self.zero_retention), ("region", bool(self.region)))
        return tuple(name for name, holds in found if holds)

    def feature(self, feature: str, vendor: str, access: str) -> Bar | None:
        """Why a vendor's feature may not be used under what is required, or None."""
        for rule in self.required:
            row = self._row(vendor, access, feature, rule)
            if row:
                required = "zero retention" if rule == "zero_retention" else f"region {self.region}"
                return Bar(feature, vendor, f"{required} is required: {row.words}", row.source)
        return None

    def cache_in_batch(self, vendor: str, access: str) -> Bar | None:
        """Why batch requests of a vendor read no cache, or None where they do."""
        row = self._row(vendor, access, "batch", "cache")
        return Bar("cache in batch", vendor, row.words, row.source) if row else None

    def cache(self, workload: Workload, model: Model, largest: int | None) -> Bar | None:
        """Why caching does nothing for a workload with a model, or None. `largest` is its largest prompt, if known."""
        barred = self.feature("cache", model.vendor, workload.access)
        if barred or largest is None:
            return barred
        known = self.catalog.resolve(model.name, model.vendor, workload.access)
        least = known.min_prefix_tokens
        if least is None or largest * model.tokens >= least:
            return None
        what = f"the largest prompt of {workload.name or 'the usage'} has {largest:,} tokens"
        why = f"{what}; {known.id} caches {least:,} or more"
        return Bar("cache", model.vendor, why, "catalogue, min_prefix_tokens")

    def seller(self, contract: Contract) -> Bar | None:
        """Why an aggregator's paper does not meet what is required, or None."""
        terms = contract.signed
        if self.zero_retention and (terms.data is None or terms.data.retention != "none"):
            return Bar(
                "aggregator",
                terms.vendor,
                "zero retention is required and its contract does not promise it",
                contract.file,
            )
        if self.region and (terms.residency is None or self.region not in terms.residency.regions):
            return Bar(
                "aggregator",
                terms.vendor,
                f"region {self.region} is required and its contract does not promise it",
                contract.file,
            )
        return None

    def notes(self, sold: Sequence[tuple[str, str]]) -> tuple[Bar, ...]:
        """Every feature that what is required bars at these (vendor, access), also those that no usage shows."""
        features = dict.fromkeys(row.feature for row in self.exclusions)
        bars = (self.feature(feature, *each) for each in sold for feature in features)
        return tuple(dict.fromkeys(bar for bar in bars if bar))

    def _row(self, vendor: str, access: str, feature: str, excludes: str) -> Exclusion | None:
        return exclusion_of(
            self.exclusions, vendor=vendor, access=access, feature=feature, excludes=excludes, day=self.day
        )
