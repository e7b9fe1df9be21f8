"""What a reseller (a cloud, an aggregator) sells, under the makers' ids wherever that is unambiguous.

A reseller may list several entries of what the maker calls one model: snapshots, `:thinking`, a global and a regional
one. The plain entry takes the maker's id; each other keeps its own, so that no price stands in for another's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from genai_prices.types import ModelInfo

from offtake.catalog.names import key, read_reference, spellings

PLAIN, GLOBAL, REGIONAL = "", "global", "regional"


@dataclass(slots=True)
class Shelf:
    """Entries by (id, geography), and ids by name."""

    entries: dict[tuple[str, str], ModelInfo] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    def id_of(self, name: str, bare: str) -> str:
        """The id of what is sold under a name (in full, or without its prefixes), or ""."""
        return next((self.ids[each] for each in (key(name), *spellings(bare)) if each in self.ids), "")

    def models(self) -> list[str]:
        """The ids of all that is sold."""
        return [model for model, geography in self.entries if geography == PLAIN]

    def geographies(self, model: str) -> list[str]:
        """Of global and regional, those for which the model has an entry of its own."""
        return [each for each in (GLOBAL, REGIONAL) if (model, each) in self.entries]

    def entry(self, model: str, geography: str = PLAIN) -> ModelInfo | None:
        """The entry for a geography, or the plain one."""
        return self.entries.get((model, geography)) or self.entries.get((model, PLAIN))


def fill_shelf(models: Iterable[ModelInfo], makers: Collection[str], canonical: Callable[[str], str]) -> Shelf:
    """A reseller's models on a shelf. `canonical` gives the maker's id of a name, or its bare key."""
    shelf = Shelf()
    ranked = []
    for order, model in enumerate(models):
        reference = read_reference(model.id, makers)
        wanted = canonical(model.id)
        plain = key(reference.name) == key(wanted)
        ranked.append(((not plain, "/" not in model.id, order), model, reference, wanted))
    for _, model, reference, wanted in sorted(ranked, key=lambda each: each[0]):
        chosen = wanted if (wanted, reference.geography) not in shelf.entries else model.id
        if (chosen, reference.geography) in shelf.entries:
            continue  # the same id twice, once with the maker's name before it: the fuller one counts
        shelf.entries[chosen, reference.geography] = model
        shelf.entries.setdefault((chosen, PLAIN), model)
        shelf.ids[key(model.id)] = chosen
        shelf.ids.setdefault(key(reference.name), chosen)
        shelf.ids.setdefault(key(chosen), chosen)
    return shelf
