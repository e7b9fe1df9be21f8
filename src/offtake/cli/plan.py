"""`offtake plan`: what to sign, at which level, and what to send where."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from offtake.cli import render
from offtake.cli.commit import SCALES, LevelOnOffer
from offtake.cli.options import (
    EXISTING_FILE,
    at_option,
    catalog_option,
    facts_option,
    format_option,
    months_option,
    out_option,
    store_options,
)
from offtake.cli.plan_files import remember, report_option, write_reports
from offtake.cli.profile import Rule
from offtake.cli.rate import reading
from offtake.cli.route import Ratio
from offtake.values.errors import InputError
from offtake.values.units import number

if TYPE_CHECKING:
    from offtake.operations.plan_offers import Asked
    from offtake.planner.offers.rerate import Cloud

WARNINGS_SHOWN = 20
INTERRUPTED = 130
CONTRACT_FILE = re.compile(r".+\.ya?ml(@[a-z_]+)?", re.IGNORECASE)
_AMOUNT = r"([0-9][0-9_]*(?:\.[0-9]+)?)([kmb]?)"


class Pairs(click.ParamType[tuple[str, str]]):
    """WORKLOAD=MODEL,… or MODEL=FACTOR: a name, and what holds for it."""

    name = "pair"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Both sides as text."""
        if isinstance(value, tuple):
            return value
        name, equals, rest = str(value).partition("=")
        if not equals or not name.strip() or not rest.strip():
            self.fail(f"{value!r} is not of the form NAME=VALUE", param, ctx)
        return name.strip(), rest.strip()


class RiskMeasure(click.ParamType[tuple[float, float]]):
    """cvar:0.9, or with the weight of the tail cvar:0.9:0.3."""

    name = "risk"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, float]:
        """(weight, level); the weight is a half unless it is said."""
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"cvar:(0?\.[0-9]+)(?::(0?\.[0-9]+|0|1))?", value.strip().lower())
        if not found or not 0 < float(found[1]) < 1:
            self.fail(f"{value!r} is not a risk measure; write cvar:0.9, or cvar:0.9:0.3", param, ctx)
        return float(found[2] or 0.5), float(found[1])


class PlanCommand(click.Command):
    """`--offers a.yaml b.yaml`: each contract file that follows the flag is an offer too."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The arguments with a flag before each further offer."""
        remember(ctx, args)
        found: list[str] = []
        run = False
        for index, word in enumerate(args):
            if run and CONTRACT_FILE.fullmatch(word) and args[index - 1] != "--offers":
                found.append("--offers")
            found.append(word)
            run = word == "--offers" or (run and bool(CONTRACT_FILE.fullmatch(word)))
        return super().parse_args(ctx, found)


@click.command("plan", cls=PlanCommand)
@click.argument("usage", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--offers", multiple=True, metavar="FILE…", help="Contract files, as FILE or FILE@STANCE.")
@click.option("--level", "levels", multiple=True, type=LevelOnOffer(), metavar="SHARE@DOLLARS",
              help="Try each offer that has a commitment at this level, such as 20%@1.2M.")  # fmt: skip
@click.option("--contract", type=EXISTING_FILE, metavar="FILE", help="The contract of today; list prices when absent.")
@click.option("--horizon", type=click.IntRange(1, 120), default=12, show_default=True, metavar="MONTHS",
              help="How far the plan reaches.")  # fmt: skip
@click.option("--scenarios", type=click.IntRange(1, 5_000), default=1, show_default=True, metavar="N",
              help="Decide on so many drawn futures; 1 is the forecast alone.")  # fmt: skip
@click.option("--risk", type=RiskMeasure(), metavar="cvar:LEVEL", help="Weigh the dearest futures, as cvar:0.9[:0.5].")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="The luck of the drawn futures.")
@click.option("--events", type=EXISTING_FILE, metavar="FILE", help="Launches, migrations, retirements (YAML).")
@click.option("--quality", multiple=True, type=Pairs(), metavar="WORKLOAD=MODEL,…",
              help="Models that are good enough for a workload (a pattern); may be repeated.")  # fmt: skip
@click.option("--evals", multiple=True, type=EXISTING_FILE, metavar="FILE",
              help="Evaluation results, as `offtake route` reads them: what proves --floor is good.")  # fmt: skip
@click.option("--floor", type=Ratio(), metavar="SHARE", help="The score that --evals must prove.")
@click.option("--confidence", type=Ratio(), default="0.95", show_default=True, metavar="SHARE",
              help="How sure, one-sided.")  # fmt: skip
@click.option("--needs", multiple=True, type=EXISTING_FILE, metavar="FILE",
              help="What workloads need: region, retention, latency, models (YAML).")  # fmt: skip
