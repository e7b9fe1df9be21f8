"""Exports of what the rating engine really writes, over a whole term."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path

from offtake.export import focus, focus_files
from offtake.export.focus_check import check
from offtake.export.journal import transactions
from offtake.values.money import ZERO
from tests.unit.export.eight_figures import rated

GRID = Decimal("1e-9")  # a few thousand lines, each written with 12 decimals


def test_the_focus_export_conforms_and_its_sums_meet(tmp_path: Path) -> None:
    invoices, contract = rated()
    path = tmp_path / "focus.parquet"
    focus_files.write_parquet(focus.rows(invoices, contract), path)
    rows = focus_files.read_parquet(path)
    payable = {focus.invoice_id(invoice, contract): invoice.total for invoice in invoices.invoices}
    found = check(rows, whole_term=True, rounding=Decimal("0.005"), payable=payable)
    assert [] == [str(violation) for violation in found]
    categories = Counter(row["ChargeCategory"] for row in rows)
    assert {"Usage", "Purchase", "Adjustment"} <= set(categories)
    assert {"Used", "Unused", None} == {row["CommitmentDiscountStatus"] for row in rows}


def test_the_journal_closes_what_was_prepaid() -> None:
    invoices, contract = rated()
    balances: dict[str, Decimal] = {}
    for transaction in transactions(invoices, contract):
        assert ZERO == sum(transaction.postings.values(), ZERO)
        for account, amount in transaction.postings.items():
            balances[account] = balances.get(account, ZERO) + amount
    assert -invoices.total == balances["Liabilities:Payable:Anthropic"]
    prepaid = {account: amount for account, amount in balances.items() if account.startswith("Assets:Prepaid")}
    assert {"Assets:Prepaid:Spend", "Assets:Prepaid:Top-ups"} == set(prepaid)
    assert max(abs(amount) for amount in prepaid.values()) < GRID
    residual = sum((invoice.residual for invoice in invoices.invoices), ZERO)
    assert abs(residual + balances["Expenses:Rounding"]) < GRID
