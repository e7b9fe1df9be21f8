"""`prices`: what a token costs. The order in which the clauses apply stands once, in `rating/pipeline.py`."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from offtake.contract.schema.field_types import (
    ADuration,
    AMoney,
    AnyShare,
    Channel,
    Count,
    Instant,
    MeterName,
    Number,
    PriceKey,
    Share,
    Term,
    Zone,
)


class Freeze(Term):
    """List prices of an instant hold for the term; a model launched later freezes at its first locked price."""

    at: Instant
    """The instant whose list prices hold."""


class PriceDrops(Term):
    """When the list price falls below the frozen one the buyer follows it down, meter by meter."""

    basis: Literal["list", "discounted_list"]
    """What the frozen price is compared with: the new list price, or that less the buyer's whole reduction."""
    trigger: Literal["automatic", "opt_in"]
    """Whether a drop applies by itself, or from the day on which the buyer opts in (a dated fact)."""
    lag: ADuration | None = None
    """How long after the public drop the buyer's price follows."""
    ratchet: bool = False
    """true: a drop is kept when the list price rises again."""


class Discount(Term):
    """A share off the list price of the models that the pattern names; the most specific pattern wins."""

    models: str
    """A pattern of model names, such as `claude-*`."""
    share: Share
    """The share off."""
    channels: list[Channel] | None = None
    """The channels that it covers; all of them when absent."""
    meters: list[MeterName] | None = None
    """The meters that it covers, such as `output_tokens`; all of them when absent."""


class StepCondition(Term):
    """Read once, at the step's `from`."""

    spend_last_12_months: AMoney
    """Contracted spend of the twelve months before that the buyer must have reached."""


class Step(Term):
    """From a date, a further share off the contracted price before it (20%, then 15% of what is left: 32% off)."""

    from_: Instant = Field(alias="from")
    """When the step takes effect."""
    share: Share
    """The share off."""
    of: Literal["previous_price"] = "previous_price"
    """What the share is taken of."""
    models: str = "*"
    """A pattern of model names."""
    when: StepCondition | None = None
    """A condition; without it the step always comes."""


class NewModels(Term):
    """Models launched after signing."""

    share: Share
    """The share off their list price."""
    successors: Literal["same_unit_price", "list"] = "list"
    """The successor of a model under contract keeps its unit price, or starts from its own list price."""


class Measure(Term):
    """What moves a buyer up the tiers."""

    amount: Literal["contracted", "list", "tokens"]
    """Spend at contracted or at list price, with every factor but the tiers; or tokens."""
    at: Literal["frozen", "current"]
    """frozen: price drops do not slow the climb; current: they do."""


class Tier(Term):
    """A band; its upper bound belongs to it."""

    up_to: AMoney | Annotated[int, Field(gt=0, le=10**18)] | None = None
    """Where the band ends (money, or a number of tokens); the last band has none."""
    share: Share
    """The share off within the band."""


class Tiers(Term):
    """Deeper discounts with volume."""

    kind: Literal["graduated", "volume"]
    """graduated: each band prices what falls in it; volume: the band reached prices all, by a credit."""
    measure: Measure
    """What is counted."""
    window: Literal["month", "quarter", "contract_year", "term"]
    """When counting starts again."""
    models: str = "*"
    """A pattern of model names: what counts and what is discounted."""
    steps: list[Tier] = Field(min_length=1)
    """The bands, from the first."""

    @model_validator(mode="after")
    def _bands_ascend(self) -> Tiers:
        bounds = [tier.up_to for tier in self.steps]
        if bounds[-1] is not None or any(bound is None for bound in bounds[:-1]):
            raise ValueError("every step but the last has `up_to`, and the last has none")
        tokens = self.measure.amount == "tokens"
        if any(isinstance(bound, int) != tokens for bound in bounds[:-1]):
            raise ValueError("`up_to` is a number of tokens where the measure is tokens, and money otherwise")
        edges = [bound if isinstance(bound, int) else bound.amount for bound in bounds[:-1] if bound is not None]
        if any(high <= low for low, high in pairwise(edges)):
            raise ValueError("`up_to` rises from step to step")
        return self


