"""The meters: what a vendor counts, in schema order. A token belongs to exactly one meter, so it is priced once.

Names and dimensions follow the unit registry of the genai-prices package. `priced_as` is the chain of price keys
that apply when a model has no price of its own for the meter: a cache write without a price is plain input.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meter:
    """One counter. `price_keys`: the price keys that may price it, most specific first; `per`: pieces of a price."""

    name: str
    price_keys: tuple[str, ...]
    per: int
    direction: str  # input | output | request
    cache: str = ""  # read | write_5m | write_1h
    inside: str = ""  # counted inside this other meter; informational unless the model prices it apart

    @property
    def is_token(self) -> bool:
        """Whether it counts tokens, and not calls or requests."""
        return self.name.endswith("_tokens")

    @property
    def multiple_of(self) -> str:
        """The meter whose price a cache multiple is of: the input of the same modality."""
        return "input_audio_tokens" if "audio" in self.name else "input_tokens"


def _tokens(name: str, *keys: str, direction: str, cache: str = "") -> Meter:
    return Meter(name, keys, 1_000_000, direction, cache)


METERS: tuple[Meter, ...] = (
    _tokens("input_tokens", "input_mtok", direction="input"),
    _tokens("cache_read_tokens", "cache_read_mtok", "input_mtok", direction="input", cache="read"),
    _tokens(
        "cache_write_5m_tokens", "cache_write_5m_mtok", "cache_write_mtok", "input_mtok",
        direction="input", cache="write_5m",
    ),
    _tokens(
        "cache_write_1h_tokens", "cache_write_1h_mtok", "cache_write_mtok", "input_mtok",
        direction="input", cache="write_1h",
    ),
    _tokens("output_tokens", "output_mtok", direction="output"),
    Meter("reasoning_tokens", ("output_reasoning_mtok",), 1_000_000, "output", inside="output_tokens"),
    _tokens("input_audio_tokens", "input_audio_mtok", "input_mtok", direction="input"),
    _tokens(
        "cache_read_audio_tokens", "cache_audio_read_mtok", "cache_read_mtok", "input_audio_mtok", "input_mtok",
        direction="input", cache="read",
    ),
    _tokens("output_audio_tokens", "output_audio_mtok", "output_mtok", direction="output"),
    _tokens("input_image_tokens", "input_image_mtok", "input_mtok", direction="input"),
    _tokens("output_image_tokens", "output_image_mtok", "output_mtok", direction="output"),
    Meter("web_searches", ("web_searches_kcount",), 1_000, "request"),
    Meter("storage_searches", ("storage_searches_kcount",), 1_000, "request"),
    Meter("requests", ("requests_kcount",), 1_000, "request"),
)  # fmt: skip

BY_NAME: dict[str, Meter] = {meter.name: meter for meter in METERS}
ORDER: dict[str, int] = {meter.name: index for index, meter in enumerate(METERS)}
TOKEN_METERS: tuple[str, ...] = tuple(meter.name for meter in METERS if meter.is_token)
