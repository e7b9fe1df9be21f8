"""What a check looks at: one version of a contract while it holds, and the models that it covers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from offtake.catalog.list_price import ListPrices, ModelFacts, PriceCell
from offtake.contract.contract import Contract, Version
from offtake.contract.patterns import match, match_any
from offtake.contract.schema.terms import Terms
from offtake.contract.validate import place_of
from offtake.values.errors import CatalogError, Finding, Place
from offtake.values.periods import Interval

NO_EFFECT = "C260"


class Listing(ListPrices, Protocol):
    """A catalogue that can also say which models there are."""

    def models(self, vendor: str) -> Sequence[ModelFacts]:
        """Every model that a vendor sells; those of all makers for a vendor without a price book of its own."""
        ...


@dataclass(frozen=True)
class Subject:
    """One version of a contract, the span in which it holds, and the models of its scope (ids of the catalogue)."""

    contract: Contract
    version: Version
    span: Interval
    catalog: Listing
    models: tuple[ModelFacts, ...]

    @property
    def terms(self) -> Terms:
        """The text."""
        return self.version.terms

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions whose list price can apply."""
        residency = self.terms.residency
        waived = self.terms.prices.region_uplift == "waived"
        return tuple(residency.regions) if residency and not waived else ("global",)

    def place(self, path: str) -> Place:
        """Where a term stands."""
        return place_of(path, self.version.places, self.contract.file)

    def error(self, code: str, path: str, what: str, why: str = "", hint: str = "") -> Finding:
        """A problem that stops the contract."""
        return Finding(code, "error", what, self.place(path), path, why, hint)

    def warning(self, code: str, path: str, what: str, why: str = "", hint: str = "") -> Finding:
        """A doubt."""
        return Finding(code, "warning", what, self.place(path), path, why, hint)

    def no_effect(self, path: str, why: str, hint: str = "") -> Finding:
        """A term that can change no amount and no decision."""
        return self.warning(NO_EFFECT, path, f"`{path}` can have no effect", why, hint)

    def matching(self, pattern: str) -> list[ModelFacts]:
        """The models of the scope that a pattern names."""
        return [model for model in self.models if match(pattern, model.id)]

    def cells(self, model: ModelFacts, channel: str, access: str, region: str) -> tuple[PriceCell, ...]:
        """The list prices that hold at some time of the span; none where the catalogue has none."""
        try:
            found = self.catalog.cells(model.id, model.vendor, channel, access, region)
        except CatalogError:
            return ()
        start, end = self.span.start, self.span.end
        return tuple(
            cell for cell in found if (not cell.end or cell.end > start) and (not cell.start or cell.start < end)
        )


Check = Callable[[Subject], Iterator[Finding]]


def subjects(contract: Contract, catalog: Listing) -> Iterator[Subject]:
    """Each version while it holds."""
    ends = [version.effective for version in contract.versions[1:]] + [contract.span.end]
    for version, end in zip(contract.versions, ends, strict=True):
        span = Interval(version.effective, end)
        yield Subject(contract, version, span, catalog, _models(version.terms, catalog, span))


def _models(terms: Terms, catalog: Listing, span: Interval) -> tuple[ModelFacts, ...]:
    found = {model.id: model for model in catalog.models(terms.vendor) if match_any(terms.scope.models, model.id)}
    for pattern in terms.scope.models:
        if "*" not in pattern and not any(match(pattern, name) for name in found):
            for access in terms.scope.access:
                try:
                    model = catalog.resolve(pattern, terms.vendor, access)
                except CatalogError:
                    continue
                found[model.id] = model
    return tuple(model for model in found.values() if not model.launched or model.launched < span.end)
