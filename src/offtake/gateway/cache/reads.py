"""How often prefixes come again in time: what a worker has seen, by workload, place and prefix.

Each prefix that a request ends a mark at would have been written where it was not alive, and read where it was: both
are counted for each time to live, whether or not there was a mark. Tools and system prompts are judged by their own
counts, with those of their workload as one observation more. The end of a conversation is new each time, so it is
judged by its turn: first turns are often not continued, and fifth ones are.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from offtake.gateway.cache.prefixes import Prefixes
from offtake.planner.cache.admission import TURNS_SHOWN
from offtake.planner.cache.rules import microseconds

TTLS = {"5m": microseconds("5m"), "1h": microseconds("1h")}
ENTRIES_MAX = 65_536
WRITES_MAX = 1_024
"""After so many, both counts are halved: traffic changes."""


@dataclass(slots=True)
class Count:
    """Writes and reads that there would have been, by time to live."""

    writes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TTLS, 0))
    reads: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TTLS, 0))

    def add(self, ttl: str, *, read: bool) -> None:
        """One more of either."""
        counts = self.reads if read else self.writes
        counts[ttl] += 1
        if counts[ttl] > WRITES_MAX:
            self.writes[ttl] //= 2
            self.reads[ttl] //= 2


@dataclass(slots=True)
class _Entry:
    """A prefix: when it was used last, the turn that it ended (0: tools or a system prompt), its own counts.

    `kept`: the time to live that a mark of ours asked for at its end; empty where there was none.
    """

    at: int
    turn: int
    count: Count
    kept: str = ""

    def alive(self, ttl: str, at: int) -> bool:
        return at - self.at <= TTLS[ttl]


class Reads:
    """One worker's. A `scope` is what shares a cache: an outlet and a model."""

    def __init__(self) -> None:
        self._entries: OrderedDict[tuple[str, str, str], _Entry] = OrderedDict()
        self._counts: dict[tuple[str, str, int], Count] = {}

    def expected(self, workload: str, scope: str, prefixes: Prefixes, place: str, ttl: str) -> float:
        """The reads that follow a write of the prompt up to a place. 0 where nothing was seen."""
        if place == "last":
            return _mean(self._counts.get((workload, place, self._turn(workload, scope, prefixes))), ttl)
        prior = _mean(self._counts.get((workload, place, 0)), ttl)
        entry = self._entries.get((workload, scope, prefixes.id_at(place)))
        if entry is None or entry.turn:
            return prior
        return (entry.count.reads[ttl] + prior) / (entry.count.writes[ttl] + 1)

    def bytes_kept(self, workload: str, scope: str, prefixes: Prefixes, at: int) -> int:
        """How much of the prompt an earlier turn has left in the cache, which only a marked request reads."""
        passed = found = 0
        for block in prefixes.blocks:
            passed += block.bytes
            entry = self._entries.get((workload, scope, block.id))
            if entry is not None and entry.kept and entry.alive(entry.kept, at):
                found = passed
        return found

    def see(self, workload: str, scope: str, prefixes: Prefixes, at: int, kept: str = "") -> None:
        """A vendor has served this prompt; `at` in microseconds. `kept`: for how long its end was marked to stay."""
        for place in ("tools", "system"):
            if place in prefixes.places:
                self._see_stable(workload, scope, prefixes.id_at(place), place, at)
        if "last" in prefixes.places:
            self._see_turn(workload, scope, prefixes, at)
            entry = self._entries[workload, scope, prefixes.id_at("last")]
            entry.kept = kept or entry.kept
        while len(self._entries) > ENTRIES_MAX:
            self._entries.popitem(last=False)

    def _see_stable(self, workload: str, scope: str, id: str, place: str, at: int) -> None:
        key = workload, scope, id
        entry, group = self._entries.get(key), self._counts.setdefault((workload, place, 0), Count())
        if entry is None:
            entry = self._entries[key] = _Entry(at, 0, Count())
            known = False
        else:
            known = True
            self._entries.move_to_end(key)
        for ttl in TTLS:
            read = known and entry.alive(ttl, at)
            entry.count.add(ttl, read=read)
            group.add(ttl, read=read)
        entry.at = at

    def _see_turn(self, workload: str, scope: str, prefixes: Prefixes, at: int) -> None:
        """Earlier turns that this prompt begins with are read; its own end is written unless it is alive."""
        turn = self._turn(workload, scope, prefixes)
        own = prefixes.id_at("last")
        for block in prefixes.blocks:
            entry = self._entries.get((workload, scope, block.id))
            if entry is None or not entry.turn:
                continue
            group = self._counts.setdefault((workload, "last", entry.turn), Count())
            for ttl in TTLS:
                if entry.alive(ttl, at):
                    group.add(ttl, read=True)
                elif block.id == own:
                    group.add(ttl, read=False)
            entry.at = at
            self._entries.move_to_end((workload, scope, block.id))
        if (workload, scope, own) not in self._entries:
            self._entries[workload, scope, own] = _Entry(at, turn, Count())
            group = self._counts.setdefault((workload, "last", turn), Count())
            for ttl in TTLS:
                group.add(ttl, read=False)

    def _turn(self, workload: str, scope: str, prefixes: Prefixes) -> int:
        """Which turn the prompt is of its conversation, as far as it was seen; the last stands for all later ones."""
        for block in reversed(prefixes.blocks[:-1]):
            entry = self._entries.get((workload, scope, block.id))
            if entry is not None and entry.turn:
                return min(entry.turn + 1, TURNS_SHOWN)
        return 1


def _mean(count: Count | None, ttl: str) -> float:
    return count.reads[ttl] / count.writes[ttl] if count is not None and count.writes[ttl] else 0.0
