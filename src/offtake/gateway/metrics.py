"""What a worker counts, and the page that Prometheus reads: the sums over all workers of this gateway.

Counting is adding to a dictionary. Each second a worker writes its counts beside its journal, whole or not at all, and
whichever worker is asked adds up what all have written; a dead worker's counts stay until the gateway is started anew.
Labels hold nothing that a client could make up: a model that nobody sells is counted as a refusal, by its code.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from offtake.gateway.settle import Costs
from offtake.store.files import replacing_path

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
Key = tuple[str, ...]


class Counts:
    """One worker's. Counters by name and labels; histograms as counts a bucket, and the sum in milliseconds."""

    def __init__(self) -> None:
        self.counters: dict[str, dict[Key, int]] = {name: {} for name in NAMES}
        self.histograms: dict[str, dict[Key, list[int]]] = {name: {} for name in HISTOGRAMS}

    def settled(self, contract: str, vendor: str, costs: Costs, milliseconds: int, first_milliseconds: int) -> None:
        """A request has ended."""
        record, counters = costs.record, self.counters
        key = contract, vendor, record.model
        _add(counters["requests"], (*key, record.outcome or "ok"), 1)
        _add(counters["cost_pico"], key, costs.cost_pico)
        _add(counters["list_pico"], key, costs.list_pico)
        for meter, quantity in record.quantities.items():
            _add(counters["tokens"], (*key, meter), quantity)
        if not record.usage_known:
            _add(counters["unknown"], key, 1)
        self._observe("seconds", key[1:], milliseconds)
        if first_milliseconds:
            self._observe("first_seconds", key[1:], first_milliseconds)

    def refused(self, code: str) -> None:
        """A request was turned away."""
        _add(self.counters["refused"], (code,), 1)

    def observed(self, codes: Iterable[str]) -> None:
        """Rules that only look would have turned a request away."""
        for code in codes:
            _add(self.counters["observed"], (code,), 1)

    def transcript(self, result: str) -> None:
        """A call of a customer who opted in was kept, or why not.

        The writer's thread counts too: each result is of one thread, and all of them stand here before it begins.
        """
        self.counters["transcripts"][result,] += 1

    def keeps_transcripts(self) -> None:
        """Transcripts are kept from now on."""
        for result in TRANSCRIPTS:
            self.counters["transcripts"].setdefault((result,), 0)

    def write(self, folder: Path, worker: str) -> None:
        """Leave the counts where the others find them."""
        document = {
            "counters": {name: [[*key, n] for key, n in found.items()] for name, found in self.counters.items()},
            "histograms": {name: [[*key, n] for key, n in found.items()] for name, found in self.histograms.items()},
        }
        with replacing_path(folder / f"{worker}{SUFFIX}") as beside:
            beside.write_text(json.dumps(document))

    def _observe(self, name: str, key: Key, milliseconds: int) -> None:
        buckets = self.histograms[name].get(key)
        if buckets is None:
            buckets = self.histograms[name][key] = [0] * (len(SECONDS) + 2)
        buckets[bisect_left(SECONDS, milliseconds / 1e3)] += 1
        buckets[-1] += milliseconds


def forget(folder: Path) -> None:
    """A gateway starts: what an earlier one has counted is gone."""
    for path in folder.glob(f"*{SUFFIX}"):
        path.unlink(missing_ok=True)


def page(folder: Path) -> bytes:
    """The sums of all workers in Prometheus' text format."""
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    registry.register(_Collector(_summed(folder)))
    return generate_latest(registry)


class _Collector:
    def __init__(self, counts: Counts) -> None:
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


def _summed(folder: Path) -> Counts:
    found = Counts()
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            document = json.loads(path.read_text())
        except (OSError, ValueError):  # a worker that starts or goes just now
            continue
        for name, rows in document["counters"].items():
            for *key, n in rows:
                _add(found.counters[name], tuple(key), n)
        for name, rows in document["histograms"].items():
            for *key, buckets in rows:
                into = found.histograms[name].setdefault(tuple(key), [0] * len(buckets))
                into[:] = [a + b for a, b in zip(into, buckets, strict=True)]
    return found


def _cumulative(buckets: list[int]) -> list[tuple[str, int]]:
    total, found = 0, []
    for bound, n in zip((*(str(each) for each in SECONDS), "+Inf"), buckets, strict=True):
        total += n
        found.append((bound, total))
    return found


def _add(into: dict[Key, int], key: Key, n: int) -> None:
    into[key] = into.get(key, 0) + n
