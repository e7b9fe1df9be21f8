"""The negotiated price: a discount off list, or an absolute price instead of it.

Clause: `prices.discounts`, `prices.fixed`. Source: S1 "The per-token rate card"; taxonomy PR-01, PR-02.

Why it matters: this is the headline lever, 10–30% at committed volume, and it is specific to the model. The most
specific pattern wins; two of equal specificity, or a discount and a fixed price for one model, are a clash.

Example: `claude-*` 20% and `claude-opus-4-7` 15%: opus input at $5.00/M list costs 5.00 × 0.85 = $4.25/M, and
sonnet input at $3.00/M costs 3.00 × 0.80 = $2.40/M.
"""

from __future__ import annotations

from decimal import Decimal

from offtake.contract.patterns import match, most_specific
from offtake.contract.schema.prices import Discount, Prices
from offtake.rating.clauses import freeze, list_price, new_models
from offtake.rating.draft import Draft, Question, per_million
from offtake.usage.meters import Meter
from offtake.values.errors import ContractError, UnpricedError
from offtake.values.money import divide


def fixed_prices(prices: Prices, model: str) -> str | None:
    """The key of `prices.fixed` that names this model, or None."""
    keys = list(prices.fixed)
    winners = most_specific(keys, model)
    if len(winners) > 1:
        raise ContractError("R403", f"two fixed prices of equal specificity name {model}: {[keys[i] for i in winners]}")
    return keys[winners[0]] if winners else None


def discount_index(prices: Prices, model: str, channel: str, meter: str) -> int | None:
    """The discount that applies: the most specific pattern among those for this channel and meter."""
    fitting = [i for i, discount in enumerate(prices.discounts) if _fits(discount, model, channel, meter)]
    winners = [fitting[i] for i in most_specific([prices.discounts[i].models for i in fitting], model)]
    if len(winners) > 1:  # of the same pattern, one that names a channel or meter is the more specific
        winners = [i for i in winners if prices.discounts[i].channels or prices.discounts[i].meters] or winners
    if len(winners) > 1:
        raise ContractError("R403", f"two discounts of equal specificity name {model}: prices.discounts{winners}")
    return winners[0] if winners else None


def apply(draft: Draft) -> None:
    """Fixed price, else the price of a new model, else the discount, else list."""
    prices, question = draft.terms.prices, draft.question
    key = fixed_prices(prices, question.model.id)
    if key is not None and list_price.base_channel(draft.terms, question.channel) != "realtime":
        raise UnpricedError(
            "R416",
            f"prices.fixed.{key} is a realtime price, and nothing derives the {question.channel} price from it",
            hint=f"add `prices.{question.channel}: {{share: 50%}}` or what was agreed",
        )
    if key is not None:
        price = fixed_unit_price(prices, key, question.meter)
        draft.price = draft.undropped = price
        draft.clause = f"prices.fixed.{key}"
        draft.note(draft.clause, f"fixed {per_million(price, question.meter)}")
        return
    index = discount_index(prices, question.model.id, question.channel, question.meter.name)
    literal = index is not None and "*" not in prices.discounts[index].models
    if not literal and new_models.apply(draft, _negotiated):
        return
    if index is None:
        return
    share = prices.discounts[index].share
    draft.scale(1 - share)
    draft.clause = f"prices.discounts[{index}]"
    draft.note(draft.clause, f"{share:.2%} off: {per_million(draft.price, question.meter)}")


def _negotiated(question: Question, draft: Draft) -> Draft:
    """The draft of another model under the same terms, up to its negotiated price."""
    other = list_price.start(question, draft.terms, draft.book)
    freeze.apply(other)
    apply(other)
    return other


def fixed_unit_price(prices: Prices, key: str, meter: Meter) -> Decimal:
    """The fixed price a piece. UnpricedError where `fixed` names the model but not this meter."""
    for price_key in meter.price_keys:
        if meter.cache and not price_key.startswith("cache"):
            break  # a cache meter is not priced as plain input
        if price_key in prices.fixed[key]:
            return divide(prices.fixed[key][price_key], meter.per)
    raise UnpricedError(
        "R404",
        f"prices.fixed.{key} has no price for {meter.name}",
        hint=f"add {meter.price_keys[0]} to it, or `prices.cache` multiples for cache meters",
    )


def _fits(discount: Discount, model: str, channel: str, meter: str) -> bool:
    return (
        match(discount.models, model)
        and (discount.channels is None or channel in discount.channels)
        and (discount.meters is None or meter in discount.meters)
    )