@click.option("--batchable", "rules", multiple=True, type=Rule(), metavar="WORKLOAD=SHARE",
              help="The share of a workload's requests that may wait a day.")  # fmt: skip
@click.option("--tokens", multiple=True, type=Pairs(), metavar="MODEL=FACTOR",
              help="Tokens that another model needs for one of today's, such as gpt-*=1.1.")  # fmt: skip
@click.option("--cloud", "clouds", multiple=True, type=Pairs(), metavar="NAME=DOLLARS",
              help="A cloud commitment over the horizon, or 1.2M-300k with what else burns it.")  # fmt: skip
@months_option
@click.option("--model", default="", metavar="NAME", help="The model of usage that names none, such as a trace.")
@catalog_option
@facts_option
@at_option
@store_options
@report_option
@format_option("table", "json", "csv")
@out_option
def command(
    usage: tuple[Path, ...], offers: tuple[str, ...], reports: tuple[Path, ...], output_format: str, out: Path | None,
    **flags: Any,
) -> int:  # fmt: skip
    """Say what to sign, at which level, and what to send where.

    USAGE… is what ran, in any form that `offtake import` knows; the plan covers the months ahead at that level. Offers
    are contract files; list prices are always on the table, and at most one contract of each vendor is signed. The
    first line is the answer. Ctrl-C ends a long search with its best plan so far, and how far from the best it may be.

        offtake plan usage.csv --offers direct.yaml aggregator.yaml --batchable 'eval-*=100%'
    """
    from offtake.cli.plan_progress import Progress
    from offtake.cli.plan_shown import csv_rows, document, show
    from offtake.operations.plan_offers import plan_offers

    _spare(offers, out)
    progress, asked = Progress(), _asked(**flags)
    with reading() as read:
        found = plan_offers(usage, offers, asked, progress.searching, read)
    write_reports(reports, found, usage, offers, asked)  # first: whoever reads the answer may leave, as `head` does
    if output_format == "json":
        render.write(render.json_text(document(found)), out)
    elif output_format == "csv":
        render.write(render.csv_text(*csv_rows(found)), out)
    else:
        render.write_tables(lambda: show(found), out)
    for words in found.warnings[:WARNINGS_SHOWN]:
        render.note(f"warning: {words}")
    return INTERRUPTED if found.search.stopped else 1 if found.warnings else 0


def _spare(offers: tuple[str, ...], out: Path | None) -> None:
    """Refuse to write over an offer."""
    from offtake.store.sources import same_file

    read = [Path(each) for offer in offers for each in (offer, offer.rpartition("@")[0]) if each]
    if out and same_file(out, [path for path in read if path.exists()]):
        raise InputError("U148", f"{out} is one of the files to read", hint="name another file with --out")


def _asked(
    *,
    quality: tuple[tuple[str, str], ...],
    evals: tuple[Path, ...],
    floor: Decimal | None,
    confidence: Decimal,
    rules: tuple[tuple[str, Decimal], ...],
    tokens: tuple[tuple[str, str], ...],
    clouds: tuple[tuple[str, str], ...],
    months: Fraction | None,
    risk: tuple[float, float] | None,
    at: datetime | date | None,
    **flags: Any,
) -> Asked:
    """The flags as what is asked for."""
    from offtake.operations.plan_needs import Quality
    from offtake.operations.plan_offers import Asked
    from offtake.planner.profile.traffic import Batchable

    rows = [(pattern, tuple(each.strip() for each in models.split(",") if each.strip())) for pattern, models in quality]
    return Asked(
        quality=Quality(rows, evals, floor, confidence),
        rules=[Batchable(pattern, share) for pattern, share in rules],
        tokens={model: _number(factor, "--tokens") for model, factor in tokens},
        clouds=[_cloud(name, amount) for name, amount in clouds],
        usage_months=months,
        risk=risk or (0.0, 0.9),
        at=at,
        **flags,
    )


def _cloud(name: str, words: str) -> Cloud:
    """DOLLARS, or DOLLARS-DOLLARS with what burns it anyway."""
    from offtake.planner.offers.rerate import Cloud

    found = re.fullmatch(rf"{_AMOUNT}(?:-{_AMOUNT})?", words.lower())
    if not found:
        raise click.UsageError(
            f"--cloud {name}={words}: write {name}=1.2M, or {name}=1.2M-300k with what else burns it"
        )
    committed = number(found[1]) * SCALES[found[2]]
    return Cloud(name, committed, number(found[3]) * SCALES[found[4]] if found[3] else Decimal(0))


def _number(words: str, flag: str) -> Decimal:
    try:
        found = number(words)
    except ValueError as error:
        raise click.UsageError(f"{flag}: {error}") from error
    if found <= 0:
        raise click.UsageError(f"{flag}: {words} is not above zero")
    return found
