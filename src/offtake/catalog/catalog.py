"""The catalogue that rating asks: the price book, our facts, the user's files, and the lock where it speaks.

It finds who sells what under which name; `sale.py` says what decides a price at an instant, and `cells.py` samples that
once per span. Cells are built when first asked for, and kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from fnmatch import fnmatchcase

from genai_prices.types import ModelInfo

from offtake.catalog.cells import build_cells
from offtake.catalog.facts import Facts, ListedPrice, RegionUplift, alias_of
from offtake.catalog.genai import PriceBook
from offtake.catalog.list_price import ListPrices, ModelFacts, Offer, PriceCell
from offtake.catalog.names import Reference, family, key, nearest, read_reference, spellings
from offtake.catalog.sale import Sale
from offtake.catalog.shelf import GLOBAL, REGIONAL, Shelf, fill_shelf
from offtake.usage.record import CHANNELS
from offtake.values.errors import CatalogError
from offtake.values.units import Duration


class Catalog:
    """`ListPrices` from the genai-prices package and catalogue files. Builds a model's cells when first asked.

    `files` names each set of facts for `version`: the file's name and a hash of its text.
    """

    def __init__(
        self, book: PriceBook, facts: Facts, files: Sequence[str] = (), lock: ListPrices | None = None
    ) -> None:
        self._book = book
        self._facts = facts
        self._lock = lock
        self._version = " · ".join([book.version, *files, *([lock.version] if lock else [])])
        self._makers = dict.fromkeys([*facts.makers, *(row.vendor for row in facts.prices if row.vendor)])
        self._shelves: dict[str, Shelf] = {}
        self._cells: dict[Offer, tuple[PriceCell, ...]] = {}
        self._resolved: dict[tuple[str, str, str], ModelFacts] = {}

    @property
    def version(self) -> str:
        """What was priced with: package version, and the hashes of the files."""
        return self._version

    def resolve(self, name: str, vendor: str = "", access: str = "api") -> ModelFacts:
        """The model that people mean by a name.

        `vendor` is who sells it; one that has no price book (an aggregator) or "" means the model's maker.
        CatalogError: K301 unknown model, with the nearest names; K303 unknown access form.
        """
        asked = (name, vendor, access)
        if asked not in self._resolved:
            self._resolved[asked] = self._resolve(name, self._vendor(vendor), self._provider_of(access))
        return self._resolved[asked]

    def cells(self, model: str, vendor: str, channel: str, access: str, region: str) -> tuple[PriceCell, ...]:
        """Every dated price of a model in one channel, access form and region, in time order; none where unlisted.

        CatalogError: K301 unknown model, K302 channel, K303 access form, K304 region.
        """
        offer = Offer(model, self._vendor(vendor), channel, access, region)
        if offer not in self._cells:
            locked = self._lock.cells(model, vendor, channel, access, region) if self._lock else ()
            self._cells[offer] = locked or self._build(offer)
        return self._cells[offer]

    def models(self, vendor: str) -> tuple[ModelFacts, ...]:
        """Every model that a vendor sells; those of all makers for one without a price book (an aggregator)."""
        word = self._vendor(vendor)
        sellers = [word] if word in self._makers or word in self._book.providers else list(self._makers)
        found: dict[str, ModelFacts] = {}
        for seller in sellers:
            listed = [each.id for each in self._book.models(seller)]
            ids = listed if seller in self._makers else self._shelf(seller).models()
            ids += [row.model for row in self._facts.prices if row.vendor in ("", seller)]
            for model in ids:
                if model not in found:
                    found[model] = self._facts_of(model, seller)
        return tuple(found.values())

    @property
    def vendors(self) -> tuple[str, ...]:
        """Who has prices: the makers of models, then those who only resell."""
        return tuple(dict.fromkeys([*self._makers, *self._book.providers]))

    def batch_window(self, vendor: str) -> Duration | None:
        """How long the vendor may take over a batch, where known."""
        return next((row.window for row in self._facts.batch if row.vendor == self._vendor(vendor)), None)

    # names

    def _vendor(self, vendor: str) -> str:
        word = vendor.strip().lower()
        return self._facts.vendors.get(word, word)

    def _provider_of(self, access: str) -> str:
        """The provider whose book an access form uses; "" for the vendor's own."""
        word = access.lower()
        if word in self._facts.access:
            return self._facts.access[word]
        if word in self._book.providers:
            return word
        known = ", ".join(sorted(self._facts.access))
        raise CatalogError(
            "K303", f"no access form {access!r}", hint=f"known: {known}, or a provider of genai-prices such as together"
        )

    def _resolve(self, name: str, vendor: str, provider: str) -> ModelFacts:
        words = {*self._makers, *self._facts.vendors, *self._book.providers}
        reference = read_reference(alias_of(self._facts, name), words)
        reference = replace(reference, name=alias_of(self._facts, reference.name), maker=self._vendor(reference.maker))
        if vendor in self._makers or vendor in self._book.providers:
            sellers = [vendor]
        elif reference.maker:
            sellers = [reference.maker]
        else:
            sellers = list(self._makers)
        if provider and provider not in self._makers:
            own = self._shelf(provider).id_of(name, reference.name)
            if own and own != self._canonical(own):
                return self._facts_of(own, provider)
        for seller in [*sellers, *([provider] if provider else [])]:
            found = self._named(seller, name, reference)
            if found:
                return self._facts_of(found, seller)
        raise self._unknown(name, sellers)

    def _named(self, seller: str, name: str, reference: Reference) -> str:
        """The id of the model that a seller has under this name, or ""."""
        for spelling in spellings(reference.name):
            for row in self._facts.prices:
                if row.vendor in ("", seller) and key(row.model) == spelling:
                    return row.model
        if seller in self._makers:
            model = self._book.find(seller, name) or self._book.find(seller, reference.name)
            return model.id if model else ""
        canonical = self._canonical(name)
        passed_on = canonical if self._passed_on(seller, canonical) else ""
        return (
            self._shelf(seller).id_of(name, reference.name) or self._shelf(seller).id_of(name, canonical) or passed_on
        )

    def _passed_on(self, seller: str, model: str, maker: str = "") -> ModelInfo | None:
        """The maker's entry for a model that a cloud sells at the maker's price."""
        makers = [each for each in self._book.fallbacks(seller) if maker in ("", each)]
        return next((entry for each in makers if (entry := self._book.find(each, model))), None)

    def _canonical(self, name: str) -> str:
        """The maker's id of a model that others sell, or the bare key of its name."""
        reference = read_reference(name, [*self._makers, *self._facts.vendors])
        maker = self._vendor(reference.maker)
        for seller in [maker] if maker in self._makers else self._makers:
            if model := self._book.find(seller, reference.name):
                return model.id
        return key(reference.name)

    def _shelf(self, provider: str) -> Shelf:
        if provider not in self._shelves:
            words = {*self._makers, *self._facts.vendors}
            self._shelves[provider] = fill_shelf(self._book.models(provider), words, self._canonical)
        return self._shelves[provider]

    def _facts_of(self, model: str, vendor: str) -> ModelFacts:
        made = vendor in self._makers
        listed = self._book.find(vendor, model) if made else self._shelf(vendor).entry(model)
        notes = [
            row
            for row in self._facts.models
            if fnmatchcase(model, row.model) and (not made or row.vendor in ("", vendor))
        ]

        def known(attribute: str) -> date | int | None:
            return next((value for row in notes if (value := getattr(row, attribute)) is not None), None)

        launched, deprecated, prefix = known("launched"), known("deprecated"), known("min_prefix_tokens")
        window = known("context_window") or (listed.context_window if listed else None)
        return ModelFacts(
            id=model,
            vendor=vendor,
            family=family(model),
            context_window=window if isinstance(window, int) else None,
            launched=_midnight(launched),
            deprecated=_midnight(deprecated),
            min_prefix_tokens=prefix if isinstance(prefix, int) else None,
        )

    def _unknown(self, name: str, sellers: list[str]) -> CatalogError:
        known = {model.id for seller in sellers for model in self._book.models(seller)}
        known |= {row.model for row in self._facts.prices} | {row.name for row in self._facts.aliases}
        close = nearest(name.rsplit("/", 1)[-1], known)
        others = [maker for maker in self._makers if maker not in sellers and self._book.find(maker, name)]
        where = f" of {sellers[0]}" if len(sellers) == 1 else ""
        return CatalogError(
            "K301",
            f"no model {name!r}{where} in the catalogue",
            why=f"{others[0]} makes it" if others else "a price is never guessed from a similar name",
            hint=f"nearest: {', '.join(close)}" if close else "add it with --catalog FILE",
        )

    # prices

    def _build(self, offer: Offer) -> tuple[PriceCell, ...]:
        if offer.channel not in CHANNELS:
            raise CatalogError("K302", f"no channel {offer.channel!r}", hint=f"known: {', '.join(CHANNELS)}")
        rows = [row for row in self._facts.prices if self._concerns(row, offer)]
        entry, standard_only = self._entry(offer, bool(rows))
        uplift = self._uplift(offer, bool(rows))
        sale = Sale(self._facts, offer, self._book.version, entry, standard_only, uplift, rows, self._launched(offer))
        dates, times = sale.changes()
        return build_cells(dates, times, sale.listed_at)

    def _concerns(self, row: ListedPrice, offer: Offer) -> bool:
        return (
            key(row.model) == key(offer.model)
            and self._vendor(row.vendor) in ("", offer.vendor)
            and row.access == offer.access
            and row.region in ("global", offer.region)
        )

    def _launched(self, offer: Offer) -> date | None:
        launched = self._facts_of(offer.model, offer.vendor).launched
        return launched.date() if launched else None

    def _entry(self, offer: Offer, priced_by_user: bool) -> tuple[ModelInfo | None, bool]:
        """The book's entry, and whether it is another provider's, which this one sells at the standard price only."""
        provider = self._provider_of(offer.access) or offer.vendor
        if provider == offer.vendor and provider in self._makers:
            entry = self._book.find(provider, offer.model)
        else:
            entry = self._resold(provider, offer)
        if entry is not None:
            return entry, False
        entry = self._passed_on(provider, offer.model, "" if provider == offer.vendor else offer.vendor)
        if entry is None and not priced_by_user:
            raise self._unknown(offer.model, [provider])
        return entry, True

    def _resold(self, provider: str, offer: Offer) -> ModelInfo | None:
        shelf = self._shelf(provider)
        if offer.channel == "batch" and (batch := shelf.ids.get(f"{key(offer.model)}:batch")):
            return shelf.entry(batch)
        geographies = shelf.geographies(offer.model)
        wanted = GLOBAL if offer.region == "global" else REGIONAL
        if geographies and wanted not in geographies:
            raise CatalogError(
                "K304",
                f"{provider} sells {offer.model} only as {geographies[0]}: no price in region {offer.region!r}",
                hint="use region global" if wanted == REGIONAL else "name the region, such as us or eu-central-1",
            )
        return shelf.entry(offer.model, wanted)

    def _uplift(self, offer: Offer, priced_by_user: bool) -> RegionUplift | None:
        if offer.region == "global":
            return None
        fits = (row for row in self._facts.regions if row.fits(offer.access, offer.vendor, offer.model, offer.region))
        uplift = next(fits, None)
        if uplift is None and not priced_by_user:
            known = {
                region
                for row in self._facts.regions
                if row.access == offer.access and row.vendor in ("", offer.vendor)
                for region in row.regions
            }
            raise CatalogError(
                "K304",
                f"no region {offer.region!r} for {offer.model} through {offer.access}",
                why="what the region costs is not known, and it is not taken to be free",
                hint=f"known: {', '.join(['global', *sorted(known)])}; or add the region with --catalog FILE",
            )
        return uplift


def _midnight(day: date | int | None) -> datetime | None:
    return datetime.combine(day, time(), UTC) if isinstance(day, date) else None
