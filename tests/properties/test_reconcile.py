"""Comparing bills: a right one is clean, planted mistakes are found and nothing else, and no cent gets lost."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from offtake.assurance.difference import Reconciliation
from offtake.usage.charge import Charge
from offtake.values.money import total
from tests.unit.assurance import mistakes
from tests.unit.assurance.made_bills import compare, contract, lines, month, recounted, right_bill

SEEDS = st.integers(0, 10_000)
TOGETHER = (
    mistakes.list_price, mistakes.price_before_a_step, mistakes.batch_as_realtime, mistakes.batch_called_realtime,
    mistakes.hour_write_for_five_minutes, mistakes.read_as_input, mistakes.long_context, mistakes.duplicate,
    mistakes.quantity, mistakes.fee, mistakes.tier_forgotten,
)  # fmt: skip


def conserved(result: Reconciliation) -> bool:
    return result.difference == total(each.amount for each in result.differences) + result.rounding


@given(SEEDS, st.sampled_from([2, 4, 6, 8, 12]))
def test_the_bill_of_our_own_lines_is_clean(seed: int, places: int) -> None:
    records = month(seed, first=12, days=4, requests_a_day=3)
    result = compare(right_bill(lines(records, contract()), places), records, contract())

    assert () == result.differences
    assert conserved(result)


@given(SEEDS, st.sampled_from(mistakes.PLANTS))
def test_a_planted_mistake_is_found_alone(seed: int, plant: mistakes.Plant) -> None:
    records = month(seed, first=13, days=3, requests_a_day=4)
    draw = random.Random(seed)
    ours = lines(records, contract())
    planted = plant(right_bill(ours), ours, lambda rows: draw.choice(rows) if rows else None)
    assume(planted is not None)
    assert planted is not None
    result = compare(planted.charges, records, contract())

    assert [(planted.kind, planted.clause, planted.amount)] == [
        (each.kind, each.clause, each.amount) for each in result.differences
    ]
    assert conserved(result)


@given(SEEDS, st.lists(st.sampled_from(TOGETHER), min_size=2, max_size=5, unique=True))
def test_mistakes_on_different_cells_are_found_together(seed: int, plants: list[mistakes.Plant]) -> None:
    records = month(seed, first=12, days=5, requests_a_day=2)
    ours = lines(records, contract())
    bill = right_bill(ours)
    draw, used, wanted = random.Random(seed), set[tuple[str, datetime]](), []

    def choose(rows: list[Charge]) -> Charge | None:
        free = [row for row in rows if (row.model, row.starts_at) not in used]
        chosen = draw.choice(free) if free else None
        if chosen:
            used.add((chosen.model, chosen.starts_at))
        return chosen

    for plant in plants:
        planted = plant(bill, ours, choose)
        if planted:
            bill = planted.charges
            wanted.append((planted.cause, planted.clause, planted.amount))
    result = compare(bill, records, contract())

    assert sorted(wanted) == sorted((each.cause, each.clause, each.amount) for each in result.differences)
    assert conserved(result)


@given(SEEDS, st.data())
def test_whatever_a_bill_says_no_cent_gets_lost(seed: int, data: st.DataObject) -> None:
    records = month(seed, first=13, days=2, requests_a_day=3)
    bill = right_bill(lines(records, contract()), data.draw(st.sampled_from([2, 6, 12])))
    for index in data.draw(st.lists(st.integers(0, max(len(bill) - 1, 0)), max_size=6)):
        row = bill[index]
        if not row.meter:
            continue
        bill[index] = data.draw(
            st.sampled_from(
                [
                    replace(row, amount=row.amount + Decimal("0.123456")),
                    replace(row, unit_price=None, quantity=None),
                    replace(row, model="claude-unheard-of"),
                    replace(row, meter="output_tokens"),
                    replace(row, meter=None),
                    replace(row, channel="batch"),
                    replace(row, amount=-row.amount),
                    recounted(row, 2 * (row.quantity or 0)),
                ]
            )
        )
    assert conserved(compare(bill, records, contract()))
