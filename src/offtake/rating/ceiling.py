"""What bounds a request's cost, as values: the shape of a request, and the dearest prices of a shape."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from offtake.values.errors import UnpricedError


class Shape(NamedTuple):
    """What decides a request's prices before it is sent.

    `channels` are all in which it may be served, the expected one first, and so are `regions`. `writes` are the caches
    that it may write (`5m`, `1h`), `media` what it may hold besides text (`audio`, `image`).
    """

    vendor: str
    model: str
    channels: tuple[str, ...] = ("realtime",)
    access: str = "api"
    regions: tuple[str, ...] = ("global",)
    workload: str = ""
    account: str = ""
    writes: tuple[str, ...] = ("5m",)
    media: tuple[str, ...] = ()


class Rates(NamedTuple):
    """Picodollars a token in one context band, as they are expected: uncached input, cache read, output."""

    input: int
    cache_read: int
    output: int


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The dearest prices of one shape for requests admitted in [since, until), in picodollars.

    `inputs` and `outputs` hold the dearest price of a token up to each context band; `thresholds` divide the bands.
    `plain` are the prices that are expected, by band, for whoever compares vendors, and `listed` what anyone pays.
    """

    since: datetime
    until: datetime
    thresholds: tuple[int, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    request: int
    search: int
    slack: int
    context_window: int | None
    plain: tuple[Rates, ...]
    listed: tuple[Rates, ...]

    def pico(self, input_tokens_max: int | None, output_tokens_max: int | None, server_tools: int = 0) -> int:
        """The bound in picodollars. A limit that is None is the context window; each server tool may use a turn more.

        A later turn reads everything again, and what its tool found: at most a context window. UnpricedError (R417)
        where a limit is not known and the catalogue does not know the window either.
        """
        if input_tokens_max is None or output_tokens_max is None or server_tools:
            window = self._window()
            turns = 1 + server_tools
            input_tokens_max = (window if input_tokens_max is None else input_tokens_max) + server_tools * window
            output_tokens_max = (window if output_tokens_max is None else output_tokens_max) * turns
            fixed = self.slack + self.request * turns + self.search * server_tools
        else:
            fixed = self.slack + self.request
        band = bisect_left(self.thresholds, input_tokens_max) if self.thresholds else 0
        return input_tokens_max * self.inputs[band] + output_tokens_max * self.outputs[band] + fixed

    def output_tokens_for(self, pico: int, input_tokens_max: int | None, server_tools: int = 0) -> int:
        """The largest output limit whose bound is at most so many picodollars; below 0 where the input alone is more.

        The context window where output costs nothing and no window is needed to say so.
        """
        left = pico - self.pico(input_tokens_max, 0, server_tools)
        each = self.pico(input_tokens_max, 1, server_tools) - self.pico(input_tokens_max, 0, server_tools)
        if left < 0:
            return -1
        return left // each if each else self.context_window or left

    def expected(self, input_tokens: int, cache_read_tokens: int, output_tokens: int) -> int:
        """What these quantities cost at the expected prices, in picodollars."""
        return self._at(self.plain, input_tokens, cache_read_tokens, output_tokens)

    def at_list(self, input_tokens: int, cache_read_tokens: int, output_tokens: int) -> int:
        """What these quantities cost anyone, in picodollars."""
        return self._at(self.listed, input_tokens, cache_read_tokens, output_tokens)

    def _at(self, rates: tuple[Rates, ...], input_tokens: int, cache_read_tokens: int, output_tokens: int) -> int:
        each = rates[bisect_left(self.thresholds, input_tokens + cache_read_tokens)]
        return input_tokens * each.input + cache_read_tokens * each.cache_read + output_tokens * each.output

    def _window(self) -> int:
        if self.context_window is None:
            raise UnpricedError(
                "R417", "nothing bounds what the request may cost",
                why="its input or output limit is not known, and the catalogue has no context window of the model",
                hint="set an output limit, or add models: {context_window: …} to a catalogue file",
            )  # fmt: skip
        return self.context_window
