"""Route: evaluation files → the cheapest model that passes, what is not beaten, and the admissions for a contract.

What a run cost is the money fact of its file, unless `--price` asks for today's prices: then the tokens of every run
are rated at list, or under a contract, by the one engine, and what the files say is left aside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from offtake.contract.list_only import list_contract
from offtake.operations.contracts import Opened, moment_of, open_contract
from offtake.operations.rate_tokens import RatedTokens, rated_tokens
from offtake.planner.routing.choose import Choice, choose
from offtake.planner.routing.evaluation import Evaluation, Reading
from offtake.planner.routing.reading import read_evaluations
from offtake.planner.routing.recheck import Recheck, Rules, recheck, refuse_margin
from offtake.store.catalogs import open_catalog
from offtake.store.sources import found_files, text_source
from offtake.values.counting import counted
from offtake.values.errors import Finding, InputError

UNEQUAL = Fraction(11, 10)  # runs of one suite whose lengths differ by more are pointed out


@dataclass(frozen=True, slots=True)
class Pricing:
    """Rate the runs' tokens instead of taking what the files say: at list, or under a contract.

    With `usage`, what is rated is that traffic on each model; `now` names the run that the traffic is of today.
    """

    contract: Path | None = None
    catalogs: Sequence[Path] = ()
    at: datetime | date | None = None
    usage: Sequence[Path] = ()
    now: str | None = None


@dataclass(frozen=True, slots=True)
class Validity:
    """How long a run is good for, and how its admission is checked: see planner/routing/recheck.py."""

    at: datetime | date | None = None
    days: int = 90
    margin: Decimal = Decimal("0.05")
    workloads: Sequence[str] = ()

    @property
    def on(self) -> date:
        """The day on which the question is asked."""
        if isinstance(self.at, datetime):
            return self.at.date()
        return self.at or datetime.now(UTC).date()


@dataclass(frozen=True, slots=True)
class Routed:
    """The choice, what was noticed, and why runs without a cost have none. `priced_at` is None for the files' costs.

    `recheck` and `admissions` are of the models that passed; `admissions` is YAML for a contract, empty unless asked.
    """

    choice: Choice
    warnings: tuple[Finding, ...]
    reasons: dict[str, str] = field(default_factory=dict)
    other_suites: tuple[str, ...] = ()
    priced_at: datetime | None = None
    currency: str = "USD"
    on_usage: bool = False
    recheck: Recheck | None = None
    admissions: str = ""


def route(
    paths: Sequence[str | Path],
    *,
    floor: Decimal,
    confidence: Decimal,
    suite: str | None = None,
    scorer: str | None = None,
    pricing: Pricing | None = None,
    validity: Validity = Validity(),
    admit: bool = False,
) -> Routed:
    """The cheapest model of the files that passes. InputError holds every problem of the files, each with its place."""
    if not 0 < floor <= 1:
        raise InputError(
            "P636", f"a floor of {floor} is not a share above 0 and up to 1",
            hint="--floor 0.7, or --floor 70%",
        )  # fmt: skip
    refuse_margin(validity.margin, Fraction(floor))
    files = found_files(paths)
    reading = read_evaluations([(text_source(path), path.name.partition(".")[0]) for path in files], scorer)
    errors = [each for each in reading.findings if each.severity == "error"]
    if errors:
        raise InputError.of(errors)
    runs, others = _of_one_suite(reading, suite)
    warnings = [*reading.findings, *_unequal(runs)]
    if pricing is None:
        zero = {each.where for each in reading.findings if each.code == "P634"}
        reasons = {
            run.name: "its cost is 0, and unpriced is not free" if run.where in zero else "no cost in the file"
            for run in runs
            if run.cost is None
        }
        found = Routed(choose(runs, Fraction(floor), confidence), tuple(warnings), reasons, others)
    else:
        opened, at = _opened(pricing)
        told = tuple(each for each in warnings if each.code != "P634")  # the files' costs play no part
        if pricing.usage:
            from offtake.operations.route_on_usage import on_usage

            moved = on_usage(runs, pricing.usage, opened, at, pricing.now)
            priced, reasons, told = moved.runs, moved.reasons, (*told, *moved.warnings)
        else:
            priced, reasons = _priced(runs, opened, at)
        currency = opened.contract.signed.term.currency
        found = Routed(
            choose(priced, Fraction(floor), confidence), told, reasons, others, at, currency, bool(pricing.usage)
        )
    return _with_rules(found, validity, admit)


def _with_rules(found: Routed, validity: Validity, admit: bool) -> Routed:
    """The choice with the rules that keep it true."""
    rules = Rules(validity.on, validity.days, validity.margin, validity.workloads)
    text = ""
    if admit:
        from offtake.planner.routing.admissions import admissions, text_of  # builds terms, which needs pydantic

        text = text_of(admissions(found.choice, rules))
    chosen = found.choice.chosen
    if chosen is None:
        return replace(found, admissions=text)
    check = recheck(chosen, found.choice, rules)
    warnings = found.warnings
    if check.until <= rules.on:
        days = counted(rules.days, "day")
        what = f"the run of {chosen.run.name} is of {chosen.run.on}: its {days} ended on {check.until}"
        hint = "run the suite again, or let a run hold longer with --valid-days"
        warnings += (Finding("P639", "warning", what, where=chosen.run.where, hint=hint),)
    return replace(found, warnings=warnings, recheck=check, admissions=text)


def _of_one_suite(reading: Reading, suite: str | None) -> tuple[list[Evaluation], tuple[str, ...]]:
    """The runs of the suite asked for, and the names of the other suites."""
    suites = list(dict.fromkeys(run.suite for run in reading.evaluations))
    if not suites:
        raise InputError("P630", "no results in these files", hint="give a run of each model")
    if suite is None and len(suites) > 1:
        first = {name: next(run.where for run in reading.evaluations if run.suite == name) for name in suites[:5]}
        raise InputError(
            "P635", f"results of {len(suites)} suites: " + ", ".join(f"{name} ({at})" for name, at in first.items()),
            why="scores of different tasks do not compare",
            hint=f"--suite {suites[0]!r} takes one; a CSV says which rows belong together in a column `suite`",
        )  # fmt: skip
    if suite is not None and suite not in suites:
        raise InputError("P635", f"no results of the suite {suite!r}", hint=f"the files hold {', '.join(suites)}")
    chosen = suites[0] if suite is None else suite
    runs = [run for run in reading.evaluations if run.suite == chosen]
    return runs, tuple(name for name in suites if name != chosen)


def _unequal(runs: Sequence[Evaluation]) -> list[Finding]:
    shortest, longest = min(runs, key=lambda run: run.tasks), max(runs, key=lambda run: run.tasks)
    if longest.tasks <= shortest.tasks * UNEQUAL:
        return []
    what = f"{shortest.name} was run on {shortest.tasks:,} tasks, {longest.name} on {longest.tasks:,}"
    why = "if the shorter run had the easier tasks, its score flatters it"
    return [Finding("P635", "warning", what, where=shortest.where, why=why, hint="run the same tasks for each model")]


def _opened(pricing: Pricing) -> tuple[Opened, datetime]:
    if pricing.contract:
        signed = open_contract(pricing.contract, catalogs=pricing.catalogs)
        return signed, moment_of(pricing.at, signed.contract)
    given = pricing.at
    if isinstance(given, datetime):
        at = given.astimezone(UTC) if given.tzinfo else given.replace(tzinfo=UTC)
    else:
        at = datetime(given.year, given.month, given.day, tzinfo=UTC) if given else datetime.now(UTC)
    return Opened(list_contract(at.date(), at.date()), open_catalog(pricing.catalogs)), at


def _priced(runs: Sequence[Evaluation], opened: Opened, at: datetime) -> tuple[list[Evaluation], dict[str, str]]:
    """The runs with what their tokens cost at an instant, and why some have none."""
    found, reasons = [], {}
    for run in runs:
        rated = RatedTokens(None, "no token counts in the file")
        if run.tokens:
            rated = rated_tokens(run, run.tokens, opened, at)
        if rated.cost is None:
            reasons[run.name] = rated.reason
        found.append(replace(run, cost=rated.cost))
    return found, reasons
