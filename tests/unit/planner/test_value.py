"""The value of clauses: every figure is a re-rating of the same paths, and the closed forms hold."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from math import erf, log, sqrt
from pathlib import Path

import pytest

from offtake.contract.contract import Contract
from offtake.contract.parse import parse
from offtake.contract.schema.service import UptimeCredits
from offtake.operations.contracts import Opened, open_contract
from offtake.planner.value.clauses import clauses_of
from offtake.planner.value.costs import Costs
from offtake.planner.value.counterfactuals import TABLE
from offtake.planner.value.demand import EPOCH, SERIES_MIX, Demand, of_series, of_usage
from offtake.planner.value.edits import Edit, edited, read_edit
from offtake.planner.value.futures import Luck
from offtake.planner.value.service_credits import credit_share
from offtake.planner.value.situation import Situation, sensitivities
from offtake.planner.value.valuation import Valuation
from offtake.rating.facts import OverageNotice, SeatCount
from offtake.rating.rate import rate_records
from offtake.rating.source import Records
from offtake.usage.record import UsageRecord
from offtake.values.errors import InputError
from offtake.values.money import divide, quantize, total

pytest.importorskip("numpy", reason="the extra `plan` is not installed")

FILE = Path(__file__).resolve().parents[3] / "contracts" / "mid-size" / "contract.yaml"
MID_SIZE = open_contract(FILE)
PATHS = 6
SMALL = Luck(paths=PATHS, price_changes=Decimal(3))

# What a person would write: the line of the contract, and what stands there without the clause.
BY_HAND: dict[str, tuple[tuple[str, str], ...]] = {
    "prices.freeze": (
        ("  freeze: {at: 2026-01-01, source: order_form §2.4}\n", ""),
        ("  price_drops: {basis: discounted_list, trigger: automatic, ratchet: true, source: order_form §2.5}\n", ""),
    ),
    "prices.price_drops": (
        ("  price_drops: {basis: discounted_list, trigger: automatic, ratchet: true, source: order_form §2.5}\n", ""),
    ),
    "prices.discounts[0]": (("    - {models: claude-*, share: 20%, source: order_form §2.1}\n", ""),),
    "prices.discounts[1]": (("    - {models: claude-opus-4-7, share: 15%, source: order_form §2.2}\n", ""),),
    "prices.batch": (("  batch: {share: 50%, source: order_form §2.7}", "  batch: catalog"),),
    "prices.cache": (
        ("  cache: {read: 0.1, write_5m: 1.25, write_1h: 2, min_prefix_tokens: 1024, source: order_form §2.7}",
         "  cache: catalog"),
    ),
    "commitments[spend].true_up": (("    true_up: quarter", "    true_up: month"),),
    "commitments[spend].rollover": (
        ("    rollover: {share: 20%, of: unused, into: next_quarter, order: first, source: order_form §3.2}\n", ""),
    ),
    "failed_requests": (
        ("""failed_requests:
  http_5xx: free
  timeout: free
  vendor_truncation: {output: free, others: billed}
  refusal: {output: credited 50%, others: billed}
  client_cancel: billed
  client_error: billed
  source: order_form §4
