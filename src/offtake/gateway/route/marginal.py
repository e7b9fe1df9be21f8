"""What a request costs on the margin: what the whole term's bill grows by if it goes through this contract.

    reserved capacity   0 while it fits into the minute: it is paid either way
    a lapsing credit    0 for what it pays
    a commitment        λ × the price of what it still lacks (odds.py); a shortfall that shrinks by more than the price,
                        because usage counts at list, makes it cheaper still
    a burst             the committed rate
    beyond              the contracted price and the overage's premium
    otherwise           the contracted price

Whole picodollars, from the prices that rating compiled. It decides an order, and never what anyone is billed.

Example: 100 at the contracted price, 60 of them within a commitment that one future of four draws anyway, the rest
beyond it at 10% on top: 60 × 0.25 + 40 × 1.10 = 59.
"""

from __future__ import annotations

from msgspec import Struct

from offtake.gateway.route.odds import THOUSAND
from offtake.gateway.route.standing import Drawdown, Quantities, Standing
from offtake.rating.ceiling import Ceiling


class Marginal(Struct):
    """`pico` may be below 0. `clause` is the path of what decided."""

    pico: int
    contracted_pico: int
    clause: str
    from_reserved: bool = False


def marginal(
    ceiling: Ceiling, standing: Standing, use: Quantities, model: str, access: str, account: str, now_ns: int
) -> Marginal:
    """The marginal cost of a request that is expected to use so much."""
    contracted = ceiling.expected(use.input, use.cache_read, use.output)
    reserved = standing.reservation
    if reserved and reserved.covers(model) and reserved.fits(use.input + use.cache_read, use.output, now_ns):
        return Marginal(0, contracted, "capacity.reserved", from_reserved=True)
    if not standing.grants and not standing.drawdowns:
        return Marginal(contracted, contracted, "prices")
    left, clause = contracted, "prices"
    for grant in standing.grants:
        if left and grant.pays(model):
            paid = min(left, grant.left_pico)
            left -= paid
            clause = grant.path
    total = left
    for each in standing.drawdowns if left else ():
        if not each.covers(model, access, account):
            continue
        listed = 0
        if each.text.counts_at == "list" or each.text.overage is not None:
            listed = ceiling.at_list(use.input, use.cache_read, use.output)
        counted = _counted(each, use, left, contracted, listed)
        within = min(counted, each.left_pico)
        saved = _saved(each, within) if each.anyway_permille < THOUSAND else 0
        premium = _premium(each, counted, within, left, contracted, listed)
        total += premium - saved
        if saved or (within and clause == "prices"):
            clause = each.path
        elif premium and not within:
            clause = f"{each.path}.overage"
    return Marginal(total, contracted, clause)


def _counted(each: Drawdown, use: Quantities, left: int, contracted: int, listed: int) -> int:
    """What it draws of a commitment, in picodollars of shortfall."""
    if each.weights is not None:
        return sum(tokens * weight for tokens, weight in zip(use, each.weights, strict=True))
    return listed * left // contracted if each.text.counts_at == "list" and contracted else left


def _saved(each: Drawdown, within: int) -> int:
    """The expected part of a shortfall that does not come about."""
    share = each.text.shortfall.share if each.text.shortfall else 1
    return int(within * share) * (THOUSAND - each.anyway_permille) // THOUSAND


def _premium(each: Drawdown, counted: int, within: int, left: int, contracted: int, listed: int) -> int:
    """What the part beyond the commitment, and beyond its burst, costs on top."""
    overage = each.text.overage
    if overage is None:
        return 0
    beyond = counted - within - (each.burst_left_pico if each.text.burst else 0)
    if beyond <= 0 or not counted:
        return 0
    price = listed * left // contracted if overage.at == "list" and contracted else left
    dearer = int(price * (1 + (overage.surcharge or 0))) - left
    return dearer * beyond // counted
