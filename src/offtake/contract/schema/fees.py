"""`fees` and `capacity.reserved`: what is owed whatever is used."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from offtake.contract.schema.field_types import AMoneyRate, AShareRate, Count, Multiple, Share, Term


class BlockIncludes(Term):
    """What a block covers."""

    tokens: int = Field(gt=0, le=10**18)
    """Tokens a period of the block."""


class Block(Term):
    """A flat fee for a block of usage."""

    amount: AMoneyRate
    """The fee, and its period."""
    includes: BlockIncludes
    """The usage that it covers."""
    beyond: Literal["overage"]
    """What lies beyond pays the rate card."""


class SeatTier(Term):
    """A price for the seats within a band."""

    up_to: Annotated[int, Field(gt=0)] | None = None
    """The last seat of the band; the last band has none."""
    price: AMoneyRate
    """The price of a seat."""


class Seats(Term):
    """Seats: the contracted count, or the counted seats (a dated fact) where they are more."""

    count: Count
    """Contracted seats."""
    price: AMoneyRate
    """The price of a seat."""
    tiers: list[SeatTier] = Field(default_factory=list)
    """Graduated prices instead of `price`."""
    reassign: Literal["free", "none"] = "free"
    """Whether a seat may pass to another person."""
    true_down: AShareRate | None = None
    """How far the contracted count may fall at each anniversary, such as `10%/year`."""

    @model_validator(mode="after")
    def _bands_ascend(self) -> Seats:
        bounds = [tier.up_to for tier in self.tiers]
        rising = [bound for bound in bounds[:-1] if bound is not None]
        if bounds and (bounds[-1] is not None or len(rising) < len(bounds) - 1 or sorted(set(rising)) != rising):
            raise ValueError("`up_to` rises from tier to tier, and only the last tier has none")
        return self


class Support(Term):
    """Support as a share of usage."""

    share: Share
    """The share."""
    of: Literal["usage"]
    """Contracted usage, before grants and without shortfall."""


class License(Term):
    """A licence to run the model."""

    amount: AMoneyRate
    """The fee, and its period."""
    deployment: Literal["private", "any"] = "private"
    """Where the licence holds."""


class Fees(Term):
    """What is owed besides usage."""

    platform: AMoneyRate | None = None
    """A flat platform fee."""
    block: Block | None = None
    """A flat fee for a block of usage."""
    seats: Seats | None = None
    """Seats."""
    support: Support | None = None
    """Support."""
    license: License | None = None
    """A licence."""


class Reserved(Term):
    """Throughput that is paid whether used or not; usage served from it bills 0."""

    input_tpm: Count
    """Reserved input tokens a minute."""
    output_tpm: Count
    """Reserved output tokens a minute."""
    price: AMoneyRate
    """Its price."""
    spill: Literal["on_demand", "refuse"]
    """What lies beyond: the contracted price, or refused."""
    peak_multiple: Multiple | None = None
    """The vendor keeps this multiple of the peak daily volume ready."""
    models: str = "*"
    """A pattern of the models that may use it."""
