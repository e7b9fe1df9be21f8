"""Rates: requests and tokens in any window of a second or a minute, and requests in flight.

Clause: `capacity.limits`. Tokens are counted when a request is admitted, at what it is expected to use, and corrected
when it is settled. A refusal names the limit that takes longest, and how long; nothing is counted for it.

Several workers share a limit: each has a part, and the parts sum to the limit (`window.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec import Struct

from offtake.contract.schema.capacity import Limits as ServedLimits
from offtake.gateway.admit.window import MINUTE, SECOND, Window, correct, split, take
from offtake.gateway.ask import Refusal
from offtake.gateway.outlet import KeyLimits

RETRY_SECONDS_MAX = 60.0
NO_PART = "the limit is smaller than the number of workers, and this one has no part of it: run fewer"
BATCHES = -1
"""The process of batches in place of a worker's number."""
BATCHES_SHARE = 10
COUNTED = ("requests", "input", "output")
Amounts = tuple[int, int, int]
"""Of each of them, in this order."""
KINDS = (  # key of the contract, what it counts, over how long, its name for people, its code
    ("requests_per_second", "requests", SECOND, "requests a second", "G411"),
    ("requests_per_minute", "requests", MINUTE, "requests a minute", "G412"),
    ("input_tpm", "input", MINUTE, "input tokens a minute", "G414"),
    ("output_tpm", "output", MINUTE, "output tokens a minute", "G415"),
)


@dataclass(slots=True)
class Meter:
    """One limit: its window, what a request takes of it (`requests`, `input`, `output`), and how a refusal names it."""

    window: Window
    unit: str
    name: str
    code: str
    clause: str


class Ticket(Struct):
    """What an admitted request took of some limits, by what is counted and by meter, to be corrected and given back."""

    limits: Limits
    amounts: Amounts
    taken_ns: int
    windows: tuple[tuple[Window, int], ...]


class Limits:
    """The limits of one contract or key at one worker; of a contract, this worker's share."""

    def __init__(self, meters: Sequence[Meter], concurrency: int | None = None, clause: str = "") -> None:
        self.meters = tuple(meters)
        self.windows = _windows(meters)
        self.concurrency = concurrency
        self.in_flight = 0
        self._clause = clause

    def refusal(self, input_tokens: int, output_tokens: int, now_ns: int) -> Refusal | None:
        """Why one more request of so many tokens may not start now; nothing is counted."""
        if self.concurrency is not None and self.in_flight >= self.concurrency:
            what = f"{self.in_flight} requests are in flight, of {self.concurrency} allowed"
            hint = "send fewer at once" if self.concurrency else NO_PART
            return Refusal("rate", "G413", what, self._clause, hint, 1.0)
        amounts = (1, input_tokens, output_tokens)
        for window, counted in self.windows:
            if not window.fits(amounts[counted], now_ns):
                return self._slowest(amounts, now_ns)
        return None

    def never(self, input_tokens: int, output_tokens: int) -> bool:
        """Whether a request of so many tokens does not fit, however long it waits."""
        amounts = (1, input_tokens, output_tokens)
        return self.concurrency == 0 or any(amounts[counted] > window.limit for window, counted in self.windows)

    def admit(self, input_tokens: int, output_tokens: int, now_ns: int) -> Ticket:
        """Count a request that no refusal stops."""
        self.in_flight += 1
        amounts = (1, input_tokens, output_tokens)
        for window, counted in self.windows:
            window.add(amounts[counted], now_ns)
        return Ticket(self, amounts, now_ns, self.windows)

    def settle(self, ticket: Ticket, input_tokens: int, output_tokens: int, now_ns: int) -> None:
        """The request has ended and has used so much. Its tokens are corrected; it stays one request of its minute."""
        self.in_flight -= 1
        correct(ticket.windows, ticket.amounts, ticket.taken_ns, (1, input_tokens, output_tokens), now_ns)

    def _slowest(self, amounts: Amounts, now_ns: int) -> Refusal:
        """The refusal of the limit that takes longest."""
        waits = [window.wait_ns(amounts[counted], now_ns) for window, counted in self.windows]
        longest = max(waits)
        slowest = self.meters[waits.index(longest)]
        return _refusal(slowest, longest, amounts[COUNTED.index(slowest.unit)])

    def retune(self, fresh: Limits, now_ns: int) -> Limits:
        """Take the limits of a later reading; what is counted and in flight stays so. Returns itself."""
        known = {meter.code: meter.window for meter in self.meters}
        for meter in fresh.meters:
            if window := known.get(meter.code):
                window.change(meter.window.limit, now_ns)
                meter.window = window
        self.meters, self.concurrency, self._clause = fresh.meters, fresh.concurrency, fresh._clause
        self.windows = _windows(self.meters)
        return self


