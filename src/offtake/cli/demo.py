"""`offtake demo`: a month, a contract and a wrong bill; what was overbilled, and why."""

from __future__ import annotations

import shutil
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from offtake.cli import render

if TYPE_CHECKING:
    from offtake.assurance.difference import Claim
    from offtake.operations.demo.run import Demo


@click.command("demo")
@click.option(
    "--out",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("offtake-demo"),
    show_default=True,
    metavar="FOLDER",
    help="Where the files and the report go.",
)
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    envvar="OFFTAKE_DATA",
    metavar="FOLDER",
    help="Published traces to rate as well (or OFFTAKE_DATA).",
)
@click.option("--live", is_flag=True, help="Then run a gateway before simulated vendors, and kill it.")
def command(folder: Path, data: Path | None, live: bool) -> None:
    """Show a month, a contract and a wrong bill: what was overbilled, and why.

    A made month of a retailer's traffic (always the same), the mid-size example contract, and a bill with five
    planted errors. The files stay in the folder, beside a report to open in a browser.
    """
    from offtake.operations.demo.run import run_demo

    demo = run_demo(folder, data)
    _show_bill(demo)
    _show_commitment(demo)
    _show_levers(demo)
    _show_line(demo)
    _show_ahead(demo)
    _show_traces(demo)
    _show_files(demo)
    if live:
        _show_live(folder / "live")


def _show_bill(demo: Demo) -> None:
    found = demo.compared.result
    amount = render.money(found.overbilled, found.currency)
    render.text(f"Overbilled {amount}: {len(found.claims)} claims, each with its clause and evidence", style="bold")
    theirs, ours = (render.money(each, found.currency) for each in (found.theirs, found.ours))
    render.text(f"The bill for January 2026 asks {theirs}. The usage, under the contract, comes to {ours}.")
    for claim in found.claims:
        render.text()
        _show_claim(claim, found.currency)


def _show_claim(claim: Claim, currency: str) -> None:
    from offtake.export.words import claim_days, claim_words

    first = claim.first
    render.text(f"{render.money(claim.amount, currency):>11}  {first.model}: {claim_words(claim)}", style="bold")
    where = f"{first.source} · {first.clause}" if first.source else first.clause
    lines = (f"{where} · {claim_days(claim)}", *render.folded(first.why, 96))
    for words in lines:
        render.text(f"{'':11}  {words}")


def _show_commitment(demo: Demo) -> None:
    from offtake.cli.status import commitment_rows, commitment_title

    for each in demo.status.commitments:
        render.text()
        render.pairs(commitment_rows(each, demo.status), title=commitment_title(each))


def _show_levers(demo: Demo) -> None:
    from offtake.values.money import divide

    render.text()
    currency = demo.compared.result.currency
    public = demo.levers[0].total
    rows = [
        (each.name, each.what, render.money(each.total, currency), render.share(divide(public - each.total, public)))
        for each in demo.levers
    ]
    columns = ("configuration", "what it means", "total", "below list")
    render.table(columns, rows, right=columns[2:], title="The same tokens in each configuration")


def _show_line(demo: Demo) -> None:
    line = demo.explained.line
    render.text()
    what = f"{line.model} {line.meter} ({line.channel}), {render.rounded(line.quantity, 0)} tokens"
    render.text(f"One line explained: {what}, {render.money(line.amounts.contracted)}", style="bold")
    for step in demo.explained.steps:
        paper = f" · {step.paper}" if step.paper else ""
        render.text(f"  {step.what}")
        render.text(f"    {step.clause}{paper}")


