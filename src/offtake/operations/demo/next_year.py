"""The demo's look ahead: what to sign for the next year, the clauses worth most, and what one changed line does.

It needs the extra `plan`; without it the demo says so and shows the rest.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from offtake.operations.contracts import Opened
from offtake.operations.plan_extra import need_plan_extra
from offtake.operations.usage_input import UsageInput
from offtake.store.shipped import shipped
from offtake.values.errors import OutsideError

if TYPE_CHECKING:
    from offtake.planner.offers.result import PlanResult
    from offtake.planner.value.valuation import Priced, Row

OFFER = "contracts/start/contract.yaml"
WAITS = "contract-review"
CHANGES = ("commitments[0].amount=900_000 USD / year", "prices.discounts[0].share=25%")
"""A smaller promise, and a bigger discount."""
CLAUSES, PATHS = 3, 60


@dataclass(frozen=True, slots=True)
class NextYear:
    """The plan, the clauses that move most dollars a year, and what each changed line saves.

    `offer` is the other file on the table.
    """

    offer: Path
    plan: PlanResult
    clauses: Sequence[Row]
    changes: Sequence[Priced]


def next_year(folder: Path, usage: UsageInput, contract: Path, opened: Opened, at: date) -> NextYear | None:
    """The answers for the sample month; None where the extra is not installed."""
    try:
        need_plan_extra()
    except OutsideError:
        return None
    from offtake.operations.plan_offers import Asked, plan_offers
    from offtake.planner.profile.traffic import Batchable
    from offtake.planner.value.demand import of_usage
    from offtake.planner.value.edits import read_edit
    from offtake.planner.value.futures import Luck
    from offtake.planner.value.situation import Situation

    offer = folder / "offer.yaml"
    shutil.copyfile(shipped(OFFER), offer)
    asked = Asked(contract=contract, at=at, rules=[Batchable(WAITS, Decimal(1))])
    plan = plan_offers(usage, [str(contract), str(offer)], asked)
    situation = Situation(
        contract=opened.contract, demand=of_usage(usage.source, opened.catalog), catalog=opened.catalog,
        luck=Luck(paths=PATHS),
    )  # fmt: skip
    valuation = situation.valuation()
    clauses = [row for row in valuation.rows() if row.value and row.clause.counterfactual][:CLAUSES]
    return NextYear(offer, plan, clauses, [valuation.priced("alone", [read_edit(text)]) for text in CHANGES])