class Together:
    """All limits that requests of one kind meet, counted in one step."""

    def __init__(self, limits: Sequence[Limits]) -> None:
        self._limits = tuple(limits)
        self._each = tuple((each, each.windows) for each in limits)
        self._bounded = tuple(each for each in limits if each.concurrency is not None)
        self._windows = tuple(window for each in limits for window in each.windows)
        self._tokens = tuple(window for window in self._windows if COUNTED[window[1]] != "requests")

    def take(self, amounts: Amounts, now_ns: int) -> bool:
        """Count one more request; False, and nothing counted, where a limit stops it."""
        for limits in self._bounded:
            if limits.concurrency is not None and limits.in_flight >= limits.concurrency:
                return False
        if not take(self._windows, amounts, now_ns):
            return False
        for limits in self._limits:
            limits.in_flight += 1
        return True

    def settle(self, amounts: Amounts, taken_ns: int, used: Amounts, now_ns: int) -> None:
        """The request has ended, as `Limits.settle`."""
        for limits in self._limits:
            limits.in_flight -= 1
        correct(self._tokens, amounts, taken_ns, used, now_ns)

    def tickets(self, amounts: Amounts, taken_ns: int) -> list[Ticket]:
        """What one request took, for each of the limits by itself."""
        return [Ticket(limits, amounts, taken_ns, windows) for limits, windows in self._each]


def _windows(meters: Sequence[Meter]) -> tuple[tuple[Window, int], ...]:
    return tuple((meter.window, COUNTED.index(meter.unit)) for meter in meters)


def _refusal(meter: Meter, wait_ns: int, amount: int) -> Refusal:
    limit = meter.window.limit
    if amount > limit:
        hint = "this request alone is larger than the limit: shorten it"
    else:
        hint = "wait, or spread the requests"
    if not limit:
        hint = NO_PART
    what = f"{meter.window.total:,} of {limit:,} {meter.name} are used, and this request takes {amount:,}"
    return Refusal("rate", meter.code, what, meter.clause, hint, min(max(wait_ns / SECOND, 0.001), RETRY_SECONDS_MAX))


def limits_of(
    asked: ServedLimits | KeyLimits, clause: Callable[[str], str], worker: int = 0, workers: int = 1, *,
    batches: bool = False,
) -> Limits:  # fmt: skip
    """The limits of a contract's `capacity.limits` or of a key, at one of several workers, which has a part of each.

    `batches`: a tenth of each, one at least, is the part of the process that runs batches (the worker `BATCHES`); of a
    limit of one it has nothing, because whoever waits for an answer comes first.
    """

    def part(limit: int) -> int:
        theirs = max(limit // BATCHES_SHARE, min(limit - 1, 1)) if batches and limit else 0
        return theirs if worker == BATCHES else split(limit - theirs, [0] * workers)[worker]

    meters = [
        Meter(Window(part(limit), length), unit, name, code, clause(key))
        for key, unit, length, name, code in KINDS
        if (limit := getattr(asked, key)) is not None
    ]
    concurrency = None if asked.concurrency is None else part(asked.concurrency)
    return Limits(meters, concurrency, clause("concurrency"))
