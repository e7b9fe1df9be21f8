"""`fees` and `capacity.reserved`: what is owed whatever is used."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from offtake.contract.schema.base import AMoneyRate, AnyShare, Multiple, Share, Term


class BlockIncludes(Term):
    tokens: int = Field(gt=0)


class Block(Term):
    """A flat fee for a block of usage; what lies beyond pays the rate card (`overage`)."""

    amount: AMoneyRate
    includes: BlockIncludes
    beyond: Literal["overage"]


class SeatTier(Term):
    """A price a seat for the seats in the band (graduated)."""

    up_to: int | None = None
    price: AMoneyRate


class TrueDown(Term):
    """How far the count may fall at each anniversary."""

    share: Share
    per: Literal["year"] = "year"


class Seats(Term):
    """Seats: the contracted count or the counted seats, whichever is more, limited by the true-down."""

    count: int = Field(ge=0)
    price: AMoneyRate
    tiers: list[SeatTier] = Field(default_factory=list)
    reassign: Literal["free", "none"] = "free"
    true_down: str | None = Field(default=None, pattern=r"^[0-9.]+%/year$", examples=["10%/year"])


class Support(Term):
    """A share of contracted usage before grants, without shortfall."""

    share: Share
    of: Literal["usage"]


class License(Term):
    amount: AMoneyRate
    deployment: Literal["private", "any"] = "private"


class Fees(Term):
    """What is owed besides usage."""

    platform: AMoneyRate | None = None
    block: Block | None = None
    seats: Seats | None = None
    support: Support | None = None
    license: License | None = None


class Reserved(Term):
    """Throughput that is paid whether used or not; usage served from it bills 0, spill bills on demand."""

    input_tpm: int = Field(ge=0)
    output_tpm: int = Field(ge=0)
    price: AMoneyRate
    spill: Literal["on_demand", "refuse"]
    peak_multiple: Multiple | None = None
    models: str = "*"


class RenewalIncentive(Term):
    discount: Share


class Renewal(Term):
    """What happens at the end of the term; `price_cap` bounds the renewal price as a share of today's."""

    automatic: bool
    notice: str | None = None
    price_cap: AnyShare | None = None
    commit_reduction: Share | None = None
    incentive: RenewalIncentive | None = None
