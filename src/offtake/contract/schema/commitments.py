"""`commitments`, `top_ups`, `credits`: floors on what counts, and money that is there before usage is."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from offtake.contract.schema.field_types import (
    METER_NAMES,
    ACountRate,
    ADuration,
    AMoney,
    AMoneyRate,
    AnyShare,
    Day,
    ExpiresAfter,
    ExpiryDay,
    Multiple,
    Number,
    Share,
    Term,
    known,
)

WEIGHT_NAMES = (*(name.removesuffix("_tokens") for name in METER_NAMES if name.endswith("_tokens")), "cache_write")


WeightName = Annotated[str, AfterValidator(known(WEIGHT_NAMES, "a weighted meter"))]


class TokenCommitment(Term):
    """So many weighted tokens a period."""

    amount: ACountRate
    """Weighted tokens, and the period."""
    weights: dict[WeightName, Number] = Field(min_length=1)
    """By meter (input: 1, output: 5, …), one for each in use; `cache_write` covers both kinds."""
    shortfall_price: Number
    """Dollars per million weighted tokens that were committed and not used."""


class Pool(Term):
    """What counts: lists of patterns; a list that is absent restricts nothing."""

    models: list[str] | None = None
    """Model patterns."""
    access: list[str] | None = None
    """Access forms: api, bedrock, vertex, …"""
    affiliates: list[str] | None = None
    """Affiliates, as named in `scope.affiliates`."""


class Prepaid(Term):
    """Paid before use; the rest is invoiced in arrears, and the prepaid part is drawn first."""

    share: Share
    """The share of the commitment that is prepaid."""
    discount: Share | None = None
    """The discount for paying before."""
    as_: Literal["cash", "rate"] | None = Field(default=None, alias="as")
    """cash: less is paid, drawdown × (1 − discount); rate: the discount comes off each price."""
    bonus: Share | None = None
    """A further lot, this share of the drawdown, at cost basis 0."""

    @model_validator(mode="after")
    def _discount_says_how(self) -> Prepaid:
        if (self.discount is None) != (self.as_ is None):
            raise ValueError("`discount` and `as` go together: cash (less is paid) or rate (prices fall)")
        return self


class Rollover(Term):
    """A part of the unused becomes a lot of a later window; it is paid for already and never rolls again."""

    share: Share
    """How much rolls over."""
    of: Literal["unused", "commitment"]
    """What the share is taken of; of the commitment, never more than the unused."""
    into: Literal["next_window", "next_quarter", "rest_of_year"]
    """Where it can be drawn."""
    expires_after: ADuration | None = None
    """When it lapses; at the end of `into` when absent."""
    order: Literal["first", "last"]
    """Whether it is drawn before or after the window's own commitment."""


class Burst(Term):
    """A right to exceed the window's allowance for a while at the committed rate."""

    window: Literal["month"]
    """The window whose allowance may be exceeded; with a yearly pool the allowance is a twelfth."""
    up_to: Multiple
    """How far, as a multiple of the allowance."""
    windows_per_year: int | None = Field(default=None, ge=1, le=12)
    """How often a year."""
    notice: ADuration | None = None
    """How long before the vendor must be told (a dated fact)."""
    at: Literal["committed_rate"] = "committed_rate"
    """The price of burst usage."""
    average_within: Literal["quarter", "year"] | None = None
    """Burst is free of overage only where usage averages out within this."""
    raises_limits: bool = False
    """true: the vendor raises throughput limits for the burst."""


class OverageNotice(Term):
    """Who must warn before overage is charged dearer, and what follows when nobody did."""

    at: AnyShare
    """The share of the commitment at which notice is due."""
    by: Literal["vendor", "buyer"]
    """Who gives it (a dated fact)."""
    else_: Literal["no_surcharge"] = Field(alias="else")
    """What follows without it."""


class Overage(Term):
    """The price of what lies beyond the commitment."""

    at: Literal["contracted", "list"]
    """The contracted price, or list."""
    surcharge: AnyShare | None = None
    """The share on top of that price."""
    notice: OverageNotice | None = None
    """Notice that must come first."""


class Ramp(Term):
    """Another amount from a later contract year on."""

    year: int = Field(ge=2, le=20)
    """The contract year, from 2."""
    amount: AMoney
    """The amount, for the same period as the commitment's."""


