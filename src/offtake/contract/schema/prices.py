"""`prices`: what a token costs, and in which order the clauses apply."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from offtake.contract.schema.base import ADuration, AMoney, AnyShare, Day, Instant, Number, Share, Term


class Freeze(Term):
    """List prices as they were at `at` hold for the term; a model launched later freezes at its first locked price."""

    at: Instant


class PriceDrops(Term):
    """When the list price falls below the frozen price the buyer follows it down."""

    basis: Literal["list", "discounted_list"]
    trigger: Literal["automatic", "opt_in"]
    lag: ADuration | None = Field(default=None, description="A drop counts this long after the list price fell.")
    ratchet: bool = Field(default=False, description="true: a drop is kept when the list price rises again.")


class Discount(Term):
    """A share off the list price of the models that the pattern names; the most specific pattern wins."""

    models: str
    share: Share
    channels: list[str] | None = None
    meters: list[str] | None = None


class StepCondition(Term):
    """Read once, at the step's `from`, on contracted spend of the twelve months before."""

    spend_last_12_months: AMoney


class Step(Term):
    """From a date, a further share off the contracted price before it (20% then 15% is 32%)."""

    from_: Instant = Field(alias="from")
    share: Share
    of: Literal["previous_price"] = "previous_price"
    models: str = "*"
    when: StepCondition | None = None


class NewModels(Term):
    """Models launched after signing: a share off their list price; `successors` of a model under contract may keep its price."""

    share: Share
    successors: Literal["same_unit_price", "list"] = "list"


class Measure(Term):
    """What moves a buyer up the tiers: spend (contracted or list) or tokens."""

    amount: Literal["contracted", "list", "tokens"]
    at: Literal["frozen", "current"] = Field(description="frozen: price drops do not slow the climb; current: they do.")


class Tier(Term):
    """A band up to and including `up_to` (money or tokens); the last band has none."""

    up_to: AMoney | int | None = None
    share: Share


class Tiers(Term):
    """Deeper discounts with volume: `graduated` prices what falls in each band, `volume` everything at the band reached."""

    kind: Literal["graduated", "volume"]
    measure: Measure
    window: Literal["month", "quarter", "contract_year", "term"]
    models: str = "*"
    steps: list[Tier] = Field(min_length=1)

    @model_validator(mode="after")
    def _bands_ascend(self) -> Tiers:
        bounds = [tier.up_to for tier in self.steps]
        if bounds[-1] is not None or any(bound is None for bound in bounds[:-1]):
            raise ValueError("every step but the last has `up_to`, and the last has none")
        tokens = self.measure.amount == "tokens"
        if any(isinstance(bound, int) != tokens for bound in bounds[:-1]):
            raise ValueError("`up_to` is a number of tokens where the measure is tokens, and money otherwise")
        edges = [bound if isinstance(bound, int) else bound.amount for bound in bounds[:-1] if bound is not None]
        if any(high <= low for low, high in zip(edges, edges[1:], strict=False)):
            raise ValueError("`up_to` rises from step to step")
        return self


class ChannelPrice(Term):
    """A channel's price from the realtime price: `share` off it, or `surcharge` on it."""

    share: Share | None = None
    surcharge: AnyShare | None = None

    @model_validator(mode="after")
    def _one_of(self) -> ChannelPrice:
        if (self.share is None) == (self.surcharge is None):
            raise ValueError("a channel has either `share` or `surcharge`")
        return self


class Cache(Term):
    """Cache prices as multiples of the resulting input price."""

    read: Number
    write_5m: Number
    write_1h: Number
    min_prefix_tokens: int | None = None


class OffPeak(Term):
    """A share off in these hours, on the local wall clock; a window across midnight belongs to the day on which it starts."""

    share: Share
    hours: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-4]):[0-5]\d$", examples=["22:00-06:00"])
    days: Literal["weekdays", "all"] = "all"
    weekends: bool = Field(default=False, description="true: all of Saturday and Sunday are off-peak.")
    time_zone: str


class NonProduction(Term):
    """A share off for workloads that match."""

    share: Share
    workloads: list[str] = Field(min_length=1)


class Combine(Term):
    """How simultaneous shares combine. `exclusive` groups apply only their larger member."""

    how: Literal["multiply", "add", "best_of"]
    exclusive: list[list[Literal["tiers", "off_peak", "non_production", "batch", "flex", "priority"]]] = Field(default_factory=list)


class Prices(Term):
    """What a token costs."""

    basis: Literal["list"] = "list"
    freeze: Freeze | None = None
    price_drops: PriceDrops | None = None
    discounts: list[Discount] = Field(default_factory=list)
    steps: list[Step] = Field(default_factory=list)
    fixed: dict[str, dict[str, Number]] = Field(
        default_factory=dict, description="Absolute prices by model and meter key, such as input_mtok: 0.85."
    )
    new_models: NewModels | None = None
    new_meters: Literal["list", "free", "error"] | None = None
    region_uplift: Literal["waived", "catalog"] | None = None
    tiers: Tiers | None = None
    batch: ChannelPrice | Literal["catalog"] | None = None
    flex: ChannelPrice | Literal["catalog"] | None = None
    priority: ChannelPrice | Literal["catalog"] | None = None
    cache: Cache | Literal["catalog"] | None = None
    off_peak: OffPeak | None = None
    non_production: NonProduction | None = None
    combine: Combine | None = None


__all__ = [
    "Cache", "ChannelPrice", "Combine", "Day", "Discount", "Freeze", "Measure", "NewModels", "NonProduction", "OffPeak",
    "PriceDrops", "Prices", "Step", "StepCondition", "Tier", "Tiers",
]  # fmt: skip