""", "failed_requests: billed\n"),
    ),
}  # fmt: skip

AT_PUBLIC_PRICES = ("prices.batch", "prices.cache")
"""What this vendor sells to everyone on the same terms."""


def usage() -> Demand:
    """Three months of chat with failures and a nightly batch: about 150,000 USD a month."""
    million = 10**6
    rows = [
        (
            "claude-opus-4-7",
            "realtime",
            "ok",
            {"input_tokens": 6_000, "cache_read_tokens": 4_000, "output_tokens": 900},
        ),
        ("claude-opus-4-7", "realtime", "http_5xx", {"input_tokens": 90}),
        ("claude-opus-4-7", "realtime", "refusal", {"input_tokens": 90, "output_tokens": 40}),
        ("claude-haiku-4-5", "batch", "ok", {"input_tokens": 40_000, "output_tokens": 8_000}),
    ]
    records = [
        UsageRecord(
            id=f"{month}-{number}", used_at=EPOCH.replace(year=2025, month=month, day=15), vendor="anthropic",
            model=model, channel=channel, outcome=outcome, workload="nightly" if channel == "batch" else "chat",
            quantities={meter: each * million for meter, each in quantities.items()}, context_tokens=0,
        )
        for month in (10, 11, 12) for number, (model, channel, outcome, quantities) in enumerate(rows)
    ]  # fmt: skip
    return of_usage(Records(records), MID_SIZE.catalog)


def by_hand(text: str, valuation: Valuation, path: int) -> Decimal:
    """One future of a contract text, as anyone would rate it: records, derived list prices, Σ of the invoices."""
    return total(rated_by_hand(parse(text, "by-hand.yaml"), valuation.costs, path))


def rated_by_hand(contract: Contract, costs: Costs, path: int) -> list[Decimal]:
    """What each invoice of one future comes to, before it is rounded."""
    outlook = costs.outlook
    records = []
    for month, counts in enumerate(outlook.counts[path]):
        for basket, count in zip(outlook.baskets, counts, strict=True):
            for record in basket.records:
                quantities = {meter: each * count for meter, each in record.quantities.items() if count}
                if quantities:
                    at = outlook.used_at(month, basket.off_peak)
                    records.append(replace(record, id=f"{month:02}/{record.id}", used_at=at, quantities=quantities))
    prices = outlook.prices[outlook.price_of[path]]
    rated = rate_records(records, contract, prices, costs.facts, span=contract.span)
    assert rated.control.complete
    return [invoice.total + invoice.residual for invoice in rated.invoices]


@pytest.fixture(scope="module")
def valuation() -> Valuation:
    return Situation(contract=MID_SIZE.contract, demand=usage(), catalog=MID_SIZE.catalog, luck=SMALL).valuation()


def test_the_cost_of_every_future_is_that_of_rating_its_records(valuation: Valuation) -> None:
    expected = [by_hand(FILE.read_text(), valuation, path) for path in range(PATHS)]

    assert expected == valuation.base
    assert quantize(divide(total(expected), PATHS), 2) == valuation.cost.mean


def test_every_term_of_the_language_is_rated_alike() -> None:
    """The reference contract: tokens committed, block, bursts, prepayment, a conditional step, cheaper hours, fixed."""
    opened = open_contract(FILE.parents[1] / "eight-figure-reference" / "contract.yaml")
    facts = (SeatCount(at=opened.contract.span.start, count=2_100),)
    rows = [
        ("claude-opus-4-7", "realtime", "ok", "chat", "api", 3, {"input_tokens": 90_000, "output_tokens": 18_000}),
        ("claude-opus-4-7", "realtime", "refusal", "chat", "api", 23, {"input_tokens": 900, "output_tokens": 400}),
        ("claude-haiku-4-5", "batch", "ok", "dev-x", "api", 12, {"input_tokens": 40_000, "output_tokens": 8_000}),
        ("claude-haiku-4-5", "realtime", "ok", "cloud", "bedrock", 2, {"input_tokens": 400, "output_tokens": 80}),
    ]
    records = [
        UsageRecord(
            id=f"{day}-{number}", used_at=EPOCH.replace(year=2025, month=12, day=day, hour=hour), vendor="anthropic",
            model=model, channel=channel, outcome=outcome, workload=workload, access=access, context_tokens=0,
            quantities={meter: each * 2 * 10**6 for meter, each in quantities.items()},
        )
        for day in (3, 14, 20)
        for number, (model, channel, outcome, workload, access, hour, quantities) in enumerate(rows)
    ]  # fmt: skip
    demand = of_usage(Records(records), opened.catalog, opened.contract.signed.prices.off_peak)
    plain = edited(opened.contract, [Edit("exit", "removed"), Edit("sla", "removed")])  # they act after the bill
    situation = Situation(
        contract=plain, demand=demand, catalog=opened.catalog, facts=facts, luck=replace(SMALL, paths=2)
    )
    costs = situation.valuation().costs

    for path, billed in enumerate(costs.billed(plain)):
        assert rated_by_hand(plain, costs, path) == billed


@pytest.mark.parametrize("path", BY_HAND)
def test_the_value_of_a_clause_is_that_of_a_contract_without_it(path: str, valuation: Valuation) -> None:
    text = FILE.read_text()
    for old, new in BY_HAND[path]:
        assert text.count(old) == 1
        text = text.replace(old, new)

    off = [by_hand(text, valuation, each) for each in range(PATHS)]
    saved = [without - base for without, base in zip(off, valuation.base, strict=True)]
    row = next(row for row in valuation.rows() if row.clause.path == path)

    assert row.value is not None
    assert any(saved) == (path not in AT_PUBLIC_PRICES)
    assert quantize(divide(total(saved), PATHS), 2) == row.value.mean
    assert (quantize(min(saved), 2), quantize(max(saved), 2)) == (row.value.low, row.value.high)


def test_a_package_is_the_contract_with_all_of_its_changes(valuation: Valuation) -> None:
    text = FILE.read_text().replace("amount: 1_200_000 USD / year", "amount: 900_000 USD / year")
    text = text.replace("share: 15%, source: order_form §2.2", "share: 17%, source: order_form §2.2")
    saved = [base - by_hand(text, valuation, path) for path, base in enumerate(valuation.base)]

    found = valuation.priced(
        "both", [read_edit("commitment.amount=900_000"), read_edit("prices.discounts[1].share=17%")]
    )

    assert quantize(divide(total(saved), PATHS), 2) == found.value.mean


def test_clauses_that_share_a_protection_overlap(valuation: Valuation) -> None:
    rows = valuation.rows()
    pairs = valuation.pairs(rows)

    worth = {row.clause.path: row.value.mean for row in rows if row.value}
    for pair in pairs:
        assert worth[pair.first] + worth[pair.second] == pair.apart
        assert pair.apart - pair.together.mean == pair.overlap


SIMPLE = """
contract: floor
buyer: Example Corp
vendor: anthropic
term: {from: 2026-01-01, until: 2027-01-01, time_zone: UTC, currency: USD}
billing: {period: month, anchor: 1, rounding: {where: line, places: 2, mode: half_even}}
scope: {models: [claude-*], channels: [realtime], access: [api]}
prices: {discounts: [{models: claude-*, share: 20%}]}
commitments: [{id: spend, amount: 1_200_000 USD / year, pool: all_models, counts_at: contracted, true_up: year}]
failed_requests: billed
"""
SERIES = UsageRecord(
    id="series", used_at=EPOCH, vendor="anthropic", model="claude-opus-4-7", quantities=SERIES_MIX, context_tokens=0
)
MEAN, LOG_SD = 1_500_000.0, 0.35


def expected_of_floor(floor: float, kept: float) -> float:
    """E[max(C, kept × D)] for a lognormal D with the mean and log-sd above."""
    drift = log(MEAN) - LOG_SD**2 / 2
    at = (log(floor / kept) - drift) / LOG_SD
    below = (1 + erf(at / sqrt(2))) / 2
    above = (1 + erf((LOG_SD - at) / sqrt(2))) / 2
    return floor * below + kept * MEAN * above


def lognormal(paths: int = 2000) -> Valuation:
    contract = parse(SIMPLE, "simple.yaml")
    demand = of_series([Decimal(125_000)] * 4, "dollars", SERIES, MID_SIZE.catalog, contract.span.start)
    luck = Luck(paths=paths, spread=Decimal("0.35"), price_changes=Decimal(0))
    return Situation(contract=contract, demand=demand, catalog=MID_SIZE.catalog, luck=luck).valuation()


def test_a_smaller_promise_against_a_bigger_discount_follows_the_closed_form() -> None:
    found = lognormal()
    smaller = found.priced("a smaller promise", [Edit("commitment.amount", "900_000 USD / year")]).value
    deeper = found.priced("a bigger discount", [Edit("prices.discounts[0].share", "25%")]).value

    base = expected_of_floor(1_200_000, 0.80)
    for expected, figure in (
        (base, found.cost),
        (base - expected_of_floor(900_000, 0.80), smaller),
        (base - expected_of_floor(1_200_000, 0.75), deeper),
    ):
        assert abs(expected - float(figure.mean)) < 4 * float(figure.standard_error)
    assert smaller.mean > 3 * deeper.mean  # most of a deeper discount only fills the promise


def test_the_same_seed_gives_the_same_figures() -> None:
    assert lognormal(50).base == lognormal(50).base


def test_a_right_to_leave_is_used_when_staying_is_dearer() -> None:
    """Half of the demand of the promise: staying costs 100,000 a month, list 50,000, and leaving three months."""
    contract = edited(
        parse(SIMPLE.replace("true_up: year", "true_up: month"), "simple.yaml"),
        [Edit("exit", {"convenience": {"notice": "60 days", "fee_months": 3, "fee_base": "commitment_share"}})],
    )
    demand = of_series([Decimal(50_000)] * 4, "dollars", SERIES, MID_SIZE.catalog, contract.span.start)
    luck = Luck(paths=2, spread=Decimal(0), price_changes=Decimal(0))
    found = Situation(contract=contract, demand=demand, catalog=MID_SIZE.catalog, luck=luck).valuation()

    # decided after March, the first month with three bills; out after May: 5 × 100,000 + 300,000 + 7 × 50,000
    assert abs(Decimal(1_150_000) - found.cost.mean) < 1
    row = next(row for row in found.rows() if row.clause.path == "exit.convenience")
    assert row.value is not None
    assert abs(Decimal(50_000) - row.value.mean) < 1


def test_nothing_is_credited_after_the_buyer_has_left() -> None:
    """In the futures above, and every month down: a credit of 10% in the first five months only."""
    sla = {
        "target": "99%", "window": "month", "method": "occurrences", "credits": {"ladder": {"99%": "10%"}},
        "of": "commitment_share", "paid_as": "credit_note",
    }  # fmt: skip
    right = {"convenience": {"notice": "60 days", "fee_months": 3, "fee_base": "commitment_share"}}
    contract = edited(
        parse(SIMPLE.replace("true_up: year", "true_up: month"), "simple.yaml"),
        [Edit("exit", right), Edit("sla", {"uptime": sla})],
    )
    demand = of_series([Decimal(50_000)] * 4, "dollars", SERIES, MID_SIZE.catalog, contract.span.start)
    luck = Luck(paths=2, spread=Decimal(0), price_changes=Decimal(0), uptime=Decimal(0), uptime_spread=Decimal(0))
    found = Situation(contract=contract, demand=demand, catalog=MID_SIZE.catalog, luck=luck).valuation()

    assert abs(Decimal(1_150_000) - 5 * 10_000 - found.cost.mean) < 1


def test_uptime_credits_follow_their_schedule() -> None:
    reference = open_contract(FILE.parents[1] / "eight-figure-reference" / "contract.yaml").contract
    sla = reference.signed.sla
    assert sla and sla.uptime
    schedule = sla.uptime.credits.greater_of[0].model_dump()  # type: ignore[union-attr,index]
    steps = sla.uptime.model_copy(update={"credits": UptimeCredits(**schedule)})

    assert Decimal(80_000) == 1_000_000 * credit_share(steps, Decimal("0.995"))  # four steps of 0.1%, 2% each
    assert Decimal("0.10") == credit_share(sla.uptime, Decimal("0.995"))  # the ladder gives more: below 99.9%
    assert Decimal("0.25") == credit_share(sla.uptime, Decimal("0.98"))
    assert Decimal(0) == credit_share(sla.uptime, Decimal("0.999"))


def test_every_clause_is_listed_once_with_a_price_or_a_reason() -> None:
    reference: Opened = open_contract(FILE.parents[1] / "eight-figure-reference" / "contract.yaml")
    found = clauses_of(reference.contract)
    paths = [clause.path for clause in found]

    assert sorted(set(paths)) == sorted(paths)
    assert all(clause.counterfactual or clause.reason or clause.path == "renewal.price_cap" for clause in found)
    sections = set(reference.contract.signed.model_dump(by_alias=True, exclude_none=True))
    named = {path.partition(".")[0].partition("[")[0] for path in paths}
    assert {"contract", "buyer", "vendor", "term", "billing", "scope", "documents"} == sections - named


def test_every_counterfactual_says_what_it_means_and_whose_it_is() -> None:
    for row in TABLE:
        assert row.words
        assert "Source:" in (row.off.__doc__ or "")


def test_an_assumption_is_varied_and_the_clause_priced_again() -> None:
    situation = Situation(contract=MID_SIZE.contract, demand=usage(), catalog=MID_SIZE.catalog, luck=SMALL)
    valuation = situation.valuation()
    rows = [row for row in valuation.rows() if row.clause.path in ("prices.price_drops", "payment.due")]
    found = sensitivities(situation, rows)

    drops = {case.value: case.worth.mean for case in found["prices.price_drops"]}
    assert {"0 a year", "0.5 a year", "1 a year"} == set(drops)
    assert Decimal(0) == drops["0 a year"]
    due = [case.worth.mean for case in found["payment.due"]]
    assert Decimal(0) == due[0] < due[1] < due[2]


def test_notices_are_given_or_are_facts() -> None:
    situation = Situation(contract=MID_SIZE.contract, demand=usage(), catalog=MID_SIZE.catalog, luck=SMALL)

    given = situation.valuation().costs.facts
    assert 12 == sum(isinstance(fact, OverageNotice) for fact in given)
    assert () == replace(situation, notices=False).valuation().costs.facts


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("commitment.amont=900_000", "P670", "commitments[].amount"),
        ("commitment.amount", "P672", "commitment.amount=900_000"),
        ("commitment.amount=lots", "P671", "not valid"),
        ("prices.discounts[7].share=20%", "P670", "there are 2"),
    ],
)
def test_an_edit_that_cannot_be_made_is_refused_with_what_is_near(text: str, code: str, words: str) -> None:
    with pytest.raises(InputError) as refused:
        edited(MID_SIZE.contract, [read_edit(text)])

    assert code == refused.value.code
    assert words in str(refused.value)


def test_a_bare_number_keeps_the_unit_of_the_term() -> None:
    changed = edited(MID_SIZE.contract, [read_edit("commitment.amount=900_000")])

    assert "900000 USD / year" == changed.versions[0].data["commitments"][0]["amount"]  # type: ignore[index]
    assert MID_SIZE.contract.versions[0].data["commitments"][0]["amount"] == "1_200_000 USD / year"  # type: ignore[index]
