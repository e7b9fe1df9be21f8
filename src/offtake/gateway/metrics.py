"""What a worker counts, and the page that Prometheus reads: the sums over all workers of this gateway.

Counting is adding to one tally for each way in which requests end. Each second a worker writes its counts beside its
journal, whole or not at all, and whichever worker is asked adds up what all have written; a dead worker's counts stay
until the gateway is started anew.
Labels hold nothing that a client could make up: a model that nobody sells is counted as a refusal, by its code.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from offtake.gateway.settle import Costs
from offtake.values.errors import OutsideError

SUFFIX = ".metrics"
SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
_CALL = ("contract", "vendor", "model")
NAMES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "requests": ("offtake_requests", "Requests that were sent to a vendor, by how they ended.", (*_CALL, "outcome")),
    "tokens": ("offtake_tokens", "Tokens by meter, as the vendor counted them.", (*_CALL, "meter")),
    "cost_pico": ("offtake_cost_usd", "What requests cost under their contract, in dollars.", _CALL),
    "list_pico": ("offtake_list_usd", "What they would cost at list price, in dollars.", _CALL),
    "unknown": ("offtake_usage_unknown", "Requests whose usage nobody said, so that it is estimated.", _CALL),
    "refused": ("offtake_refusals", "Requests that were refused before anything was sent.", ("code",)),
    "observed": ("offtake_observed_refusals", "What would have been refused.", ("code",)),
    "transcripts": ("offtake_transcripts", "Calls to keep: kept, or why one was not.", ("result",)),
}
"""Counter → its name on the page, what it says, its labels. Dollars are kept in picodollars."""
HISTOGRAMS = {
    "seconds": ("offtake_request_seconds", "From the request sent to the end of its answer.", ("vendor", "model")),
    "first_seconds": ("offtake_first_byte_seconds", "From the request sent to the first byte.", ("vendor", "model")),
}
TRANSCRIPTS = ("kept", "late", "failed", "no_room", "zero_retention")
"""What becomes of a call to keep; the writer's thread counts the first three."""
MILLISECONDS = tuple(int(each * 1_000) for each in SECONDS)
Key = tuple[str, ...]


class Tally(Struct):
    """What requests that ended alike have come to. Buckets of milliseconds: one a bound, one beyond, and their sum."""

    requests: int = 0
    cost_pico: int = 0
    list_pico: int = 0
    unknown: int = 0
    tokens: dict[str, int] = field(default_factory=dict)
    seconds: list[int] = field(default_factory=lambda: [0] * (len(SECONDS) + 2))
    first_seconds: list[int] = field(default_factory=lambda: [0] * (len(SECONDS) + 2))

    def add(
        self, cost_pico: int, list_pico: int, quantities: Mapping[str, int], milliseconds: int, first_milliseconds: int
    ) -> None:
        """A request has ended. `first_milliseconds` below 1: there was no first byte."""
        self.requests += 1
        self.cost_pico += cost_pico
        self.list_pico += list_pico
        tokens = self.tokens
        for meter, quantity in quantities.items():
            tokens[meter] = tokens.get(meter, 0) + quantity
        self.seconds[bisect_left(MILLISECONDS, milliseconds)] += 1
        self.seconds[-1] += milliseconds
        if first_milliseconds > 0:
            self.first_seconds[bisect_left(MILLISECONDS, first_milliseconds)] += 1
            self.first_seconds[-1] += first_milliseconds


