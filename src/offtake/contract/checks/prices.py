"""Exactly one price: no gap, no clash, for every model, meter, channel, region and instant of the scope.

C240 no list price          C241 a pattern names no model     C242 two terms of equal specificity
C243 discount and fixed     C244 fixed misses a meter         C245 two shares may meet, nothing says how
C252 two list prices        C261 new models pay full list     C263 a channel that some models lack
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from offtake.catalog.list_price import ModelFacts, PriceCell
from offtake.contract.checks.subject import Subject
from offtake.contract.patterns import match, most_specific, specificity
from offtake.contract.schema.prices import Cache, ChannelPrice
from offtake.usage.meters import BY_NAME, METERS, Meter
from offtake.values.counting import counted
from offtake.values.errors import CatalogError, Finding


def every_pattern_names_a_model(subject: Subject) -> Iterator[Finding]:
    """A pattern without a model is a misspelt one, or one of a model still to come."""
    prices = subject.terms.prices
    yield from _scope_patterns(subject)
    named = [(f"prices.discounts[{i}].models", each.models) for i, each in enumerate(prices.discounts)]
    named += [(f"prices.fixed.{key}", key) for key in prices.fixed]
    named += [(f"prices.steps[{i}].models", each.models) for i, each in enumerate(prices.steps)]
    named += [("prices.tiers.models", prices.tiers.models)] if prices.tiers else []
    for path, pattern in named:
        if subject.matching(pattern):
            continue
        what = f"{pattern!r} names no model of the scope"
        if "*" in pattern:
            yield subject.warning("C241", path, what, "it may be meant for a model still to come")
        else:
            yield subject.error(
                "C241", path, what, f"the scope is at {subject.place('scope.models')}", _called(subject, pattern)
            )


def _scope_patterns(subject: Subject) -> Iterator[Finding]:
    for index, pattern in enumerate(subject.terms.scope.models):
        if subject.matching(pattern):
            continue
        try:
            model = subject.catalog.resolve(pattern, subject.terms.vendor, subject.terms.scope.access[0])
            hint = f"the catalogue calls it {model.id!r}"
            if model.id in {each.id for each in subject.models} or "*" in pattern:
                continue
        except CatalogError as error:
            hint = error.findings[0].hint
        what = f"{pattern!r} names no model that {subject.terms.vendor} sells"
        yield subject.error("C241", f"scope.models[{index}]", what, "what has no list price cannot be rated", hint)


def _called(subject: Subject, name: str) -> str:
    try:
        return f"the catalogue calls it {subject.catalog.resolve(name, subject.terms.vendor).id!r}"
    except CatalogError as error:
        return error.findings[0].hint


def every_channel_has_a_list_price(subject: Subject) -> Iterator[Finding]:
    """Each model named in the scope, in each channel, access form and region."""
    scope = subject.terms.scope
    for index, channel in enumerate(scope.channels):
        derived = channel != "realtime" and isinstance(getattr(subject.terms.prices, channel), ChannelPrice)
        listed = "realtime" if derived else channel
        for access in scope.access:
            for region in subject.regions:
                yield from _listed(subject, f"scope.channels[{index}]", listed, access, region)


def _listed(subject: Subject, path: str, channel: str, access: str, region: str) -> Iterator[Finding]:
    without: list[ModelFacts] = []
    for model in subject.models:
        cells = subject.cells(model, channel, access, region)
        if not cells or not _lasts(subject, cells):
            without.append(model)
        yield from _one_price_at_a_time(subject, path, model, cells)
    where = f"in channel {channel} through {access}" + ("" if region == "global" else f" in region {region}")
    literal = {pattern for pattern in subject.terms.scope.models if "*" not in pattern}
    named = [model.id for model in without if any(match(pattern, model.id) for pattern in literal)]
    if subject.models and len(without) == len(subject.models):
        what = f"no model of the scope has a list price {where}"
        yield subject.error(
            "C240", path, what, _why(subject, without[0], channel, access, region), _remedy(channel, region)
        )
        return
    for name in named:
        yield subject.error(
            "C240", path, f"{name} has no list price {where}", "unpriced is not free", _remedy(channel, region)
        )
    rest = [
        model.id for model in without if model.id not in named and subject.cells(model, "realtime", access, "global")
    ]
    if rest and channel != "realtime":
        few = ", ".join(rest[:5]) + (", …" if rest[5:] else "")
        what = f"{counted(len(rest), 'model')} without a list price {where}, or for a part of the term: {few}"
        yield subject.warning(
            "C263", path, what, "their usage in this channel would be unpriced", _remedy(channel, region)
        )


def _why(subject: Subject, model: ModelFacts, channel: str, access: str, region: str) -> str:
    try:
        subject.catalog.cells(model.id, model.vendor, channel, access, region)
    except CatalogError as error:
        return error.findings[0].what
    return f"the catalogue lists none, and `prices` at {subject.place('prices')} gives none"


def _remedy(channel: str, region: str) -> str:
    own = "" if channel == "realtime" else f"give its price by `prices.{channel}: {{share: …}}`, "
    own += "" if region == "global" else "say `prices.region_uplift: waived`, if that was agreed, "
    return f"{own}take it out of the scope, or add the price with --catalog FILE"


def _lasts(subject: Subject, cells: tuple[PriceCell, ...]) -> bool:
    """Whether a price, once there, stays to the end of the span without a hole."""
    ends = {cell.end for cell in cells if cell.end and cell.end < subject.span.end}
    return all(any(cell.holds(at) for cell in cells) for at in ends)


def _one_price_at_a_time(
    subject: Subject, path: str, model: ModelFacts, cells: tuple[PriceCell, ...]
) -> Iterator[Finding]:
    for at in sorted(
        {cell.start for cell in cells if cell.start and cell.start in subject.span} | {subject.span.start}
    ):
        holding = [cell for cell in cells if cell.holds(at)]
        for one, other in combinations(holding, 2):
            if one.prices.keys() & other.prices.keys():
                what = f"{model.id} has two list prices at {at:%Y-%m-%d}"
                yield subject.error("C252", path, what, f"one from {one.source}, one from {other.source}")


def one_discount_each(subject: Subject) -> Iterator[Finding]:
    """The most specific pattern wins; of equal patterns, one that names a channel or a meter."""
    discounts = subject.terms.prices.discounts
    clashes: dict[tuple[int, int], str] = {}
    for model in subject.models:
        for channel in subject.terms.scope.channels:
            for meter in METERS:
                fitting = [
                    index
                    for index, each in enumerate(discounts)
                    if (each.channels is None or channel in each.channels)
                    and (each.meters is None or meter.name in each.meters)
                ]
                won = [fitting[i] for i in most_specific([discounts[i].models for i in fitting], model.id)]
                if len(won) > 1:
                    won = [i for i in won if discounts[i].channels or discounts[i].meters] or won
                if len(won) > 1:
                    clashes.setdefault((won[0], won[1]), model.id)
    for (one, other), model_id in clashes.items():
        yield subject.error(
            "C242",
            f"prices.discounts[{other}]",
            f"two discounts of equal specificity name {model_id}",
            f"order does not decide, and the one at {subject.place(f'prices.discounts[{one}]')} fits as well",
            "name the model in full in the one that should win",
        )


def discount_or_fixed(subject: Subject) -> Iterator[Finding]:
    """A model has a discount or a fixed price. A fixed price may stand inside a wider discount pattern."""
    prices = subject.terms.prices
    seen: set[tuple[object, ...]] = set()
    for model in subject.models:
        keys = list(prices.fixed)
        won = most_specific(keys, model.id)
        if len(won) > 1 and won not in seen:
            seen.add(won)
            first = subject.place(f"prices.fixed.{keys[won[0]]}")
            what = f"two fixed prices of equal specificity name {model.id}"
            yield subject.error("C242", f"prices.fixed.{keys[won[1]]}", what, f"the other is at {first}", "remove one")
        for index, discount in enumerate(prices.discounts):
            for key in (keys[i] for i in won[:1]):
                wider = specificity(discount.models) < specificity(key)
                if match(discount.models, model.id) and not wider and (key, index) not in seen:
                    seen.add((key, index))
                    what = f"{model.id} has a discount and a fixed price"
                    why = f"nothing says which holds; the discount is at {subject.place(f'prices.discounts[{index}]')}"
                    yield subject.error("C243", f"prices.fixed.{key}", what, why, "remove one of the two")


def fixed_prices_are_whole(subject: Subject) -> Iterator[Finding]:
    """A fixed price names every meter that the model is sold by."""
    prices = subject.terms.prices
    access = subject.terms.scope.access[0]
    missing: dict[str, dict[str, str]] = {}
    for model in subject.models:
        won = most_specific(list(prices.fixed), model.id)
        if len(won) != 1:
            continue
        key = list(prices.fixed)[won[0]]
        listed = {name for cell in subject.cells(model, "realtime", access, "global") for name in cell.prices}
        for name in listed:
            if _is_sold(BY_NAME[name]) and not _is_fixed(prices.fixed[key].keys(), prices.cache, BY_NAME[name]):
                missing.setdefault(key, {})[name] = model.id
    for key, meters in missing.items():
        for name in sorted(meters, key=list(BY_NAME).index):
            meter = BY_NAME[name]
            what = f"the fixed price of {meters[name]} has no price for {name}"
            why = f"the list has one, and the scope at {subject.place('scope.models')} covers it"
            hint = f"add `{meter.price_keys[0]}`" + (", or multiples under `prices.cache`" if meter.cache else "")
            report = subject.error if meter.is_token else subject.warning
            yield report("C244", f"prices.fixed.{key}", what, why, hint)


def _is_sold(meter: Meter) -> bool:
    """Whether every model of text is sold by it; audio and images are priced as text where nothing else is said."""
    return not meter.inside and not any(kind in meter.name for kind in ("audio", "image"))


def _is_fixed(keys: object, cache: object, meter: Meter) -> bool:
    chain = meter.price_keys[:-1] if meter.cache else meter.price_keys
    known = set(keys) if hasattr(keys, "__iter__") else set()
    return bool(known & set(chain)) or bool(meter.cache and isinstance(cache, Cache))


def shares_that_meet_combine(subject: Subject) -> Iterator[Finding]:
    """Two shares that can hold on one token need `combine`."""
    prices = subject.terms.prices
    if prices.combine is not None:
        return
    channels = [
        name
        for name in ("batch", "flex", "priority")
        if name in subject.terms.scope.channels
        and isinstance(clause := getattr(prices, name), ChannelPrice)
        and clause.share
    ]
    tiers = prices.tiers
    levers = ["tiers"] if tiers and tiers.kind == "graduated" and tiers.measure.amount == "tokens" else []
    levers += [name for name in ("off_peak", "non_production") if getattr(prices, name)]
    pairs = [*combinations(levers, 2), *((lever, channel) for lever in levers for channel in channels)]
    for one, other in pairs:
        what = f"`{one}` and `{other}` can hold at once, and nothing says how they combine"
        why = f"`{one}` is at {subject.place(f'prices.{one}')}"
        hint = "add `combine: {how: multiply}` under prices (or add, or best_of)"
        yield subject.error("C245", f"prices.{other}", what, why, hint)


def new_models_have_a_price(subject: Subject) -> Iterator[Finding]:
    """A scope with a pattern takes in models still to come; no discount that names them means full list price."""
    prices = subject.terms.prices
    if prices.new_models or not (prices.discounts or prices.fixed):
        return
    wide = [each.models for each in prices.discounts if "*" in each.models]
    for index, pattern in enumerate(subject.terms.scope.models):
        prefix = pattern.partition("*")[0]
        if "*" in pattern and not any(match(each, f"{prefix}-x-new") or match(each, f"{prefix}x-new") for each in wide):
            what = f"a model of {pattern!r} that is launched in the term pays the full list price"
            hint = "add `new_models: {share: …}` under prices"
            yield subject.warning(
                "C261", f"scope.models[{index}]", what, "no discount names models still to come", hint
            )


CHECKS = (
    every_pattern_names_a_model,
    every_channel_has_a_list_price,
    one_discount_each,
    discount_or_fixed,
    fixed_prices_are_whole,
    shares_that_meet_combine,
    new_models_have_a_price,
)
