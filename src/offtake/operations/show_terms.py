"""Show: the terms in force at an instant, what each model costs under them, and why.

Prices are asked of rating, by the same lanes and cards that price usage: a request below every context threshold, in
the first tier.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from offtake.contract.checks.subject import subjects
from offtake.contract.contract import Contract, Version
from offtake.contract.diff import written
from offtake.contract.patterns import match
from offtake.operations.contracts import Opened, moment_of, open_contract
from offtake.operations.explain_line import Step, paper_of
from offtake.rating.compiled import CompiledTerms
from offtake.rating.pipeline import UnitPrice
from offtake.rating.planning import probe
from offtake.rating.source import LaneKey
from offtake.usage.meters import METERS
from offtake.values.errors import CatalogError, InputError, Place, UnpricedError
from offtake.values.money import from_pico


@dataclass(frozen=True, slots=True)
class TermInForce:
    """One value of the text, where it stands and which paragraph it states."""

    path: str
    value: str
    place: Place
    paper: str


@dataclass(frozen=True, slots=True)
class PriceInForce:
    """What one piece of a meter costs: at list price and under the contract; `steps` derive it."""

    model: str
    meter: str
    channel: str
    access: str
    public: Decimal
    contracted: Decimal
    clause: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Dated:
    """A term in one version of the text: from when, by which document; value None where the version lacks it."""

    since: datetime
    document: str
    value: str | None
    place: Place | None
    paper: str


@dataclass(frozen=True, slots=True)
class Shown:
    """The text in force at an instant; or, where one thing was asked for, a term's history or a model's prices."""

    opened: Opened
    at: datetime
    terms: tuple[TermInForce, ...] = ()
    prices: tuple[PriceInForce, ...] = ()
    history: tuple[tuple[str, tuple[Dated, ...]], ...] = ()


def show_terms(
    path: Path,
    at: datetime | date | None = None,
    why: str | None = None,
    *,
    catalogs: Sequence[Path] = (),
    facts: Sequence[Path] = (),
    stance: str | None = None,
) -> Shown:
    """The terms and prices in force, or `why`: a term's path, or a model. InputError U189 where that names nothing."""
    opened = open_contract(path, catalogs=catalogs, facts=facts, stance=stance)
    contract = opened.contract
    moment = moment_of(at, contract)
    if why is None:
        return Shown(opened, moment, terms_in_force(contract, moment), prices_in_force(opened, moment))
    dated = history(contract, why)
    prices = () if dated else prices_in_force(opened, moment, why)
    if not dated and not prices:
        raise InputError(
            "U189", f"{why!r} is no term of this text and no model of its scope", hint="offtake show FILE lists both"
        )
    return Shown(opened, moment, (), prices, dated)


def terms_in_force(contract: Contract, at: datetime) -> tuple[TermInForce, ...]:
    """Every value of the text in force at an instant, in the order of the language."""
    return tuple(
        TermInForce(path, value, place, paper_of(contract, path, at))
        for path, (value, place) in written(contract, at).items()
        if not path.endswith("source")
    )


def prices_in_force(opened: Opened, at: datetime, model: str = "*") -> tuple[PriceInForce, ...]:
    """What each model of the scope costs at an instant, by channel, access form and meter.

    What has no price is left out, and audio and images where they are listed at the price of text. InputError where the
    instant lies outside of the term.
    """
    contract = opened.contract
    if at not in contract.span:
        raise InputError("R411", f"{at:%Y-%m-%d} lies outside of the contract's term")
    terms = CompiledTerms(contract, opened.catalog, opened.facts)
    subject = next(each for each in subjects(contract, opened.catalog) if at in each.span)
    scope = subject.terms.scope
    keys = [
        LaneKey("", facts.id, channel, access, "global", "request")
        for facts in subject.models
        if match(model, facts.id)
        for channel in scope.channels
        for access in scope.access
    ]
    return tuple(price for key in keys for price in _prices(terms, key, at))


def _prices(terms: CompiledTerms, key: LaneKey, at: datetime) -> Iterator[PriceInForce]:
    try:
        lane = terms.lane(probe(key, at))
    except (CatalogError, UnpricedError):
        return
    card = lane.card(at, 0)
    found: dict[str, UnitPrice] = {}
    for meter in METERS:
        with suppress(CatalogError, UnpricedError):
            if not meter.inside:
                found[meter.name] = card[meter.name]
    for name, price in found.items():
        plain = found.get(name.replace("_audio", "").replace("_image", ""), price)
        if plain is price or plain.public != price.public:
            yield PriceInForce(
                lane.model.id, name, key.channel, key.access, from_pico(price.public), from_pico(price.contracted),
                price.clause, tuple(_steps(price.steps, terms.contract, at)),
            )  # fmt: skip


def _steps(steps: tuple[tuple[str, str], ...], contract: Contract, at: datetime) -> Iterator[Step]:
    for clause, what in steps:
        yield Step(clause, what, contract.place(clause, at), paper_of(contract, clause, at))


def history(contract: Contract, path: str) -> tuple[tuple[str, tuple[Dated, ...]], ...]:
    """Each value at a path or below it, through all versions of the text; empty where the path names nothing."""
    texts = [(version, written(contract, version.effective)) for version in contract.versions]
    paths = dict.fromkeys(found for _, text in texts for found in text if _below(found, path))
    return tuple(
        (found, tuple(_dated(contract, version, found, text.get(found)) for version, text in texts))
        for found in paths
        if not found.endswith("source") or found == path
    )


def _dated(contract: Contract, version: Version, path: str, said: tuple[str, Place] | None) -> Dated:
    value, place = said or (None, None)
    paper = paper_of(contract, path, version.effective)
    return Dated(version.effective, version.document or "as signed", value, place, paper)


def _below(found: str, path: str) -> bool:
    return found == path or found.startswith((f"{path}.", f"{path}["))
