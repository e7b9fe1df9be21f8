"""Where a contract stands: what is reserved, granted and committed, and how much of each is left.

Rating says what a window commits; the ledger says what was drawn and used. A worker keeps a standing for each contract
and renews it from time to time: it decides the order of outlets and never an amount that anyone is billed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from offtake.contract.patterns import match
from offtake.contract.schema.commitments import Commitment, Credit, weight_of
from offtake.gateway.admit.reserved import Reservation
from offtake.gateway.route.odds import THOUSAND, Point, at_pace, drawn_anyway
from offtake.rating.clauses import prepaid
from offtake.rating.clauses.commitment import CommitmentClause
from offtake.rating.compiled import CompiledTerms
from offtake.rating.request import machine_of
from offtake.values.money import ZERO, divide, to_integer, to_pico
from offtake.values.periods import Interval

_SECOND = timedelta(seconds=1)
METERS = ("input_tokens", "cache_read_tokens", "output_tokens")


class Quantities(NamedTuple):
    """What a request is expected to use, in tokens."""

    input: int
    cache_read: int
    output: int


@dataclass(slots=True)
class Grant:
    """Money that pays usage and lapses: free while it lasts."""

    path: str
    left_pico: int
    models: str = "*"

    def pays(self, model: str) -> bool:
        """Whether it pays usage of the model."""
        return self.left_pico > 0 and match(self.models, model)


@dataclass(slots=True)
class Drawdown:
    """A commitment in its window. `left_pico`: dollars that are not drawn yet, at the price at which they count.

    `anyway_permille` is λ. `weights`: picodollars of shortfall that a token saves, for a commitment in tokens.
    `burst_left_pico`: how far beyond it a burst goes at the committed rate.
    """

    path: str
    text: Commitment
    left_pico: int
    anyway_permille: int = THOUSAND
    burst_left_pico: int = 0
    weights: Quantities | None = None

    def covers(self, model: str, access: str, account: str) -> bool:
        """Whether such usage counts toward it."""
        return prepaid.in_pool(self.text, model, access, account or None)


@dataclass(slots=True)
class Standing:
    """One contract at one worker."""

    reservation: Reservation | None = None
    grants: Sequence[Grant] = ()
    drawdowns: Sequence[Drawdown] = ()


NOTHING = Standing()


def standing_of(
    terms: CompiledTerms,
    at: datetime,
    drawn: Mapping[str, int],
    used_pico: Mapping[str, int],
    forecasts: Mapping[str, Sequence[Point]] | None = None,
    reservation: Reservation | None = None,
) -> Standing:
    """The standing of a contract at an instant.

    `drawn` by commitment: what its open window has drawn, in picodollars as it counts them or in weighted tokens; under
    `id/month` what the open month has, for one with a burst. `used_pico` by credit. `forecasts` by commitment: what its
    window still draws, in the same unit, with the planner's points (`pace` gives rough ones). Where a commitment's draw
    or forecast is not known its λ is 1.
    """
    contract = terms.contract
    text = contract.as_of(at)
    today = at.astimezone(contract.zone).date()
    credits_ = sorted(enumerate(text.credits), key=lambda pair: (pair[1].priority, str(pair[1].expires)))
    grants = [
        Grant(f"credits[{index}]", to_pico(each.amount.amount) - used_pico.get(each.name, 0), each.models)
        for index, each in credits_
        if lapses(each, today)
    ]
    drawdowns = [_drawdown(clause, at, drawn, (forecasts or {}).get(clause.id)) for clause in commitments_at(terms, at)]
    return Standing(reservation, grants, [each for each in drawdowns if each])


def pace(terms: CompiledTerms, at: datetime, drawn: Mapping[str, int]) -> dict[str, tuple[Point, ...]]:
    """A forecast for each commitment from its own pace, where nobody has made a better one."""
    found = {}
    for clause in commitments_at(terms, at):
        window = true_up_of(clause, at)
        if window and clause.id in drawn:
            elapsed, left = (at - window.start) // _SECOND, (window.end - at) // _SECOND
            found[clause.id] = at_pace(drawn[clause.id], elapsed, left)
    return found


def commitments_at(terms: CompiledTerms, at: datetime) -> Iterator[CommitmentClause]:
    """The commitments in force at an instant."""
    for clause in machine_of(terms).clauses:
        if isinstance(clause, CommitmentClause) and clause.text_at(at):
            yield clause


def true_up_of(clause: CommitmentClause, at: datetime) -> Interval | None:
    """The open window of a commitment."""
    windows = (each.interval for each in clause.windows() if each.name == "true_up")
    return next((window for window in windows if at in window), None)


def month_of(clause: CommitmentClause, at: datetime) -> Interval | None:
    """The open month of a commitment with a burst; None without one."""
    if clause.bursts is None:
        return None
    return next((each.interval for each in clause.windows() if each.name == "burst" and at in each.interval), None)


def _drawdown(
    clause: CommitmentClause, at: datetime, drawn: Mapping[str, int], forecast: Sequence[Point] | None
) -> Drawdown | None:
    window, text = true_up_of(clause, at), clause.text_at(at)
    if window is None or text is None:
        return None
    left = max(int(clause.units(clause.committed(window))) - drawn.get(clause.id, 0), 0)
    known = forecast if clause.id in drawn else None
    found = Drawdown(clause.path, text, left, drawn_anyway(left, known))
    if text.tokens:
        each = to_pico(divide(text.tokens.shortfall_price, 1_000_000))
        weights = ((weight_of(text.tokens.weights, name) or ZERO) * each for name in METERS)
        found.weights = Quantities(*(to_integer(weight) for weight in weights))
        found.left_pico = left * each
    if text.burst and f"{clause.id}/month" in drawn:
        month = month_of(clause, at)
        allowance = to_integer(clause.units(clause.committed(month, "month")) * text.burst.up_to) if month else 0
        found.burst_left_pico = max(allowance - drawn[f"{clause.id}/month"], 0)
    return found


def lapses(credit: Credit, today: date) -> bool:
    """Whether a credit pays usage today and is gone one day: what never lapses costs what it could pay later."""
    begun = credit.starts is None or credit.starts <= today
    return begun and credit.applies_to != "fees" and credit.expires is not None and today < credit.expires