class ChannelPrice(Term):
    """A channel's price from the realtime price: one of the two."""

    share: Share | None = None
    """The share off the realtime price."""
    surcharge: AnyShare | None = None
    """The share on top of the realtime price."""

    @model_validator(mode="after")
    def _one_of(self) -> ChannelPrice:
        if (self.share is None) == (self.surcharge is None):
            raise ValueError("a channel has either `share` or `surcharge`")
        return self


class Cache(Term):
    """Cache prices as multiples of the resulting input price."""

    read: Number
    """A cached token that is read, × the input price."""
    write_5m: Number
    """A token written to the five-minute cache, × the input price."""
    write_1h: Number
    """A token written to the one-hour cache, × the input price."""
    min_prefix_tokens: Count | None = None
    """The shortest prefix that the vendor caches."""


class OffPeak(Term):
    """A share off in these hours, on the local wall clock at the instant of use."""

    share: Share
    """The share off."""
    hours: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$", examples=["22:00-06:00"])
    """From and until; a window across midnight belongs to the day on which it starts."""
    days: Literal["weekdays", "all"] = "all"
    """The days whose hours count."""
    weekends: bool = False
    """true: all of Saturday and Sunday are off-peak."""
    time_zone: Zone
    """The zone of the wall clock."""

    @model_validator(mode="after")
    def _not_empty(self) -> OffPeak:
        start, end = self.hours.split("-")
        if start == end:
            raise ValueError("the hours start and end at the same time: write 00:00-24:00 for the whole day")
        return self


class NonProduction(Term):
    """A share off for workloads that are not production."""

    share: Share
    """The share off."""
    workloads: list[str] = Field(min_length=1)
    """Patterns of workload names, such as `dev-*`."""


Lever = Literal["tiers", "off_peak", "non_production", "batch", "flex", "priority"]


def _of_two(group: list[Lever]) -> list[Lever]:
    if len(set(group)) < 2 or len(set(group)) != len(group):
        raise ValueError("an exclusive group names two or more different levers")
    return group


class Combine(Term):
    """What happens where two shares meet on one token."""

    how: Literal["multiply", "add", "best_of"]
    """20% and 5%: multiply gives 24%, add 25%, best_of 20%."""
    exclusive: list[Annotated[list[Lever], AfterValidator(_of_two)]] = Field(default_factory=list)
    """Groups of which only the larger applies."""


class Prices(Term):
    """What a token costs."""

    basis: Literal["list"] = "list"
    """The catalogue's list price at the instant of use, for the channel, region and context of the request."""
    freeze: Freeze | None = None
    """List prices are held as they were."""
    price_drops: PriceDrops | None = None
    """How public price cuts reach the buyer while prices are frozen."""
    discounts: list[Discount] = Field(default_factory=list)
    """From list to contracted, by model."""
    steps: list[Step] = Field(default_factory=list)
    """Later changes of the contracted price, each relative to the one before."""
    fixed: dict[str, dict[PriceKey, Number]] = Field(default_factory=dict)
    """Absolute prices by model and price key (`input_mtok`: per million tokens), instead of a discount."""
    new_models: NewModels | None = None
    """The price of models launched after signing."""
    new_meters: Literal["list", "free", "error"] | None = None
    """The price of a meter that did not exist at signing."""
    region_uplift: Literal["waived", "catalog"] | None = None
    """Whether the vendor's surcharge for a region is charged."""
    tiers: Tiers | None = None
    """Deeper discounts with volume."""
    batch: ChannelPrice | Literal["catalog"] | None = None
    """The batch price: a share off the realtime price, or the catalogue's batch price."""
    flex: ChannelPrice | Literal["catalog"] | None = None
    """The flex price."""
    priority: ChannelPrice | Literal["catalog"] | None = None
    """The priority price."""
    cache: Cache | Literal["catalog"] | None = None
    """Cache prices: multiples of the input price, or the catalogue's."""
    off_peak: OffPeak | None = None
    """Cheaper hours."""
    non_production: NonProduction | None = None
    """Cheaper workloads."""
    combine: Combine | None = None
    """How simultaneous shares combine; required as soon as two can meet."""
