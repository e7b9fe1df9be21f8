"""Stickiness: where a session's prompt cache is warm, and who is its home where nobody knows.

The home is found by rendezvous hashing: each outlet draws a number from the session's name, and the highest wins. Every
worker finds the same one without a word, and an outlet that goes away moves its own sessions only.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from typing import NamedTuple

from offtake.gateway.admit.window import MINUTE

SESSIONS_MAX = 65_536
WARM_NS = 5 * MINUTE


class Warm(NamedTuple):
    """Where a session was served last, and how many tokens of its prompt are cached there until when."""

    outlet: str
    model: str
    tokens: int
    until_ns: int


def draw_of(session: str, outlet: str) -> int:
    """The number that an outlet draws from a session's name; the highest is its home."""
    return int.from_bytes(blake2b(f"{session}\0{outlet}".encode(), digest_size=8).digest())


class Sessions:
    """The sessions of one worker that are warm somewhere. Names are kept as hashes only."""

    def __init__(self) -> None:
        self._warm: OrderedDict[bytes, Warm] = OrderedDict()

    def remember(self, session: str, outlet: str, model: str, tokens: int, now_ns: int, for_ns: int = WARM_NS) -> None:
        """A request of the session was served with so many tokens of prompt, which the vendor keeps for a while."""
        if session:
            name = _hashed(session)
            self._warm[name] = Warm(outlet, model, tokens, now_ns + for_ns)
            self._warm.move_to_end(name)
            if len(self._warm) > SESSIONS_MAX:
                self._warm.popitem(last=False)

    def find(self, session: str, now_ns: int) -> Warm | None:
        """Where the session is warm now."""
        found = self._warm.get(_hashed(session)) if session else None
        return found if found and now_ns < found.until_ns else None


def _hashed(session: str) -> bytes:
    return blake2b(session.encode(), digest_size=16).digest()
