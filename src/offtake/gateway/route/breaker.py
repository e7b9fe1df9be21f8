"""Circuit breakers: an endpoint that fails for a model is left alone for a while, and then asked once.

closed      requests go; half of the last twenty failed, or five in a row: it opens
open        no request goes until the pause is over; each time it opens again the pause doubles, up to five minutes
half open   one request goes as a probe: its success closes the circuit, its failure opens it

A 429 is not a failure: the endpoint works, and rests until the time it said. Time is monotonic nanoseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from offtake.gateway.admit.window import SECOND

WINDOW = 20
KEPT = (1 << WINDOW) - 1
FAILED_OF_WINDOW = 10
FAILED_IN_A_ROW = 5
PAUSE_NS = 10 * SECOND
PAUSE_NS_MAX = 300 * SECOND
REST_NS_MAX = 60 * SECOND


@dataclass(slots=True)
class Breaker:
    """One endpoint for one model."""

    failures: int = 0  # bits, the newest lowest
    seen: int = 0
    in_a_row: int = 0
    opened: int = 0  # how often since it last worked
    until_ns: int = 0
    probing: bool = False
    rests_until_ns: int = 0

    def wait_ns(self, now_ns: int) -> int:
        """0 where a request may go; else how long until one may."""
        if now_ns < self.rests_until_ns:
            return self.rests_until_ns - now_ns
        if not self.opened:
            return 0
        if now_ns < self.until_ns:
            return self.until_ns - now_ns
        return PAUSE_NS if self.probing else 0

    def is_closed(self, now_ns: int) -> bool:
        """Whether requests go with no more ado: it neither rests nor is open, nor half."""
        return not self.opened and now_ns >= self.rests_until_ns

    def begins(self, now_ns: int) -> None:
        """A request goes; in a circuit that was open it is the probe."""
        if self.opened and now_ns >= self.until_ns:
            self.probing = True

    def succeeded(self) -> None:
        """It worked."""
        if self.opened:
            self.failures = self.seen = 0
        self.opened = self.in_a_row = 0
        self.probing = False
        self.failures = self.failures << 1 & KEPT
        self.seen = min(self.seen + 1, WINDOW)

    def failed(self, now_ns: int) -> None:
        """It did not: a 5xx, no connection, or no answer in time."""
        self.in_a_row += 1
        self.failures = (self.failures << 1 | 1) & KEPT
        self.seen = min(self.seen + 1, WINDOW)
        too_many = self.seen >= WINDOW and self.failures.bit_count() >= FAILED_OF_WINDOW
        if self.probing or (not self.opened and (too_many or self.in_a_row >= FAILED_IN_A_ROW)):
            self.opened += 1
            self.until_ns = now_ns + min(PAUSE_NS << min(self.opened - 1, 16), PAUSE_NS_MAX)
        self.probing = False

    def limited(self, retry_after_seconds: float | None, now_ns: int) -> None:
        """A 429 or a 529 with a time: it works, and wants a rest."""
        rest = SECOND if retry_after_seconds is None else int(retry_after_seconds * SECOND)
        self.rests_until_ns = max(self.rests_until_ns, now_ns + min(max(rest, 0), REST_NS_MAX))
        self.probing = False

    def abandoned(self) -> None:
        """It ended without a word about the endpoint: the client left, or the request was wrong."""
        self.probing = False