class Counts:
    """One worker's: tallies by (contract, vendor, model, outcome), refusals by code, transcripts by result."""

    def __init__(self) -> None:
        self._tallies: dict[Key, Tally] = {}
        self._refused: Counter[str] = Counter()
        self._observed: Counter[str] = Counter()
        self._transcripts: dict[str, int] = {}
        self._written = -1  # how much had been counted

    def settled(self, contract: str, vendor: str, costs: Costs, milliseconds: int, first_milliseconds: int) -> None:
        """A request has ended."""
        tally = self.tally(contract, vendor, costs.model, costs.outcome or "ok")
        tally.add(costs.cost_pico, costs.list_pico, costs.quantities, milliseconds, first_milliseconds)
        if not costs.usage_known:
            tally.unknown += 1

    def tally(self, *key: str) -> Tally:
        """The tally of (contract, vendor, model, outcome), one object for as long as the worker lives."""
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = Tally()
        return tally

    def refused(self, code: str) -> None:
        """A request was turned away."""
        self._refused[code] += 1

    def observed(self, codes: Iterable[str]) -> None:
        """Rules that only look would have turned a request away."""
        self._observed.update(codes)

    def transcript(self, result: str) -> None:
        """A call of a customer who opted in was kept, or why not.

        The writer's thread counts too: each result is of one thread, and all of them stand here before it begins.
        """
        self._transcripts[result] += 1

    def keeps_transcripts(self) -> None:
        """Transcripts are kept from now on."""
        self._written = -1
        for result in TRANSCRIPTS:
            self._transcripts.setdefault(result, 0)

    def write(self, folder: Path, worker: str) -> None:
        """Leave the counts where the others find them, unless they are there. OutsideError where that cannot be."""
        counted = sum([each.requests for each in self._tallies.values()])
        counted += self._refused.total() + self._observed.total() + sum(self._transcripts.values())
        if counted == self._written:
            return
        found = self._summed()
        document = {
            "counters": {name: [[*key, n] for key, n in rows.items()] for name, rows in found.counters.items()},
            "histograms": {name: [[*key, n] for key, n in rows.items()] for name, rows in found.histograms.items()},
        }
        beside = folder / f"{worker}{SUFFIX}.new"  # this worker's alone
        try:
            beside.write_text(json.dumps(document))
            beside.replace(folder / f"{worker}{SUFFIX}")
        except OSError as error:
            hint = f"make room on the disk of {folder}; what was counted is not lost"
            raise OutsideError("O510", f"cannot write the counts of {worker}: {error.strerror}", hint=hint) from error
        self._written = counted

    def _summed(self) -> Sums:
        """The counts by the labels of the page."""
        sums = Sums()
        for key, tally in self._tallies.items():
            *call, _ = key
            sums.add("requests", key, tally.requests)
            sums.add("cost_pico", (*call,), tally.cost_pico)
            sums.add("list_pico", (*call,), tally.list_pico)
            if tally.unknown:
                sums.add("unknown", (*call,), tally.unknown)
            for meter, quantity in tally.tokens.items():
                sums.add("tokens", (*call, meter), quantity)
            for name in HISTOGRAMS:
                sums.add_buckets(name, (*call[1:],), getattr(tally, name))
        rows = {"refused": self._refused, "observed": self._observed, "transcripts": self._transcripts}
        for name, counted in rows.items():
            for label, n in counted.items():
                sums.add(name, (label,), n)
        return sums


class Sums:
    """Counters by name and labels; histograms as counts a bucket, and the sum in milliseconds."""

    def __init__(self) -> None:
        self.counters: dict[str, dict[Key, int]] = {name: {} for name in NAMES}
        self.histograms: dict[str, dict[Key, list[int]]] = {name: {} for name in HISTOGRAMS}

    def add(self, name: str, key: Key, n: int) -> None:
        """So many more."""
        into = self.counters[name]
        into[key] = into.get(key, 0) + n

    def add_buckets(self, name: str, key: Key, buckets: Sequence[int]) -> None:
        """What another histogram holds; an empty one is no row."""
        if any(buckets):
            into = self.histograms[name].setdefault(key, [0] * len(buckets))
            into[:] = [a + b for a, b in zip(into, buckets, strict=True)]


def forget(folder: Path) -> None:
    """A gateway starts: what an earlier one has counted is gone."""
    for path in folder.glob(f"*{SUFFIX}*"):  # half-written ones too
        path.unlink(missing_ok=True)


def page(folder: Path) -> bytes:
    """The sums of all workers in Prometheus' text format."""
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    registry.register(_Collector(_summed(folder)))
    return generate_latest(registry)


class _Collector:
    def __init__(self, counts: Sums) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Any]:
        """Every counter and histogram as the client library has them."""
        from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

        for name, (shown, said, labels) in NAMES.items():
            family = CounterMetricFamily(shown, said, labels=labels)
            for key, n in self._counts.counters[name].items():
                family.add_metric(key, n / 1e12 if name.endswith("_pico") else n)
            yield family
        for name, (shown, said, labels) in HISTOGRAMS.items():
            histogram = HistogramMetricFamily(shown, said, labels=labels)
            for key, buckets in self._counts.histograms[name].items():
                histogram.add_metric(key, _cumulative(buckets[:-1]), buckets[-1] / 1e3)
            yield histogram


def _summed(folder: Path) -> Sums:
    found = Sums()
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            document = json.loads(path.read_text())
        except (OSError, ValueError):  # a worker that starts or goes just now
            continue
        for name, rows in document["counters"].items():
            for *key, n in rows:
                found.add(name, tuple(key), n)
        for name, rows in document["histograms"].items():
            for *key, buckets in rows:
                found.add_buckets(name, tuple(key), buckets)
    return found


def _cumulative(buckets: list[int]) -> list[tuple[str, int]]:
    total, found = 0, []
    for bound, n in zip((*(str(each) for each in SECONDS), "+Inf"), buckets, strict=True):
        total += n
        found.append((bound, total))
    return found
