"""Whether a prompt gets a cache mark: the planner's admission rule on what a worker has seen.

A write at w times the input price and reads at r pay where a write is followed by more than (w − 1) / (1 − r) reads;
both are the model's own under this contract, dated, and its least prefix is the catalogue's. Where one of them is not
known there is no mark. Who marks a cache itself is left alone. A marked request is held for as one that may write.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from msgspec.structs import replace

from offtake.contract.patterns import most_specific
from offtake.contract.schema.prices import Cache
from offtake.gateway.ask import Ask, Edits
from offtake.gateway.cache.prefixes import Prefixes, key_of, prefixes_of
from offtake.gateway.cache.reads import TTLS, Reads
from offtake.gateway.dialects import Dialect
from offtake.gateway.dialects.document import top_level
from offtake.gateway.outlet import Outlet
from offtake.operations.serve_config import CacheSettings
from offtake.planner.cache.break_even import break_even
from offtake.planner.cache.rules import CacheRules, of_model, under
from offtake.planner.rated import Pricing
from offtake.rating.breakdown import unrounded
from offtake.values.errors import OfftakeError

EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
BYTES_A_TOKEN = 4
"""For judging whether a prefix is long enough; a mark on a shorter one is ignored by the vendor and costs nothing."""
KEYED = frozenset({"openai", "azure"})
"""Vendors that route by `prompt_cache_key`."""


class Marked(NamedTuple):
    """A request with the marks that pay, the names of those edits, and its prefixes (None: nobody asked for them)."""

    ask: Ask
    prefixes: Prefixes | None = None
    edits: tuple[str, ...] = ()


class Caching:
    """One worker's: the workloads that opted in, and what was seen of them."""

    def __init__(self, settings: Sequence[CacheSettings], secret: bytes, reads: Reads | None = None) -> None:
        self._settings = settings
        self._patterns = [each.workload for each in settings]
        self._key = key_of(secret)
        self._found: dict[str, CacheSettings | None] = {}
        self.reads = reads or Reads()

    def settings_of(self, workload: str) -> CacheSettings | None:
        """What a workload opted in to. The longest pattern wins, and of two alike the first."""
        try:
            return self._found[workload]
        except KeyError:
            found = most_specific(self._patterns, workload)
            self._found[workload] = self._settings[found[0]] if found else None
            return self._found[workload]

    def marked(self, workload: str, dialect: Dialect, ask: Ask, outlet: Outlet, model: str, at: datetime) -> Marked:
        """The request as it goes to a model of an outlet; itself where its workload did not opt in."""
        settings = self.settings_of(workload)
        if settings is None:
            return Marked(ask)
        prefixes = prefixes_of(ask, self._key)
        if not prefixes.blocks:
            return Marked(ask)
        edits = self._edits(settings, workload, ask, prefixes, outlet, model, at)
        if edits is None:
            return Marked(ask, prefixes)
        body, names = dialect.edited(ask, edits)
        if not names:
            return Marked(ask, prefixes)
        longest = ask.input_tokens_max
        fresh = replace(
            ask, body=body, fields=top_level(body),
            cache_writes=(edits.cache_ttl,) if edits.cache else ask.cache_writes,
            input_tokens_max=None if longest is None else longest + len(body) - len(ask.body),
        )  # fmt: skip
        return Marked(fresh, prefixes, names)

    def served(self, workload: str, outlet: Outlet, model: str, prefixes: Prefixes, at: int, kept: str = "") -> None:
        """A vendor has taken the prompt, at an instant in microseconds; `kept`: as `Reads.see` has it."""
        self.reads.see(workload, _scope(outlet, model), prefixes, at, kept)

    def _edits(
        self, settings: CacheSettings, workload: str, ask: Ask, prefixes: Prefixes, outlet: Outlet, model: str,
        at: datetime,
    ) -> Edits | None:  # fmt: skip
        if ask.dialect != "anthropic_messages":
            place = next((each for each in ("system", "tools") if each in prefixes.places), "")
            if outlet.vendor not in KEYED or not settings.where or not place:
                return None
            return Edits(vendor=outlet.vendor, cache_key=f"offtake-{prefixes.id_at(place)}")
        day = at.replace(hour=0, minute=0, second=0, microsecond=0)
        rules = None if ask.cache_writes else _rules(outlet, model, day)
        if rules is None or rules.automatic:
            return None
        scope = _scope(outlet, model)
        kept = self.reads.bytes_kept(workload, scope, prefixes, (at - EPOCH) // MICROSECOND)
        found = {ttl: self._pays(settings, workload, prefixes, rules, scope, ttl, kept) for ttl in TTLS}
        ttls = TTLS if settings.ttl == "auto" else (settings.ttl,)
        saved, ttl = max((found[ttl][1], ttl) for ttl in reversed(list(ttls)))
        return Edits(cache=found[ttl][0], cache_ttl=ttl) if saved > 0 else None

    def _pays(
        self, settings: CacheSettings, workload: str, prefixes: Prefixes, rules: CacheRules, scope: str, ttl: str,
        kept: int,
    ) -> tuple[tuple[str, ...], float]:  # fmt: skip
        """The places where a mark of this time to live pays, and the bytes of input that a request then saves.

        The end of a conversation also pays where it reads more of what earlier turns left (`kept`) than it writes.
        """
        least = break_even(rules, ttl).reads_per_write
        read, write = float(rules.read), float(rules.write(ttl))
        places, saved, begun = [], 0.0, 0
        for place in ("tools", "system", "last"):
            if least is None or place not in settings.where or place not in prefixes.places:
                continue
            length = prefixes.bytes_before(place)
            reads = self.reads.expected(workload, scope, prefixes, place, ttl)
            left = max(kept - begun, 0) if place == "last" else 0
            gain = left * (1 - read) + (length - begun - left) * (1 - (write + read * reads) / (1 + reads))
            if (reads > least or (left and gain > 0)) and length >= rules.min_prefix_tokens * BYTES_A_TOKEN:
                places.append(place)
                saved += gain
                begun = length
        return tuple(places), saved


def _scope(outlet: Outlet, model: str) -> str:
    return f"{outlet.id} {model}"


@lru_cache(maxsize=1_024)
def _rules(outlet: Outlet, model: str, at: datetime) -> CacheRules | None:
    """A model's dated multiples and least prefix under the outlet's contract; None where one is not known."""
    contract, catalog = outlet.terms.contract, outlet.terms.catalog
    try:
        agreed = contract.as_of(at).prices.cache
        minimum = agreed.min_prefix_tokens if isinstance(agreed, Cache) else None
        return under(of_model(model, catalog, at, minimum), Pricing(unrounded(contract), catalog), model, at)
    except OfftakeError:
        return None
