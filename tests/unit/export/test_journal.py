"""The journal: each kind of line in its accounts, and every transaction at zero."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from offtake.export import beancount
from offtake.export.journal import Transaction, transactions
from offtake.rating.lines import Invoices, Line
from offtake.values.money import ZERO
from tests.unit.export.made import TERM, amounts, contract, invoices, month, other, purchase, unused, usage

COVERED = {"commitment": "spend", "commitment_status": "used"}


def booked(of: Invoices) -> list[Transaction]:
    found = list(transactions(of, contract()))
    assert [ZERO] * len(found) == [sum(transaction.postings.values(), ZERO) for transaction in found]
    return found


def balances(of: Invoices) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for transaction in booked(of):
        for account, amount in transaction.postings.items():
            total[account] = total.get(account, ZERO) + amount
    return {account: amount.normalize() for account, amount in total.items() if amount}


def dollars(**of: object) -> dict[str, Decimal]:
    names = {
        "payable": "Liabilities:Payable:Solora",
        "model": "Expenses:LLM:Solora-saturn-5-0",
        "prepaid": "Assets:Prepaid:Spend",
        "wallet": "Assets:Prepaid:Top-ups",
        "breakage": "Expenses:Breakage:Spend",
        "lapsed": "Expenses:Breakage:Top-ups",
        "rounding": "Expenses:Rounding",
        "receivable": "Assets:Service-Credits",
        "fees": "Expenses:LLM:Fees",
        "credits": "Expenses:LLM:Credits",
    }
    return {names[name]: Decimal(str(amount)).normalize() for name, amount in of.items()}


def one(line: Line) -> dict[str, Decimal]:
    return balances(invoices((month(1), [line])))


def test_usage_is_an_expense_that_is_owed() -> None:
    assert dollars(model=48, payable=-48) == one(usage(month(1), 4, 15, 12))


def test_a_prepaid_term_ends_with_nothing_in_the_asset() -> None:
    """B1: 1,200 paid; 48 + 120 + 60 used, 972 lost."""
    used = [usage(month(1), q, 15, 12, 0, **COVERED) for q in (4, 10, 5)]
    of = invoices((month(1), [purchase(TERM, 1200, 1200), *used]), (month(12), [unused(TERM, 972, 0)]))
    assert dollars(payable=-1200, model=228, breakage=972) == balances(of)
    assert dollars(prepaid=1200, payable=-1200) == booked(of)[0].postings


def test_a_shortfall_is_lost_and_owed() -> None:
    assert dollars(breakage=972, payable=-972) == one(unused(TERM, 972, 972))


def test_a_credit_is_receivable_from_when_it_is_earned_until_it_is_given() -> None:
    earned = other("credit", "sla.uptime", month(1), 0, amounts=amounts(0, 0, -50, 0))
    given = other("credit", "sla.uptime", month(2), -50, amounts=amounts(0, 0, 0, -50))
    assert dollars(receivable=50, credits=-50) == one(earned)
    assert dollars(credits=-50, payable=50) == balances(invoices((month(1), [earned]), (month(2), [given])))


def test_a_wallet_is_an_asset_until_it_pays_or_lapses() -> None:
    """999 topped up; 600 pays usage; 399 lapses."""
    bought = replace(purchase(TERM, 999, 999), clause="top_ups", commitment="")
    pays = other("credit", "top_ups.paid", month(1), -600, amounts=amounts(0, 0, 0, -600))
    lapses = other("credit", "top_ups.paid", month(2), 0, amounts=amounts(0, 0, 399, 0))
    of = invoices((month(1), [bought, usage(month(1), 50, 15, 12), pays]), (month(2), [lapses]))
    assert dollars(payable=-999, model=600, lapsed=399) == balances(of)


def test_what_a_line_was_rounded_by_is_booked() -> None:
    line = usage(month(1), 1, 15, "4.999", "5.00")
    of = invoices((month(1), [line]))
    assert dollars(model="4.999", rounding="0.001", payable=-5) == balances(of)


def test_an_invoice_that_rounds_as_a_whole_books_it_once() -> None:
    of = invoices((month(1), [usage(month(1), 1, 15, "4.999")]), totals={month(1): Decimal("5.00")})
    assert dollars(model="4.999", rounding="0.001", payable=-5) == balances(of)


def test_a_partly_prepaid_line_gives_its_rounding_back() -> None:
    """10.00 used, 4.996 of it prepaid: 5.004 is billed as 5.00; the asset falls by 4.996 and not by 5.00."""
    line = usage(month(1), 1, 15, 10, "5.00", **COVERED)
    of = invoices((month(1), [purchase(TERM, 1200, 1200), line]))
    invoice = replace(of.invoices[0], residual=Decimal("0.004"))
    expected = dollars(prepaid="1195.004", model=10, payable=-1205, rounding="-0.004")
    assert expected == balances(replace(of, invoices=(invoice,)))


def test_amounts_that_no_decimal_writes_still_sum_to_zero() -> None:
    third = Decimal("0.333333333333333333333333333333")
    line = usage(month(1), 1, 15, 1, amounts=amounts(1, 1, third, 0), **COVERED)
    assert dollars(model="0.333333333333", prepaid="-0.333333333333") == one(line)


def test_the_text_is_beancount() -> None:
    line = other("fee", "fees.platform", month(1), 10_000, why='a "flat"\nfee')
    assert (
        'option "title" "acme-2025"\noption "operating_currency" "USD"\n\n'
        "2025-04-30 open Expenses:LLM:Fees USD\n"
        "2025-04-30 open Liabilities:Payable:Solora USD\n"
        "\n2025-04-30 * \"a 'flat' fee\"\n"
        '  line: "fee-fees.platform"\n  clause: "fees.platform"\n'
        "  Expenses:LLM:Fees  10000.000000000000 USD\n"
        "  Liabilities:Payable:Solora  -10000.000000000000 USD\n"
        "\n2025-05-01 balance Liabilities:Payable:Solora  -10000.000000000000 ~ 0 USD\n"
    ) == "".join(beancount.text(invoices((month(1), [line])), contract()))
    assert date(2025, 4, 30) == booked(invoices((month(1), [line])))[0].day
