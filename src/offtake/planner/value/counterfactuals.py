"""What a contract would say without each of its terms: the counterfactuals, in one table.

The value of a term is a difference, so it needs to be said from what. Each function below is one term's answer: its
first line is what people are shown, and its `Source:` says where the convention comes from. It gives the edits that
take the term out; `path` is where the term stands.

S1 and S2 are the two source documents; "paper" is what vendors publish for everyone, which holds where nothing was
agreed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from offtake.contract.amend import REMOVED
from offtake.planner.value.edits import Edit

Edits = tuple[Edit, ...]
Off = Callable[[str], Edits]


def _gone(*paths: str) -> Edits:
    return tuple(Edit(path, REMOVED) for path in paths)


def freeze(path: str) -> Edits:
    """List prices are followed, up and down.

    A right to price drops says nothing without a freeze, so it goes with it.
    Source: S2 "Ensure your pricing locks them in"; the paper reserves the right to change prices.
    """
    return _gone("prices.price_drops", path)


def price_drops(path: str) -> Edits:
    """The frozen price stays when list falls.

    Source: S2 "Price protection"; notes on real price changes, which go both ways.
    """
    return _gone(path)


def discount(path: str) -> Edits:
    """These models cost list price, or what a wider discount gives.

    Source: S2 "Volume Commitments = Deeper Discounts"; paper: list.
    """
    return _gone(path)


def fixed(path: str) -> Edits:
    """The model costs list price, or what a discount gives.

    Source: S1 "The per-token rate card".
    """
    return _gone(path)


def step(path: str) -> Edits:
    """The price stays where it was.

    Source: S2 "Year 1 at $X/1M tokens, dropping 15% in Year 2 as volume ramps up".
    """
    return _gone(path)


def tiers(path: str) -> Edits:
    """Volume earns no further discount.

    Source: S2 "push for aggressive discounts at each tier".
    """
    return _gone(path)


def channel(path: str) -> Edits:
    """The vendor's public price of this channel, at the contract's discount.

    Source: the price books; most vendors sell batch at half price to everyone, so such a term is worth little.
    """
    return (Edit(path, "catalog"),)


def cache(path: str) -> Edits:
    """The vendor's public cache prices, at the contract's discount.

    Source: the price books; S1 leaves out the write premium that it quotes itself.
    """
    return (Edit(path, "catalog"),)


def off_peak(path: str) -> Edits:
    """All hours cost the same.

    Source: S2 "Pricing Structures".
    """
    return _gone(path)


def non_production(path: str) -> Edits:
    """Test and development traffic costs what production does.

    Source: S2 "Pricing Structures".
    """
    return _gone(path)


def region_uplift(path: str) -> Edits:
    """The vendor's surcharge for a region is charged.

    Source: the price books: a regional endpoint lists at 1.10 of the global one.
    """
    return (Edit(path, "catalog"),)


def fee(path: str) -> Edits:
    """The fee, and what it includes, is not there.

    Source: S2 "a base platform fee plus usage". A fee is a cost, so its value is below zero.
    """
    return _gone(path)


def commitment(path: str) -> Edits:
    """Nothing is promised, at the same prices.

    What it costs to have promised; the price that a promise unlocks is priced with `--change`, as a package.
    Source: S1 "an annual commitment of $600,000 to $1.2M".
    """
    return _gone(path)


def minimum(path: str) -> Edits:
    """No floor inside the floor.

    Source: S2 "Volume Commitments".
    """
    return _gone(path)


def true_up(path: str) -> Edits:
    """Each month owes its own share.

    Source: S2 "true-up"; monthly use-it-or-lose-it is what vendors offer first.
    """
    return (Edit(path, "month"),)


def shortfall(path: str) -> Edits:
    """What is unused is paid in full.

    Source: S2 "Volume Commitments"; paper: take or pay.
    """
    return _gone(path)


def prepaid(path: str) -> Edits:
    """The commitment is invoiced in arrears, without the discount.

    What paying early costs in interest is in it as soon as `--cost-of-capital` is above zero.
    Source: S1 "prepaid top-ups add spendable credit".
    """
    return _gone(path)


def rollover(path: str) -> Edits:
    """What is unused is lost.

    Source: S2 "rollover".
    """
    return _gone(path)


def burst(path: str) -> Edits:
    """Every unit beyond the commitment is overage.

    Source: S2 "2x usage in a given month at contract rate".
    """
    return _gone(path)


def overage(path: str) -> Edits:
    """Usage beyond the commitment costs its contract price.

    Source: S2 "burst … overage". A surcharge is a cost, so its value is below zero.
    """
    return _gone(path)


def ramp(path: str) -> Edits:
    """The first year's amount holds in every year.

    Source: S2 "as volume ramps up".
    """
    return _gone(path)


def grant(path: str) -> Edits:
    """The grant is not given.

    Source: S1 "credits"; S2 "training credits".
    """
    return _gone(path)


def bonus(path: str) -> Edits:
    """A top-up buys what it costs.

    Source: S1 "$999 becomes $1,058.94, +6%".
    """
    return (Edit(path, "0%"),)


def failed_requests(path: str) -> Edits:
    """Every failed request is billed.

    Source: S1 on failed requests (1% of a bill in its own example); paper: tokens that were processed are billed.
    """
    return (Edit(path, "billed"),)


def reserved(path: str) -> Edits:
    """No capacity is held: all usage pays the rate card.

    Source: S2 "reserved capacity".
    """
    return _gone(path)


def uptime(path: str) -> Edits:
    """A miss of the uptime is worth nothing.

    Source: S2 "2% per 0.1%"; paper: best effort.
    """
    return _gone(path)


def convenience(path: str) -> Edits:
    """The buyer stays until the end of the term.

    Source: S2 "Termination for convenience"; the value is that of a rule that looks back only, a lower bound.
    """
    return _gone(path)


def due(path: str) -> Edits:
    """Bills are paid on receipt.

    Worth nothing at a cost of capital of 0%. Source: paper: due on receipt, or by card.
    """
    return (Edit(path, "0 days"),)


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """One row of the table. `path` is a pattern: `[]` stands for each element, `.*` for each key of a mapping."""

    path: str
    off: Off
    assumes: str = ""
    """The assumption that its value hangs on besides demand, by the name of the option."""

    @property
    def words(self) -> str:
        """What off means, for people."""
        first = (self.off.__doc__ or "").strip().partition("\n")[0].rstrip(".")
        return first[:1].lower() + first[1:]


TABLE: tuple[Counterfactual, ...] = (
    Counterfactual("prices.freeze", freeze, "price-changes"),
    Counterfactual("prices.price_drops", price_drops, "price-changes"),
    Counterfactual("prices.discounts[]", discount),
    Counterfactual("prices.fixed.*", fixed),
    Counterfactual("prices.steps[]", step),
    Counterfactual("prices.tiers", tiers),
    Counterfactual("prices.batch", channel),
    Counterfactual("prices.flex", channel),
    Counterfactual("prices.priority", channel),
    Counterfactual("prices.cache", cache),
    Counterfactual("prices.off_peak", off_peak),
    Counterfactual("prices.non_production", non_production),
    Counterfactual("prices.region_uplift", region_uplift),
    Counterfactual("fees.platform", fee),
    Counterfactual("fees.block", fee),
    Counterfactual("fees.seats", fee),
    Counterfactual("fees.support", fee),
    Counterfactual("fees.license", fee),
    Counterfactual("commitments[]", commitment),
    Counterfactual("commitments[].minimum", minimum),
    Counterfactual("commitments[].true_up", true_up),
    Counterfactual("commitments[].shortfall", shortfall),
    Counterfactual("commitments[].prepaid", prepaid, "cost-of-capital"),
    Counterfactual("commitments[].rollover", rollover),
    Counterfactual("commitments[].burst", burst),
    Counterfactual("commitments[].overage", overage, "notices"),
    Counterfactual("commitments[].ramp", ramp),
    Counterfactual("top_ups.bonus", bonus),
    Counterfactual("credits[]", grant),
    Counterfactual("failed_requests", failed_requests),
    Counterfactual("capacity.reserved", reserved),
    Counterfactual("sla.uptime", uptime, "uptime"),
    Counterfactual("payment.due", due, "cost-of-capital"),
    Counterfactual("exit.convenience", convenience, "price-changes"),
)
