"""`commitments`, `top_ups`, `credits`: floors on what counts, and money that is there before usage is."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from offtake.contract.schema.base import (
    ACountRate,
    ADuration,
    AMoney,
    AMoneyRate,
    AnyShare,
    Day,
    Multiple,
    Number,
    Share,
    Term,
)


class TokenCommitment(Term):
    """So many weighted tokens a period. `weights` by meter (input 1, output 5, …): every meter in use needs one."""

    amount: ACountRate
    weights: dict[str, Number] = Field(min_length=1)
    shortfall_price: Number = Field(description="Dollars per million weighted tokens that were committed and not used.")


class Pool(Term):
    """What counts: lists of patterns; a list that is absent restricts nothing."""

    models: list[str] | None = None
    access: list[str] | None = None
    affiliates: list[str] | None = None


class Prepaid(Term):
    """Paid before use. `as: cash`: cash = drawdown × (1 − discount); `as: rate`: the discount comes off each price."""

    share: Share
    discount: Share | None = None
    as_: Literal["cash", "rate"] | None = Field(default=None, alias="as")
    bonus: Share | None = Field(default=None, description="A further lot, this share of the drawdown, at cost basis 0.")

    @model_validator(mode="after")
    def _discount_says_how(self) -> Prepaid:
        if (self.discount is None) != (self.as_ is None):
            raise ValueError("`discount` and `as` go together: cash (less is paid) or rate (prices fall)")
        return self


class Rollover(Term):
    """A share of what a window leaves unused becomes a lot of the next one; it is paid for already and never rolls again."""

    share: Share
    of: Literal["unused", "commitment"]
    into: Literal["next_window", "next_quarter", "rest_of_year"]
    expires_after: ADuration | None = None
    order: Literal["first", "last"]


class Burst(Term):
    """A right to exceed the window's allowance for a while at the committed rate."""

    window: Literal["month"]
    up_to: Multiple
    windows_per_year: int | None = Field(default=None, ge=1)
    notice: ADuration | None = None
    at: Literal["committed_rate"] = "committed_rate"
    average_within: Literal["quarter", "year"] | None = None
    raises_limits: bool = False


class OverageNotice(Term):
    """Who must warn before overage is charged dearer, and what follows when nobody did."""

    at: AnyShare
    by: Literal["vendor", "buyer"]
    else_: Literal["no_surcharge"] = Field(alias="else")


class Overage(Term):
    """The price of what lies beyond the commitment."""

    at: Literal["contracted", "list"]
    surcharge: AnyShare | None = None
    notice: OverageNotice | None = None


class Ramp(Term):
    """Another amount in a later contract year."""

    year: int = Field(ge=2)
    amount: AMoney


class MarketplaceCap(Term):
    of: Literal["cloud_commitment"]
    share: Share


class Marketplace(Term):
    """Spend here also burns down a cloud commitment."""

    burns: str
    share: Share
    cap: MarketplaceCap | None = None


class Shortfall(Term):
    """What the unused part costs; at face value unless a share is named."""

    share: Share


class Commitment(Term):
    """A floor (take or pay) on what counts."""

    id: str
    amount: AMoneyRate | None = None
    tokens: TokenCommitment | None = None
    pool: Pool | Literal["all_models"]
    counts_at: Literal["list", "contracted"]
    minimum: AMoneyRate | None = None
    true_up: Literal["month", "quarter", "year"]
    shortfall: Shortfall | None = None
    prepaid: Prepaid | None = None
    rollover: Rollover | None = None
    burst: Burst | None = None
    overage: Overage | None = None
    ramp: list[Ramp] = Field(default_factory=list)
    marketplace: Marketplace | None = None

    @model_validator(mode="after")
    def _money_or_tokens(self) -> Commitment:
        if (self.amount is None) == (self.tokens is None):
            raise ValueError("a commitment has either `amount` (money) or `tokens`")
        return self


class TopUps(Term):
    """A prepaid wallet without a commitment: each top-up gives a paid lot and a bonus lot (bonus is a share of the cash)."""

    bonus: Share
    expires_after: ADuration | None
    burn_order: list[Literal["promotional", "paid"]] = Field(min_length=2, max_length=2)


class Credit(Term):
    """A grant of money against usage or fees."""

    name: str
    amount: AMoney
    expires: Day | None
    priority: int = Field(ge=0)
    applies_to: Literal["usage", "fees", "all"]
    models: str = "*"
    starts: Day | None = None
    counts: bool = Field(description="Whether usage paid with it counts toward a commitment.")
