"""I1 to I12: where other billing systems were found to lose or invent money, as invariants of ours.

The list is drawn from findings in public trackers of billing systems; each docstring says what it means here.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offtake.rating.request import price_request
from offtake.rating.run import Position
from offtake.usage.record import UsageRecord
from tests.examples import CLAUSE
from tests.rating_oracle.commitments import Commitment
from tests.rating_oracle.comparing import TOLERANCE, billed, compiled, exact, lines, rated
from tests.rating_oracle.dates import midnight, windows
from tests.rating_oracle.deals import EPOCH, Case, cases
from tests.rating_oracle.price_list import Listed, PriceList
from tests.rating_oracle.rate import contracted_by_day
from tests.rating_oracle.reading import Deal, money, put

ALL = ("prices", "tiers", "commitments", "credits", "fees")


def in_order(case: Case) -> list[UsageRecord]:
    """The records of the term, as a gateway would see them."""
    inside = (record for record in case.records if record.used_at in case.contract.span)
    return sorted(inside, key=lambda record: (record.used_at, record.id))


def folded(case: Case, records: list[UsageRecord], position: Position | None = None) -> tuple[Decimal, Position | None]:
    """What requests are billed one after the other, and the position after them."""
    terms, total = compiled(case), Decimal(0)
    for record in records:
        priced, position = price_request(terms, record, position)
        total += priced.total
    return total, position


@CLAUSE
@given(cases(*ALL, rows_max=6))
def test_i1_conservation(case: Case) -> None:
    """Every accepted row is priced, free or explained, and what came in by each meter is what went out."""
    control = rated(case).control
    outside = [record for record in case.records if record.used_at not in case.contract.span]

    assert control.balanced
    assert control.unpriced == 0
    assert control.outside_term == len(outside)
    for meter, quantity in control.quantities.items():
        if meter not in ("reasoning_tokens", "output_tokens"):
            left_out = sum(record.quantities.get(meter, 0) for record in outside)
            assert quantity - left_out == control.priced_quantities.get(meter, 0)


@CLAUSE
@given(cases(*ALL, amended=True, rows_max=6), st.integers(0, 40))
def test_i2_never_twice(case: Case, month: int) -> None:
    """A month rated alone is the invoice of the term rated at once: no row, fee or window in two of them."""
    whole = rated(case).invoices
    if whole:
        invoice = whole[month % len(whole)]
        assert (invoice,) == rated(case, span=invoice.period).invoices


@CLAUSE
@given(cases("prices", "tiers", rows_max=8), st.integers(0, 8))
def test_i3_path_independence(case: Case, at: int) -> None:
    """cost(0 → a) + cost(a → b) = cost(0 → b): a position taken anywhere and taken up again changes nothing."""
    records = in_order(case)
    whole, _ = folded(case, records)
    first, position = folded(case, records[:at])
    second, _ = folded(case, records[at:], position)

    assert whole == first + second


@CLAUSE
@given(cases(*ALL, rows_max=6), st.permutations(range(6)))
def test_i4_order_independence(case: Case, order: list[int]) -> None:
    """Rows of one instant arrive in any order: their ids decide, and the money is the same."""
    at = case.contract.span.start
    records = [replace(record, used_at=at, model="one") for record in case.records]
    shuffled = [records[k] for k in order if k < len(records)]

    assert rated(case, records).invoices == rated(case, shuffled).invoices


@CLAUSE
@given(cases("prices", "tiers", "commitments", rows_max=6))
def test_i5_preview_is_invoice(case: Case) -> None:
    """What the gateway said a request costs is what the invoice bills for it."""
    preview, _ = folded(case, in_order(case))
    result = rated(case)
    premium = [line for line in lines(result, "commitment") if line.clause.endswith(".overage")]
    invoiced = billed([*lines(result, "usage", "adjustment", "credit"), *premium])

    assert abs(Fraction(preview) - Fraction(invoiced)) <= TOLERANCE


@CLAUSE
@given(cases("credits", "fees", rows_max=8))
def test_i6_restrictions_intersect(case: Case) -> None:
    """A credit for one model, within its dates, never pays more than what fits all of its restrictions."""
    result = rated(case)
    zone = case.deal["term"]["time_zone"]
    for index, credit in enumerate(case.deal["credits"]):
        start = midnight(date.fromisoformat(credit.get("starts", case.deal["term"]["from"])), zone)
        end = credit["expires"]
        fits = [
            record
            for record in case.records
            if credit["models"] in ("*", record.model)
            and start <= record.used_at
            and (end == "never" or record.used_at < midnight(date.fromisoformat(end), zone))
        ]
        used = lines(rated(case, fits), "usage")  # at contracted cost: alone, a flat block could hold it all
        usage = Decimal(0) if credit["applies_to"] == "fees" else sum((u.amounts.contracted for u in used), Decimal(0))
        fees = Decimal(0) if credit["applies_to"] == "usage" else billed(lines(result, "fee"))
        paid = -billed(line for line in lines(result, "credit") if line.clause == f"credits[{index}]")
        assert 0 <= paid <= usage + fees


@CLAUSE
@given(cases(*ALL, rows_max=6))
def test_i7_undo_restores_everything(case: Case) -> None:
    """A request that is priced and then dropped leaves no trace: the position before it is as it was."""
    records = in_order(case)
    terms, position = compiled(case), None
    for record in records:
        tried, _ = price_request(terms, record, position)
        kept, after = price_request(terms, record, position)
        assert tried.total == kept.total
        position = after

    assert rated(case).invoices == rated(case, [*records[:3], *records[3:]]).invoices


@CLAUSE
@given(cases(*ALL, rows_max=6))
def test_i8_identity_churn(case: Case) -> None:
    """New names, and an amendment that changes no term of money, lose no carried state: every amount stays."""
    renamed: Deal = {**case.deal, "contract": "another name"}
    renamed["commitments"] = [{**each, "id": f"new-{each['id']}"} for each in case.deal["commitments"]]
    renamed["credits"] = [{**each, "name": f"new-{each['name']}"} for each in case.deal["credits"]]
    day = windows("month", date.fromisoformat(case.deal["term"]["from"]), *term(case.deal))[0][1].isoformat()
    if day < case.deal["term"]["until"]:
        novation = {"effective": day, "document": "Novation", "changes": {"buyer": "Another Corp"}}
        renamed["amendments"] = [novation]
    before, after = rated(case), rated(replace(case, deal=renamed))

    assert [each.total for each in before.invoices] == [each.total for each in after.invoices]


def term(deal: Deal) -> tuple[date, date]:
    return date.fromisoformat(deal["term"]["from"]), date.fromisoformat(deal["term"]["until"])


EFFECTS: dict[str, object] = {
    "prices.freeze": {"at": "2024-01-01"},
    "prices.discounts": [{"models": "*", "share": "20%"}],
    "prices.fixed": {"one": {"input_mtok": 850_000}},
    "prices.steps": [{"from": "2024-02-01", "share": "10%"}],
    "prices.off_peak": {"share": "20%", "hours": "00:00-12:00", "time_zone": "UTC"},
    "prices.non_production": {"share": "20%", "workloads": ["dev-*"]},
    "prices.batch": {"share": "50%"},
    "prices.cache": {"read": 0.5, "write_5m": 1, "write_1h": 1},
    "prices.region_uplift": "waived",
    "prices.tiers": {
        "kind": "graduated",
        "measure": {"amount": "contracted", "at": "frozen"},
        "window": "term",
        "steps": [{"up_to": "1 USD", "share": "0%"}, {"share": "10%"}],
    },
    "fees.platform": "10 USD / month",
    "fees.support": {"share": "3%", "of": "usage"},
    "fees.block": {"amount": "1 USD / month", "includes": {"tokens": 3}, "beyond": "overage"},
    "failed_requests": "free",
    "credits": [
        {"name": "a", "amount": "1 USD", "expires": "never", "priority": 0, "applies_to": "usage", "counts": True}
    ],
    "commitments": [
        {"id": "a", "amount": "99 USD / month", "pool": "all_models", "counts_at": "list", "true_up": "month"}
    ],
}


@pytest.mark.parametrize("path", EFFECTS)
def test_i9_accepted_fields_have_effect(path: str) -> None:
    """A term that the schema takes moves the bill of a usage that meets it."""
    with_it = plain_deal()
    put(with_it, path, EFFECTS[path])
    if path == "prices.fixed":  # a fixed price needs the prices that are derived from it
        with_it["prices"] |= {"batch": {"share": "0%"}, "cache": {"read": 0.1, "write_5m": 1, "write_1h": 1}}
    book = PriceList({("one", channel): PRICES for channel in ("realtime", "batch")})
    at = midnight(date(2024, 2, 5), "UTC")
    row = UsageRecord(id="a", used_at=at, model="one", quantities={"input_tokens": 3, "cache_read_tokens": 2})
    records = (
        row,
        replace(row, id="b", workload="dev-x"),
        replace(row, id="c", channel="batch"),
        replace(row, id="d", region="eu"),
        replace(row, id="e", outcome="refusal"),
    )

    assert exact(rated(Case(plain_deal(), book, records))) != exact(rated(Case(with_it, book, records)))


def _listed(day: date, price: str) -> Listed:
    prices = {"input_tokens": (Decimal(price), ()), "cache_read_tokens": (Decimal(price) / 10, ())}
    return Listed(midnight(day, "UTC"), prices)


PRICES = [_listed(EPOCH.date(), "1"), _listed(date(2024, 2, 1), "1.1")]


def plain_deal() -> Deal:
    """Three months at list."""
    return {
        "contract": "deal",
        "buyer": "buyer",
        "vendor": "maker",
        "term": {"from": "2024-01-01", "until": "2024-04-01", "time_zone": "UTC", "currency": "USD"},
        "billing": {"period": "month", "anchor": 1, "rounding": {"where": "line", "places": 12, "mode": "half_even"}},
        "scope": {"models": ["*"], "channels": ["realtime", "batch"], "access": ["api"]},
        "prices": {"basis": "list", "region_uplift": "catalog"},
        "fees": {},
        "failed_requests": "billed",
    }


@CLAUSE
@given(cases(*ALL, amended=True, rows_max=4))
def test_i10_a_started_date_is_the_contracts(case: Case) -> None:
    """Windows count from the contract, not from the first usage or the day on which someone rates.

    Without usage, every window of the term still closes on its day.
    """
    empty, used = rated(case, []), rated(case)

    assert [each.period for each in empty.invoices] == [each.period for each in used.invoices]
    fees = [line.id for line in lines(used, "fee", "purchase") if line.clause != "fees.support"]
    assert fees == [line.id for line in lines(empty, "fee", "purchase")]


@CLAUSE
@given(cases("commitments", rows_max=8), st.integers(1, 12))
def test_i11_each_deficit_is_topped_up_once(case: Case, floor: int) -> None:
    """A minimum asks for what its window lacks, once, before the true-up, which it counts toward."""
    text = {key: value for key, value in case.deal["commitments"][0].items() if key in ("id", "true_up")}
    text |= {
        "amount": "40 USD / quarter",
        "minimum": f"{floor} USD / month",
        "pool": "all_models",
        "counts_at": "contracted",
    }
    case = replace(case, deal={**case.deal, "commitments": [text], "failed_requests": "billed"})
    result = rated(case)
    topped_up = [line for line in lines(result, "commitment") if line.clause.endswith(".minimum")]
    costs = contracted_by_day(case.deal, case.book, case.records)
    made = Commitment(0, case.deal, 12, lambda kind, clause, billed: None)
    assert made.floor is not None
    lacking = Fraction(0)
    for window in made.minimums:
        drawn = sum((cost for day, cost in costs if window[0] <= day < window[1]), Fraction(0))
        lacking += max(Fraction(0), made.floor.owed(window) - drawn)

    assert abs(lacking - Fraction(billed(topped_up))) <= TOLERANCE
    assert len({line.id for line in topped_up}) == len(topped_up)


@CLAUSE
@given(cases("credits", "fees", "tiers", rows_max=8))
def test_i12_a_credit_is_spent_once(case: Case) -> None:
    """Over the term a grant pays its amount at most, however many periods, models and fees it could pay."""
    result = rated(case)
    for index, credit in enumerate(case.deal["credits"]):
        paid = -billed(line for line in lines(result, "credit") if line.clause == f"credits[{index}]")
        assert 0 <= paid <= Decimal(int(money(credit["amount"])))
