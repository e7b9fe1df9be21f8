"""What a drawn contract says, clause by clause, as data; an amendment of it; and what people did meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from tests.rating_oracle.dates import midnight, months_on
from tests.rating_oracle.reading import Deal

ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata")
TRIGGERS = ("automatic", "automatic", "opt_in")
NUMBERS = st.integers(0, 2**128 - 1)


class Picks:
    """Many small choices out of one drawn number, which is quicker than a draw for each; zero picks every first."""

    def __init__(self, number: int) -> None:
        self.number = number

    def of(self, options: Sequence[Any]) -> Any:
        """One of the options."""
        self.number, index = divmod(self.number, len(options))
        return options[index]

    def maybe(self, deal: Deal, key: str, options: Sequence[Any]) -> None:
        """Half of the contracts have the clause."""
        if self.of((False, True)):
            deal[key] = self.of(options)

    def some(self, options: Sequence[Any], least: int, most: int) -> list[Any]:
        """Some of the options, none twice."""
        left = list(options)
        count = self.of(range(least, min(most, len(left)) + 1))
        return [left.pop(self.of(range(len(left)))) for _ in range(count)]

    def day_in(self, deal: Deal) -> str:
        """A day of the term: any, or one on which something starts."""
        first, until = (date.fromisoformat(deal["term"][key]) for key in ("from", "until"))
        edges = [day for k in range(16) if first < (day := months_on(first, k)) < until]
        if edges and self.of((False, True)):
            return str(self.of(edges).isoformat())
        return (first + timedelta(days=self.of(range(1, (until - first).days)))).isoformat()


def shares(*percents: str) -> st.SearchStrategy[str]:
    return st.sampled_from([f"{percent}%" for percent in percents])


def maybe(draw: st.DrawFn, deal: Deal, key: str, strategy: st.SearchStrategy[Any]) -> None:
    """Half of the contracts have the clause."""
    if draw(st.booleans()):
        deal[key] = draw(strategy)


@st.composite
def terms(draw: st.DrawFn) -> Deal:
    """The head of a contract: starts that hurt, lengths that cut windows, zones with summer time."""
    picks = Picks(draw(NUMBERS))
    first = picks.of(["2024-01-01", "2024-01-15", "2024-02-29", "2023-12-31", "2023-10-31", "2024-03-01"])
    start = date.fromisoformat(first)
    zone = picks.of(ZONES)
    until = months_on(start, picks.of(range(1, 16))) + timedelta(days=picks.of([0, 0, 0, 10]))
    return {
        "contract": "deal", "buyer": "buyer", "vendor": "maker",
        "term": {"from": first, "until": until.isoformat(), "time_zone": zone, "currency": "USD"},
        "billing": {
            "period": "month", "anchor": picks.of([1, 15, 31, "anniversary"]),
            "rounding": {"where": "invoice", "places": 12, "mode": "half_even"},
        },
        "scope": {"models": ["*"], "channels": ["realtime", "batch"], "access": ["api", "bedrock"]},
        "prices": {"basis": "list"},
    }  # fmt: skip


def days_of(deal: Deal) -> st.SearchStrategy[str]:
    """Days of the term: any, and those on which something starts."""
    first, until = (date.fromisoformat(deal["term"][key]) for key in ("from", "until"))
    edges = [day for k in range(16) if first < (day := months_on(first, k)) < until]
    inside = st.dates(first + timedelta(days=1), until - timedelta(days=1))
    return (inside | st.sampled_from(edges) if edges else inside).map(date.isoformat)


FAILED = st.sampled_from(
    [
        "free",
        "billed",
        {"http_5xx": "free", "refusal": {"output": "credited 50%", "others": "billed"}, "timeout": "credited 10%"},
    ]
)


@st.composite
def unit_prices(draw: st.DrawFn, deal: Deal) -> Deal:
    """Everything under `prices` that acts on one token."""
    picks = Picks(draw(NUMBERS))
    prices: Deal = {"basis": "list"}
    picks.maybe(prices, "freeze", [{"at": deal["term"]["from"]}, {"at": "2023-06-01"}])
    discounts: list[Deal] = [{"models": "*", "share": picks.of(("20%", "0%", "12.5%"))}]
    if picks.of((False, True)):
        discounts.append({"models": "one", "share": picks.of(("15%", "33.3333%"))})
    if picks.of((False, True)):
        discounts.append({"models": "two", "share": "7%", "meters": ["output_tokens"]})
    if picks.of((False, True)):
        prices["fixed"] = {"two": {"input_mtok": 850000, "output_mtok": 4250000, "output_reasoning_mtok": 5000000}}
        discounts = [each for each in discounts if each["models"] == "*"]
        prices["cache"] = {"read": 0.1, "write_5m": 1.25, "write_1h": 2}
    prices["discounts"] = discounts
    steps = [{"from": picks.day_in(deal), "share": picks.of(("15%", "1%"))} for _ in range(picks.of((0, 0, 1, 2)))]
    if steps:
        prices["steps"] = steps
    drops: Deal = {"basis": picks.of(["list", "discounted_list"]), "trigger": picks.of(TRIGGERS)}
    picks.maybe(drops, "lag", ["30 days", "1 month"])
    picks.maybe(drops, "ratchet", [False, True])
    picks.maybe(prices, "price_drops", [drops])
    picks.maybe(prices, "new_models", [{"share": "10%"}])
    picks.maybe(prices, "region_uplift", ["waived", "catalog"])
    batch: list[Deal] = [{"share": "50%"}, {"surcharge": "25%"}]
    picks.maybe(prices, "batch", batch)
    if "fixed" in prices:  # a fixed price is a realtime price, so the contract must derive the others
        prices.setdefault("batch", picks.of(batch))
    picks.maybe(prices, "cache", [{"read": 0.1, "write_5m": 1.25, "write_1h": 2}])
    if picks.of((False, True)):
        prices["off_peak"] = off_peak(picks)
    picks.maybe(prices, "non_production", [{"share": "30%", "workloads": ["dev-*"]}])
    combine: Deal = {"how": picks.of(["multiply", "add", "best_of"])}
    picks.maybe(combine, "exclusive", [[["off_peak", "batch"]], [["tiers", "non_production"], ["off_peak", "batch"]]])
    prices["combine"] = combine
    prices["new_meters"] = "list"
    return prices


def off_peak(picks: Picks) -> Deal:
    """Hours across midnight or not, in a zone with or without summer time."""
    return {
        "share": picks.of(("20%", "45%")),
        "hours": picks.of(["22:00-06:00", "01:30-05:00", "00:00-24:00", "09:00-17:15", "02:30-03:30"]),
        "days": picks.of(["weekdays", "all"]),
        "weekends": picks.of([False, True]),
        "time_zone": picks.of(ZONES),
    }


@st.composite
def tiers(draw: st.DrawFn) -> Deal:
    """Bands that a handful of tokens crosses."""
    amount = draw(st.sampled_from(["contracted", "list", "tokens"]))
    edges = sorted(draw(st.sets(st.integers(1, 30), min_size=1, max_size=3)))
    steps: list[Deal] = [
        {"up_to": edge if amount == "tokens" else f"{edge} USD", "share": draw(shares("0", "5", "12.5"))}
        for edge in edges
    ]
    steps.append({"share": draw(shares("10", "50", "33.3333"))})
    return {
        "kind": draw(st.sampled_from(["graduated", "volume"])),
        "measure": {"amount": amount, "at": draw(st.sampled_from(["frozen", "current"]))},
        "window": draw(st.sampled_from(["month", "quarter", "contract_year", "term"])),
        "models": draw(st.sampled_from(["*", "one"])),
        "steps": steps,
    }


@st.composite
def commitments(draw: st.DrawFn, deal: Deal) -> Deal:
    """One commitment, with any of its terms."""
    true_up = draw(st.sampled_from(["month", "quarter", "year"]))
    made: Deal = {"id": "spend", "pool": "all_models", "true_up": true_up, "counts_at": "contracted"}
    count, every = draw(st.integers(0, 60)), draw(st.sampled_from(["month", "quarter", "year"]))
    if draw(st.integers(0, 2)) == 0:
        made["tokens"] = {
            "amount": f"{count} / {every}", "shortfall_price": draw(st.sampled_from([1_000_000, 333_333])),
            "weights": {"input": 1, "output": draw(st.sampled_from([5, 0.3])), "cache_read": 0.1, "cache_write": 1.25,
                        "reasoning": 2},
        }  # fmt: skip
    else:
        made["amount"] = f"{count}.{draw(st.sampled_from(['00', '37']))} USD / {every}"
        made["counts_at"] = draw(st.sampled_from(["contracted", "list"]))
        if draw(st.booleans()):
            made["minimum"] = f"{draw(st.integers(0, 8))} USD / month"
        if made["counts_at"] == "contracted" and draw(st.booleans()):
            made["prepaid"] = draw(
                st.sampled_from(
                    [
                        {"share": "100%", "discount": "5%", "as": "cash"},
                        {"share": "50%"},
                        {"share": "100%", "discount": "5%", "as": "rate", "bonus": "10%"},
                    ]
                )
            )
        ramp = [{"year": 2, "amount": f"{draw(st.integers(0, 80))} USD"}]
        maybe(draw, made, "ramp", st.just(ramp))
    pool = st.sampled_from([{"models": ["one", "l*"]}, {"access": ["api"]}])
    if draw(st.booleans()):
        made["pool"] = draw(pool)
    maybe(draw, made, "shortfall", st.just({"share": "80%"}))
    maybe(draw, made, "rollover", rollovers())
    overage: Deal = {"at": draw(st.sampled_from(["contracted", "list"]))}
    maybe(draw, overage, "surcharge", shares("10", "0", "33.3333"))
    maybe(draw, made, "overage", st.just(overage))
    return made


@st.composite
def rollovers(draw: st.DrawFn) -> Deal:
    """Any base, any window, either order."""
    made: Deal = {
        "share": draw(shares("20", "100", "33.3333")),
        "of": draw(st.sampled_from(["unused", "commitment"])),
        "into": draw(st.sampled_from(["next_window", "next_quarter", "rest_of_year"])),
        "order": draw(st.sampled_from(["first", "last"])),
    }
    maybe(draw, made, "expires_after", st.sampled_from(["1 month", "10 days", "1 quarter"]))
    return made


@st.composite
def credits(draw: st.DrawFn, deal: Deal) -> list[Deal]:
    """One to three grants with priorities, models, starts and ends."""
    found = []
    for number in range(draw(st.integers(1, 3))):
        made: Deal = {
            "name": f"grant-{number}", "amount": f"{draw(st.integers(1, 30))} USD",
            "expires": draw(st.just("never") | days_of(deal)), "priority": draw(st.integers(0, 2)),
            "applies_to": draw(st.sampled_from(["usage", "usage", "all", "fees"])), "counts": draw(st.booleans()),
            "models": draw(st.sampled_from(["*", "one", "two"])),
        }  # fmt: skip
        maybe(draw, made, "starts", days_of(deal))
        if not made["counts"]:
            made["applies_to"] = "usage"
        found.append(made)
    return found


@st.composite
def wallets(draw: st.DrawFn, deal: Deal) -> tuple[tuple[date, str, int], ...]:
    """A wallet in a third of the contracts, and what was paid into it."""
    picks = Picks(draw(NUMBERS))
    if picks.of((True, True, False)):
        return ()
    deal["top_ups"] = {
        "bonus": picks.of(("0%", "6%", "33.3333%")),
        "expires_after": picks.of(("never", "1 month", "3 months")),
        "burn_order": picks.of((["promotional", "paid"], ["paid", "promotional"])),
    }
    days = [picks.of((deal["term"]["from"], picks.day_in(deal))) for _ in range(picks.of((1, 2, 0)))]
    return tuple((date.fromisoformat(day), f"t{number}", picks.of(range(1, 20))) for number, day in enumerate(days))


@st.composite
def opt_ins(draw: st.DrawFn, deal: Deal) -> tuple[tuple[datetime, str], ...]:
    """When the buyer took lower prices, for all models or for one."""
    picks = Picks(draw(NUMBERS))
    days = [picks.day_in(deal) for _ in range(picks.of((1, 2, 0)))]
    zone = deal["term"]["time_zone"]
    return tuple((midnight(date.fromisoformat(day), zone), picks.of(("*", "one"))) for day in days)


@st.composite
def fees(draw: st.DrawFn) -> Deal:
    """Flat fees, a block, support."""
    made: Deal = {}
    maybe(draw, made, "platform", st.just("10 USD / month"))
    maybe(draw, made, "license", st.just({"amount": "100 USD / year"}))
    maybe(draw, made, "support", st.just({"share": "3%", "of": "usage"}))
    block = {"amount": "30 USD / quarter", "includes": {"tokens": draw(st.integers(1, 20))}, "beyond": "overage"}
    maybe(draw, made, "block", st.just(block))
    return made


@st.composite
def amendments(draw: st.DrawFn, deal: Deal) -> list[Deal]:
    """Another amount of the commitment, or other prices, from a day on."""
    found = []
    commitment = deal.get("commitments", [{}])[0]
    picks = Picks(draw(NUMBERS))
    for day in draw(st.lists(days_of(deal), min_size=1, max_size=2, unique=True)):
        changes: Deal = {"prices.discounts": [{"models": "*", "share": draw(shares("30", "10"))}]}
        if "new_meters" in deal["prices"]:  # the prices of this deal are drawn, so any of them may change
            changes = dict(picks.of(_changes(picks, deal)) for _ in range(picks.of((1, 2))))
        if "amount" in commitment and "ramp" not in commitment and draw(st.booleans()):
            every = commitment["amount"].split(" / ")[1]
            changes = {"commitments[0].amount": f"{draw(st.integers(0, 90))} USD / {every}"}
        found.append(
            {"effective": day, "document": f"Amendment of {day}", "changes": changes,
             "prorate": draw(st.sampled_from(["days", "none"]))}
        )  # fmt: skip
    return found


def _changes(picks: Picks, deal: Deal) -> list[tuple[str, object]]:
    """What an amendment may change about a single token, each alone."""
    drops = {"basis": picks.of(["list", "discounted_list"]), "trigger": picks.of(TRIGGERS)}
    batch: list[object] = [{"share": "40%"}, {"surcharge": "10%"}]
    if "fixed" not in deal["prices"]:
        batch.append("catalog")
    return [
        ("prices.discounts", [{"models": "*", "share": picks.of(("30%", "10%"))}]),
        ("prices.region_uplift", picks.of(("waived", "catalog"))),
        ("prices.batch", picks.of(batch)),
        ("prices.freeze", {"at": picks.day_in(deal)}),
        ("prices.price_drops", {**drops, "lag": "20 days"} if picks.of((False, True)) else drops),
        ("prices.off_peak", off_peak(picks)),
        ("prices.non_production", {"share": "45%", "workloads": ["chat"]}),
        ("prices.cache", {"read": 0.2, "write_5m": 1, "write_1h": 1.5}),
        ("prices.steps", [{"from": picks.day_in(deal), "share": "7%"}]),
        ("failed_requests", picks.of(("free", "billed"))),
    ]