def _show_ahead(demo: Demo) -> None:
    """What to sign, the clauses that move most, and what one changed line does."""
    render.text()
    ahead = demo.ahead
    if ahead is None:
        render.text("The next year: pip install 'offtake[plan]' shows what to sign and what each clause is worth")
        return
    from offtake.cli.plan_shown import answer

    plan = ahead.plan
    dollars = partial(render.money, currency=plan.currency, places=0)
    render.text(f"The next year: {answer(plan)}", style="bold")
    rows = [
        (plan.today_name, dollars(plan.today)),
        (" and ".join(each.offer for each in plan.sign), dollars(plan.cost)),
    ]
    rows += [(each.name, dollars(each.cost)) for each in plan.alternatives if plan.today_name not in each.name]
    render.table(("over 12 months", "costs"), rows, right=("costs",))
    clauses = [
        (row.clause.path, dollars(row.value.mean), f"{dollars(row.value.low)} to {dollars(row.value.high)}", row.off)
        for row in ahead.clauses
        if row.value
    ]
    title = "The three clauses that move most; below zero a clause costs you money"
    heads = ("clause", "worth a year", "8 of 10 futures", "without it")
    render.table(heads, clauses, right=heads[1:3], title=title)
    changes = [
        (str(each.edits[0]), dollars(each.value.mean), f"{dollars(each.value.low)} to {dollars(each.value.high)}")
        for each in ahead.changes
    ]
    columns = ("change one line", "saves a year", "8 of 10 futures")
    render.table(columns, changes, right=columns[1:], title="Ask for a smaller promise, not a bigger discount")


def _show_traces(demo: Demo) -> None:
    if not demo.traces:
        return
    render.text()
    rows = [
        (each.name, each.model, render.count(each.requests), render.money(each.public), render.money(each.contracted))
        for each in demo.traces
    ]
    columns = ("trace", "as if asked of", "requests", "list", "contract")
    render.table(columns, rows, right=columns[2:], title="Published traces, rated")


def _show_live(folder: Path) -> None:
    """One call with what it cost, and the books after a `kill -9`."""
    from offtake.operations.demo.live import run_live

    render.text()
    with render.steps() as step:
        step("running a gateway before simulated vendors, and killing it")
        live = run_live(folder)
    if live is None:
        render.text("Live: pip install 'offtake[gateway,clients]' shows one call through the gateway, and its books")
        return
    render.text("One call through the gateway, by the vendor’s own client", style="bold")
    render.pairs([(name, value) for name, value in live.headers.items() if name != "offtake-route"])
    render.text()
    said = f"{live.answered} calls answered, then kill -9 under load, then started again"
    words = "each priced when it was settled", "the recorded tokens, priced afresh", "priced apart, by the vendor"
    amounts = live.ledger, live.rated, live.metered
    books = zip(("ledger", "rating", "sandbox’s meter"), words, amounts, strict=True)
    rows = [(name, what, f"{amount:.12f} USD") for name, what, amount in books]
    render.table(("book", "what it is", "the same calls"), rows, right=("the same calls",), title=said)
    agree = "All three agree to the last token" if live.agrees else "The books DIFFER"
    lost = f"{live.settled} calls in the books, {live.unresolved} in flight at the kill and listed as unresolved"
    render.text(f"{agree}; {lost}. Ledger: {live.verified}.")


def _show_files(demo: Demo) -> None:
    render.text()
    render.pairs(
        (
            (str(demo.report), "the report: open it in a browser, or print it"),
            (str(demo.folder / "contract.yaml"), "the contract: change a line and compare again"),
            (str(demo.folder / "usage.csv"), "what was used, as a gateway exports it"),
            (str(demo.folder / "bill.csv"), "what the vendor asks"),
            *([(str(demo.ahead.offer), "another offer on the table")] if demo.ahead else []),
        ),
        title="Files",
    )
    render.text()
    usage, bill, contract = (demo.folder / name for name in ("usage.csv", "bill.csv", "contract.yaml"))
    render.text(f"Next: {_program()} compare {usage} --invoice {bill} --contract {contract}")
    if demo.ahead:
        offers = f"--contract {contract} --offers {contract} {demo.ahead.offer}"
        render.text(f"      {_program()} plan {usage} {offers} --report {demo.folder / 'plan.html'}")
        render.text(f"      {_program()} value {contract} --demand {usage} --change 'commitments[0].amount=900_000'")


def _program() -> str:
    """What to type: `offtake`, or its path where the shell would not find it."""
    return "offtake" if shutil.which("offtake") or sys.argv[0].endswith(".py") else sys.argv[0]