class MarketplaceCap(Term):
    """How much of a cloud commitment may be burned here."""

    of: Literal["cloud_commitment"]
    """What the share is taken of."""
    share: Share
    """The most that may be burned."""


class Marketplace(Term):
    """Spend here also burns down a cloud commitment."""

    burns: str
    """The cloud commitment, such as `aws_edp`."""
    share: Share
    """The share of spend that burns it."""
    cap: MarketplaceCap | None = None
    """A limit."""


class Shortfall(Term):
    """What the unused part costs."""

    share: Share
    """The share of face value that is paid; all of it when `shortfall` is absent."""


class Commitment(Term):
    """A floor (take or pay) on what counts."""

    id: str
    """Its name: facts, lines and amendments refer to it."""
    amount: AMoneyRate | None = None
    """Money a period."""
    tokens: TokenCommitment | None = None
    """Weighted tokens a period, instead of money."""
    pool: Pool | Literal["all_models"]
    """Which usage counts."""
    counts_at: Literal["list", "contracted"]
    """At which price usage draws it down."""
    minimum: AMoneyRate | None = None
    """A floor inside the floor; its top-up counts toward the total."""
    true_up: Literal["month", "quarter", "year"]
    """When a shortfall is settled."""
    shortfall: Shortfall | None = None
    """What the unused part costs; face value when absent."""
    prepaid: Prepaid | None = None
    """What is paid before use."""
    rollover: Rollover | None = None
    """What becomes of the unused part."""
    burst: Burst | None = None
    """How far a window may be exceeded."""
    overage: Overage | None = None
    """The price beyond the commitment; the rate card when absent."""
    ramp: list[Ramp] = Field(default_factory=list)
    """Other amounts in later contract years."""
    marketplace: Marketplace | None = None
    """A cloud commitment that spend here burns down."""

    @model_validator(mode="after")
    def _money_or_tokens(self) -> Commitment:
        if (self.amount is None) == (self.tokens is None):
            raise ValueError("a commitment has either `amount` (money) or `tokens`")
        if self.tokens is not None and self.minimum:
            raise ValueError("`minimum` is in money, so it needs `amount`")
        if self.tokens is not None and self.ramp:
            raise ValueError("`ramp` is in money, so it needs `amount`; change a token commitment by an amendment")
        years = [step.year for step in self.ramp]
        if len(set(years)) != len(years):
            raise ValueError("`ramp` names one contract year twice")
        return self


class TopUps(Term):
    """A prepaid wallet without a commitment: each top-up (a dated fact) gives a paid lot and a bonus lot."""

    bonus: Share
    """The bonus lot, as a share of the cash."""
    expires_after: ExpiresAfter
    """When a lot lapses: a duration, or `never`."""
    burn_order: list[Literal["promotional", "paid"]] = Field(min_length=2, max_length=2)
    """Which lot is drawn first."""
    minimum: AMoney | None = None
    """The smallest top-up that earns the bonus."""

    @model_validator(mode="after")
    def _both(self) -> TopUps:
        if len(set(self.burn_order)) < 2:
            raise ValueError("`burn_order` names both `promotional` and `paid`")
        return self


class Credit(Term):
    """A grant of money against usage or fees."""

    name: str
    """Its name on the invoice."""
    amount: AMoney
    """How much."""
    expires: ExpiryDay
    """The first day on which it is gone, or `never`."""
    priority: int = Field(ge=0, le=100)
    """Lower is drawn first."""
    applies_to: Literal["usage", "fees", "all"]
    """What it pays."""
    models: str = "*"
    """A pattern of the models whose usage it pays."""
    starts: Day | None = None
    """The first day on which it can be drawn; the start of the term when absent."""
    counts: bool
    """Whether usage paid with it counts toward a commitment."""


def weight_of(weights: Mapping[str, Decimal], meter: str) -> Decimal | None:
    """The weight of a meter (`cache_write_5m_tokens`), or None where the contract gives none. Nothing is implied."""
    name = meter.removesuffix("_tokens")
    both = "cache_write" if name in ("cache_write_5m", "cache_write_1h") else name
    return weights.get(name, weights.get(both))
