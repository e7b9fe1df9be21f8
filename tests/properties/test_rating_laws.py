"""What must hold of every bill, whatever the contract says: one law a test, in its docstring."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from offtake.rating.facts import TopUp
from offtake.rating.rate import rate_records
from offtake.rating.request import price_request, priced_alone
from offtake.usage.duplicates import distinct
from offtake.usage.meters import TOKEN_METERS
from offtake.usage.record import UsageRecord
from offtake.values.money import Money, from_pico
from tests.examples import LAW, SLOW
from tests.rating_oracle import rate as oracle
from tests.rating_oracle.comparing import TOLERANCE, billed, compiled, exact, expected_bill, facts_of, lines, rated
from tests.rating_oracle.deals import Case, cases
from tests.rating_oracle.reading import share
from tests.rating_oracle.unit_prices import context_of

ALL = ("prices", "tiers", "commitments", "credits", "fees")


def in_term(case: Case) -> list[UsageRecord]:
    return [record for record in case.records if record.used_at in case.contract.span]


@LAW
@given(cases(*ALL, rows_max=6))
def test_every_unit_is_priced_exactly_once(case: Case) -> None:
    """Σ quantities of the usage lines = Σ quantities of the records of the term, meter by meter.

    Reasoning tokens lie inside output, or stand apart from it where the list prices them: together they are the output.
    """
    found: Counter[str] = Counter()
    for line in lines(rated(case), "usage"):
        found["output_tokens" if line.meter == "reasoning_tokens" else line.meter] += int(line.quantity)
    expected: Counter[str] = Counter()
    for record in in_term(case):
        expected.update({k: n for k, n in record.quantities.items() if k != "reasoning_tokens"})

    assert expected == found


@LAW
@given(cases("prices", "tiers", rows_max=6), st.data())
def test_a_record_in_two_parts_costs_what_the_whole_costs(case: Case, data: st.DataObject) -> None:
    """Graduated tiers: split = whole. A request that is told in two parts at one instant moves no amount."""
    case.deal["prices"]["tiers"]["kind"] = "graduated"
    case = replace(case)
    parts = []
    for record in case.records:
        whole = replace(record, context_tokens=context_of(record))
        plain = {k: n for k, n in record.quantities.items() if k != "reasoning_tokens"}
        whole = replace(whole, quantities=plain)
        # The first part of a record ends inside one meter, as reading it in order does.
        left = data.draw(st.integers(0, sum(plain.values())))
        first, second = {}, {}
        for meter in TOKEN_METERS:
            if meter in plain:
                taken = min(left, plain[meter])
                left -= taken
                first[meter], second[meter] = taken, plain[meter] - taken
        parts.append(
            (whole, [replace(whole, id=f"{record.id}{k}", quantities=q) for k, q in enumerate((first, second))])
        )
    together = [whole for whole, _ in parts]
    apart = [part for _, both in parts for part in both]

    assert abs(exact(rated(case, together)) - exact(rated(case, apart))) <= TOLERANCE


@LAW
@given(cases(*ALL, rows_max=6), st.randoms())
def test_order_and_duplicates_of_rows_do_not_matter(case: Case, random: object) -> None:
    """Rows in any order, some of them twice, with their meters in any order, give the same invoices."""
    rows = [*case.records, *case.records[:3]]
    getattr(random, "shuffle")(rows)  # noqa: B009  # hypothesis gives a Random without its type
    turned = [replace(row, quantities=dict(reversed(list(row.quantities.items())))) for row in rows]

    assert rated(case).invoices == rated(case, distinct(turned).facts).invoices


@LAW
@given(
    cases("prices", "tiers", "credits", rows_max=6),
    st.sampled_from(["line", "invoice"]),
    st.integers(0, 4),
    st.sampled_from(["half_even", "half_up", "down", "up"]),
)
def test_lines_and_residual_are_the_exact_total(case: Case, where: str, places: int, mode: str) -> None:
    """The total is the sum of the printed lines, rounded; total + residual is the exact sum of the unrounded ones."""
    case.deal["billing"]["rounding"] = {"where": where, "places": places, "mode": mode}
    case = replace(case)
    result = rated(case)

    bill = expected_bill(case)
    due = sum((amount for (_, kind, _), amount in bill.items() if kind not in ("list", "contracted")), Fraction(0))
    assert abs(due - exact(result)) <= TOLERANCE
    for invoice in result.invoices:
        printed = billed(invoice.lines)
        assert invoice.total == round(invoice.total, places)
        assert (printed == invoice.total) if where == "line" else abs(printed - invoice.total) < Decimal(10) ** -places


@LAW
@given(cases(*ALL, amended=True, rows_max=8))
def test_request_by_request_is_the_grouped_bill(case: Case) -> None:
    """What each request is billed, folded over its position, is what the invoices bill usage: no more, no less.

    Fees, shortfalls, minimums, and grants and top-ups that pay invoices are nobody's request.
    """
    terms = compiled(case)
    total, position = Decimal(0), None
    for record in sorted(in_term(case), key=lambda record: (record.used_at, record.id)):
        priced, position = price_request(terms, record, position)
        assert priced.total == sum((line.amounts.billed for line in priced), Decimal(0))
        total += priced.total
    counting = {f"credits[{i}]" for i, each in enumerate(case.deal.get("credits", [])) if each["counts"]}
    counting |= {"top_ups.paid", "top_ups.promotional"}
    of_usage = [line for line in lines(rated(case), "usage", "adjustment", "credit") if line.clause not in counting]
    premium = [line for line in lines(rated(case), "commitment") if line.clause.endswith(".overage")]

    assert abs(Fraction(total) - Fraction(billed([*of_usage, *premium]))) <= TOLERANCE


@SLOW
@given(cases("prices", amended=True))
def test_one_look_at_an_instant_prices_as_the_bill_does(case: Case) -> None:
    """Σ contracted of each record by itself, as futures are priced = Σ contracted of the invoices."""
    terms = compiled(case)
    apart = sum(priced_alone(terms, record).contracted for record in in_term(case))
    billed_together = sum((line.amounts.contracted for line in lines(rated(case), "usage")), Decimal(0))

    assert from_pico(apart) == billed_together


@LAW
@given(cases("prices", rows_max=6))
def test_a_frozen_price_never_exceeds_the_signed_one(case: Case) -> None:
    """Under `freeze` no token costs more than the list price at signing less the discount, whatever list prices do."""
    prices = {"freeze": {"at": case.deal["term"]["from"]}, "discounts": [{"models": "*", "share": "12.5%"}]}
    case.deal["prices"] = {"basis": "list", "new_meters": "list", "region_uplift": "waived", **prices}
    case = replace(case, records=tuple(r for r in case.records if r.model != "late" and r.outcome == "ok"))
    for line in lines(rated(case), "usage"):
        dearest = max(
            signed
            for context in (0, 5)
            if (
                signed := case.book.at(
                    line.model, line.channel, "global", line.meter, context, case.contract.span.start
                )
            )
        )
        assert Fraction(line.unit_price) <= Fraction(round(dearest * Fraction(7, 8) * 10**12), 10**12)


@LAW
@given(cases("prices", "tiers", rows_max=8))
def test_following_price_drops_never_raises_a_bill(case: Case) -> None:
    """Where tiers are measured frozen, `price_drops` never raises the bill; a slower climb could."""
    prices = case.deal["prices"]
    prices["freeze"] = {"at": case.deal["term"]["from"]}
    prices["tiers"]["measure"] = {"amount": "contracted", "at": "frozen"}
    prices["tiers"]["steps"] = [
        {**each, "up_to": f"{5 + 7 * k} USD"} for k, each in enumerate(prices["tiers"]["steps"])
    ]
    prices["tiers"]["steps"][-1].pop("up_to")
    following = {**case.deal, "prices": {**prices, "price_drops": prices.get("price_drops", DROPS)}}
    staying = {**case.deal, "prices": {name: value for name, value in prices.items() if name != "price_drops"}}

    assert exact(rated(replace(case, deal=following))) <= exact(rated(replace(case, deal=staying))) + TOLERANCE


DROPS = {"basis": "discounted_list", "trigger": "automatic"}


@LAW
@given(cases("commitments", rows_max=8), st.sampled_from(["unused", "commitment"]), st.sampled_from(["first", "last"]))
def test_rolled_units_never_exceed_the_cap_and_never_roll_twice(case: Case, of: str, order: str) -> None:
    """What rolled lots pay in all is at most the named share of what all windows left unused.

    A lot that rolled a second time, or drew more than its cap, would break the sum: unused counts no drawn lot.
    """
    rollover = {"share": "25%", "of": of, "into": "next_window", "order": order}
    amount = {"amount": case.deal["commitments"][0].get("amount", "30 USD / quarter")}
    plain = {"id": "spend", "pool": "all_models", "true_up": "month", "counts_at": "contracted"}
    case.deal["commitments"] = [{**plain, **amount, "rollover": rollover}]
    case = replace(case)
    result = rated(case)
    rolled = sum((line.amounts.contracted - line.amounts.billed for line in lines(result, "usage")), Decimal(0))
    unused = billed(line for line in lines(result, "commitment") if line.clause.endswith(".amount"))
    committed = sum(oracle.committed(case.deal), Fraction(0))

    assert Fraction(rolled) <= (Fraction(unused) if of == "unused" else committed) / 4 + TOLERANCE
    assert rolled <= unused + Decimal("1e-9")


@LAW
@given(cases("commitments", models=("one", "two"), rows_max=8), st.sampled_from(["0%", "50%", "100%"]))
def test_the_buyer_pays_contracted_cost_shortfall_and_premium(case: Case, prepaid: str) -> None:
    """Paid over the term = Σ contracted + Σ max(0, C − D) × its share + Σ max(0, D − C) × surcharge: no more, no less.

    In closed form, window by window, for one commitment counted and paid at contracted prices, however it is prepaid.
    """
    text = case.deal["commitments"][0]
    text = {key: value for key, value in text.items() if key in ("id", "true_up", "shortfall", "ramp")}
    text |= {"amount": case.deal["commitments"][0].get("amount", "33.37 USD / quarter"), "pool": "all_models"}
    text |= {"counts_at": "contracted", "overage": {"at": "contracted", "surcharge": "10%"}}
    if prepaid != "0%":
        text["prepaid"] = {"share": prepaid}
    if "prepaid" in text:
        text.pop("shortfall", None)
    deal = {**case.deal, "commitments": [text], "failed_requests": "billed"}
    case = replace(case, deal=deal)
    expected = Fraction(0)
    costs = oracle.contracted_by_day(deal, case.book, case.records)
    for window, committed in zip(oracle.true_ups(deal), oracle.committed(deal), strict=True):
        drawn = sum((cost for day, cost in costs if window[0] <= day < window[1]), Fraction(0))
        unused = max(Fraction(0), committed - drawn) * share(text.get("shortfall", {}).get("share", "100%"))
        expected += drawn + unused + max(Fraction(0), drawn - committed) / 10

    assert abs(expected - exact(rated(case))) <= TOLERANCE


@LAW
@given(cases(*ALL, amended=True, rows_max=6))
def test_rating_again_gives_the_same_bytes(case: Case) -> None:
    """The same inputs, read and rated anew, give the same result to the last byte."""
    deals = case.contract, replace(case).contract
    bytes_of = [repr(rate_records(case.records, each, case.book, facts_of(case), span=each.span)) for each in deals]

    assert bytes_of[0] == bytes_of[1]


@SLOW
@given(cases(*ALL, rows_max=6), st.integers(0, 40))
def test_effective_cost_over_the_term_is_what_was_billed(case: Case, cash: int) -> None:
    """Σ effective = Σ billed over a whole term, with prepayments, bonuses, credits and wallets that lapse inside it."""
    case.deal["top_ups"] = {"bonus": "6%", "expires_after": "1 month", "burn_order": ["promotional", "paid"]}
    case = replace(case)
    span = case.contract.span
    fact = TopUp(at=span.start, id="t", amount=Money(Decimal(cash), "USD"))
    result = rate_records(case.records, case.contract, case.book, [fact] if cash else [], span=span)
    effective = sum((line.amounts.effective for line in lines(result)), Decimal(0))

    assert effective == billed(lines(result))


@SLOW
@given(cases("prices", models=("one", "two"), rows_max=8), st.sampled_from(["hour", "day"]), st.booleans())
def test_the_truth_lies_within_the_range_of_its_buckets(case: Case, grain: str, forget: bool) -> None:
    """The bill of the requests lies between the low and the high bill of their hours or days.

    `forget`: the buckets do not say their outcome, as most exports do not.
    """
    sent = [record for record in in_term(case) if record.outcome != "not_dispatched"]  # else no vendor counts it
    plain = [{k: n for k, n in record.quantities.items() if k != "reasoning_tokens"} for record in sent]
    requests = zip(sent, plain, strict=True)
    records = [replace(record, quantities=quantities, context_tokens=None) for record, quantities in requests]
    result = rated(case, buckets(records, grain, forget, case))
    low = exact(result)
    high = sum(
        (Fraction(each.total if each.total_high is None else each.total_high) for each in result.invoices), Fraction(0)
    )
    truth = exact(rated(case, records))

    assert low - TOLERANCE <= truth <= high + TOLERANCE


def buckets(records: list[UsageRecord], grain: str, forget: bool, case: Case) -> list[UsageRecord]:
    """The export of a vendor: requests summed by UTC hour or day; a bucket that starts before the term stays apart."""
    found: dict[tuple[object, ...], UsageRecord] = {}
    for record in records:
        start = record.used_at.replace(minute=0, second=0, microsecond=0)
        start = start if grain == "hour" else start.replace(hour=0)
        if start not in case.contract.span:
            found[record.id,] = record
            continue
        outcome = None if forget else record.outcome
        key = (start, record.model, record.channel, record.access, record.region, record.workload, outcome)
        before = found.get(key)
        total = Counter(record.quantities) + Counter(before.quantities if before else {})
        found[key] = replace(
            record, id=f"b{len(found)}" if before is None else before.id, used_at=start, grain=grain, outcome=outcome,
            quantities=dict(total), context_tokens=None,
        )  # fmt: skip
    return list(found.values())
