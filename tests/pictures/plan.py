"""`make pictures`: the plan of the sample month as people see it, and its workbook as LibreOffice computes it.

Draws the page into build/pictures, and fails where a total that LibreOffice computes is more than a cent away from the
plan's JSON, or, once an input is changed, from the same sum made here.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import openpyxl

from tests.pictures import programs

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "contracts"
FOLDER = ROOT / "build" / "pictures"
CENT = Decimal("0.01")
OFFERS = (CONTRACTS / "start" / "contract.yaml", CONTRACTS / "mid-size" / "contract.yaml")
Cells = Mapping[tuple[str, str], float]
"""(sheet, cell) → the number that is put there."""
CHANGES: Mapping[str, Cells] = {
    "as it is": {},
    "half the demand": {("Answer", "B4"): 0.5},
    "half as much again": {("Answer", "B4"): 1.5},
    "twice the commitment": {("Plan", "B2"): 1_200_000},
    "5% more off, and less demand": {("Plan", "C2"): 0.05, ("Answer", "B4"): 0.4},
}


@dataclass(frozen=True, slots=True)
class Totals:
    """What a workbook or the plan says: the cost today, and with the plan."""

    today: Decimal
    plan: Decimal


def offtake(*arguments: object, folder: Path) -> None:
    """Run the command line as a user would."""
    command = [sys.executable, "-m", "offtake.cli", *map(str, arguments)]
    paths = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, env=paths)


def make_plan(folder: Path) -> Totals:
    """The sample month, and the plan for it as plan.html, plan.xlsx and plan.json; its totals."""
    offtake("demo", folder=folder)
    usage = folder / "offtake-demo" / "usage.csv"
    offtake(
        "plan", usage, "--offers", *OFFERS, "--batchable", "contract-review=100%", "--scenarios", 50, "--at",
        "2026-02-01", "--report", "plan.html", "--report", "plan.xlsx", "--format", "json", "--out", "plan.json",
        folder=folder,
    )  # fmt: skip
    rerated = json.loads((folder / "plan.json").read_text())["rerated"]
    return Totals(Decimal(rerated["today"]), Decimal(rerated["cost"]))


def computed(workbook: Path, change: Cells, folder: Path) -> Totals:
    """The totals that LibreOffice finds with some cells changed. No value that was written beside a formula is left."""
    book = openpyxl.load_workbook(workbook)
    for (sheet, cell), value in change.items():
        book[sheet][cell] = value
    folder.mkdir(parents=True, exist_ok=True)
    changed = folder / f"changed-{workbook.name}"
    book.save(changed)
    found = openpyxl.load_workbook(programs.recalculated(changed, folder / "computed"), data_only=True)["Answer"]
    return Totals(*(Decimal(repr(found[cell].value)) for cell in ("B6", "B7")))


def expected(workbook: Path, change: Cells) -> Totals:
    """The same totals from the workbook's inputs alone: usage × price, the further discount, the shortfall."""
    book = openpyxl.load_workbook(workbook, data_only=True)
    for (sheet, cell), value in change.items():
        book[sheet][cell] = value
    demand = _number(book["Answer"]["B4"].value)

    def cost(name: str) -> Decimal:
        usage: dict[str, Decimal] = {}
        for offer, _, _, _, quantity, price, _ in book[f"{name} usage"].iter_rows(min_row=2, values_only=True):
            spent = _number(quantity) * _number(price) * demand * Decimal("0.000001")
            usage[str(offer)] = usage.get(str(offer), Decimal(0)) + spent
        whole = Decimal(0)
        for offer, committed, discount, _, _, fees, other, _ in book[name].iter_rows(min_row=2, values_only=True):
            if offer == "all":
                break
            used = usage.get(str(offer), Decimal(0)) * (1 - _number(discount))
            whole += max(used, _number(committed)) + _number(fees) + _number(other)
        return whole

    return Totals(cost("Today"), cost("Plan"))


def _number(value: object) -> Decimal:
    return Decimal(0) if value is None else Decimal(str(value))


def differences(workbook: Path, plan: Totals, folder: Path) -> list[str]:
    """Where LibreOffice disagrees by more than a cent, in words."""
    found = []
    for name, change in CHANGES.items():
        should = expected(workbook, change) if change else plan
        totals = computed(workbook, change, folder)
        for what in ("today", "plan"):
            wanted, got = getattr(should, what), getattr(totals, what)
            if abs(wanted - got) > CENT:
                found.append(f"{name}: {what} should be {wanted:,.2f}, and LibreOffice computes {got:,.2f}")
    return found


def main() -> int:
    """Draw and compare; 0 where the programs are not there, after saying so."""
    if not programs.installed():
        print(f"skipped: no {', '.join(programs.missing())} here; as root on Debian, apt would install them")
        return 0
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    plan = make_plan(FOLDER)
    pictures = programs.draw(FOLDER / "plan.html", FOLDER)
    pictures += programs.pages_of(programs.recalculated(FOLDER / "plan.xlsx", FOLDER / "workbook", "pdf"))
    wrong = differences(FOLDER / "plan.xlsx", plan, FOLDER / "computed")
    for picture in pictures:
        print(picture.relative_to(ROOT))
    print("\n".join(wrong) or f"LibreOffice computes the plan's totals to the cent, and {len(CHANGES) - 1} changes too")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
