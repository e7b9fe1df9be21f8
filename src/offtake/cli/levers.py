"""`offtake levers`: what pays without a contract, what may be asked for at the spend that is left, and seats."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from offtake.cli import render
from offtake.cli.options import (
    EXISTING_FILE,
    at_option,
    catalog_option,
    contract_option,
    format_option,
    months_option,
    out_option,
    stance_option,
    usage_argument,
)
from offtake.cli.rate import reading
from offtake.values.counting import counted
from offtake.values.errors import InputError
from offtake.values.units import money, multiple, number, share

if TYPE_CHECKING:
    from offtake.operations.weigh_levers import LeversOfUsage

EVERYTHING = "*"
Read = TypeVar("Read")


class Said(NamedTuple):
    """What was said of the workloads that a pattern names."""

    workloads: str
    value: Any


class OfWorkloads(click.ParamType[Said]):
    """[WORKLOAD=]VALUE: a value for the workloads that a pattern names, or for all."""

    def __init__(self, name: str, read: Callable[[str], object]) -> None:
        self.name = name
        self.read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Said:
        """The pattern, `*` where none is named, and the value."""
        if isinstance(value, Said):
            return value
        pattern, equals, text = value.rpartition("=")
        try:
            return Said(pattern if equals else EVERYTHING, self.read(text))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Worded(click.ParamType[Any]):
    """A value that a function reads; its ValueError is the message."""

    def __init__(self, name: str, read: Callable[[str], object]) -> None:
        self.name = name
        self.read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value."""
        if not isinstance(value, str):
            return value
        try:
            return self.read(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def one_share(text: str) -> Decimal:
    """A share between 0% and 100%."""
    found = share(text)
    if not 0 <= found <= 1:
        raise ValueError(f"{text} lies outside of 0% to 100%")
    return found


def share_range(text: str) -> tuple[Decimal, Decimal]:
    """`70%` or `60%..80%`, as its two ends."""
    low, dots, high = text.partition("..")
    ends = one_share(low), one_share(high if dots else low)
    if ends[0] > ends[1]:
        raise ValueError(f"{text}: the range begins with its lower end, such as 60%..80%")
    return ends


def model_and_tokens(text: str) -> tuple[str, Decimal]:
    """`gpt-5.4`, or `gpt-5.4*1.15x` where its tokens for the same work are 1.15 times as many."""
    found = re.fullmatch(r"(.+?)(?:\*([0-9._]+x))?", text.strip())
    if not found:
        raise ValueError(f"{text!r} names no model")
    tokens = multiple(found[2]) if found[2] else Decimal(1)
    if tokens <= 0:
        raise ValueError(f"{text!r}: a multiple of tokens lies above zero")
    return found[1], tokens


def executive(text: str) -> tuple[str, bool]:
    """`yes` and `no` for every vendor, `anthropic` or `anthropic=no` for one."""
    vendor, equals, word = text.strip().lower().partition("=")
    if not equals and vendor in ("yes", "no"):
        return EVERYTHING, vendor == "yes"
    if not vendor or (equals and word not in ("yes", "no")):
        raise ValueError(f"{text!r}: write yes, no, VENDOR or VENDOR=no")
    return vendor, word != "no"


def dollars(text: str) -> Any:
    """`40` or `40 USD`."""
    return money(text if " " in text.strip() else f"{number(text)} USD")


@click.command("levers")
@usage_argument(required=False)
@click.option("--model", default="", metavar="NAME", help="The model of usage that names none.")
@months_option
@click.option(
    "--batchable", multiple=True, type=OfWorkloads("share", one_share), metavar="[WORKLOAD=]SHARE",
    help="The share of the requests that may wait a day; may be repeated.",
)  # fmt: skip
@click.option(
    "--cache-read", multiple=True, type=OfWorkloads("range", share_range), metavar="[WORKLOAD=]SHARE[..SHARE]",
    help="The share of the input that a cache would serve, or a range of it; may be repeated.",
)  # fmt: skip
@click.option(
    "--cache-write", multiple=True, type=OfWorkloads("range", share_range), metavar="[WORKLOAD=]SHARE[..SHARE]",
    help="The share of the input written to the cache (default: between none and all that is not read).",
)  # fmt: skip
@click.option("--ttl", type=click.Choice(("5m", "1h")), default="5m", show_default=True, help="How long writes live.")
@click.option(
    "--admissible", multiple=True, type=OfWorkloads("model", model_and_tokens), metavar="[WORKLOAD=]MODEL[*TOKENSx]",
    help="A model that passes your evaluation for the work, such as 'chat=gpt-5.4*1.15x'; may be repeated.",
)  # fmt: skip
@click.option("--aggregator", type=EXISTING_FILE, metavar="FILE", help="An aggregator's rate card, as a contract file.")
@click.option("--retention", type=click.Choice(("none",)), help="Zero retention is required.")
@click.option("--region", default="", metavar="REGION", help="Everything must run in this region, such as eu.")
@click.option(
    "--failed", type=Worded("share", one_share), metavar="SHARE",
    help="The share of output in failed or truncated requests (default: as the usage says).",
)  # fmt: skip
@click.option(
    "--account-executive", "executives", multiple=True, type=Worded("vendor", executive), metavar="VENDOR|yes|no",
    help="An account executive is assigned (VENDOR=no: is not), whatever the spend; may be repeated.",
)  # fmt: skip
@click.option("--gates", multiple=True, type=EXISTING_FILE, metavar="FILE", help="Own rows on gates; may be repeated.")
@click.option("--asks", is_flag=True, help="Show every ask, not only how many are open.")
@click.option("--roster", type=EXISTING_FILE, metavar="FILE", help="People as CSV: user, last_active, tokens.")
@click.option("--paid", type=click.IntRange(0), metavar="N", help="Seats paid for (default: everyone on the roster).")
@click.option("--seat-price", type=Worded("money", dollars), metavar="USD", help="What a seat costs a month.")
@click.option(
    "--active-days",
    type=click.IntRange(1),
    default=30,
    show_default=True,
    metavar="N",
    help="Active is within so many days.",
)
@contract_option()
@stance_option
@catalog_option
@at_option
@format_option("table", "json", "csv")
@out_option
def command(
    usage: tuple[Path, ...],
    asks: bool,
    roster: Path | None,
    paid: int | None,
    seat_price: Any,
    active_days: int,
    at: datetime | date | None,
    output_format: str,
    out: Path | None,
    **flags: Any,
) -> int:
    """Weigh the levers: what pays without a contract, what may be asked for, who uses the seats.

    USAGE… are files of any kind that `offtake import` knows. Amounts are of a month of this traffic. Nothing is
    assumed that you do not say or the usage does not show: without --cache-read there is no saving from caching, only
    the point from which it pays.

        offtake levers usage.csv --batchable 'eval-*=100%' --cache-read 60%..80% --admissible gpt-5.4
    """
    from offtake.cli.levers_shown import rows, show

    if not usage and not roster:
        raise InputError("P625", "nothing to weigh", hint="offtake levers USAGE…, or offtake levers --roster FILE")
    levers = _levers(usage, at, **flags) if usage else None
    seats = None
    if roster:
        from offtake.operations.weigh_seats import weigh_seats

        seats = weigh_seats(roster, paid=paid, price=seat_price, at=at, active_days=active_days, levers=levers)
    elif paid is not None or seat_price is not None:
        raise InputError("P626", "--paid and --seat-price say something of a roster", hint="add --roster FILE")
    if output_format == "json":
        from offtake.cli.levers_json import document

        render.write(render.json_text(document(levers, seats)), out)
    elif output_format == "csv":
        render.write(render.csv_text(*rows(levers, seats)), out)
    else:
        render.write_tables(lambda: show(levers, seats, asks), out)
    return _say_what_is_missing(levers) if levers else 0


def _levers(usage: tuple[Path, ...], at: datetime | date | None, **flags: Any) -> LeversOfUsage:
    from offtake.operations.weigh_levers import weigh_levers
    from offtake.planner.levers.declared import Admissible, Declared, Range
    from offtake.planner.profile.traffic import Batchable

    declared = Declared(
        batchable=[Batchable(*each) for each in flags.pop("batchable")],
        cache_read=[Range(each.workloads, *each.value) for each in flags.pop("cache_read")],
        cache_write=[Range(each.workloads, *each.value) for each in flags.pop("cache_write")],
        ttl=flags.pop("ttl"),
        admissible=[Admissible(each.workloads, *each.value) for each in flags.pop("admissible")],
        failed=flags.pop("failed"),
        executives=dict(flags.pop("executives")),
        zero_retention=flags.pop("retention") == "none",
        region=flags.pop("region"),
    )
    with reading() as progress:
        return weigh_levers(usage, declared, at=at, progress=progress, **flags)


def _say_what_is_missing(found: LeversOfUsage) -> int:
    usage = found.usage
    told = [f"{row.where}: rejected[{row.code}]: {row.error}" for row in usage.rejected[:3]]
    more = counted(len(usage.rejected) - 3, "more row")
    told += [f"… and {more} that cannot be read"] if len(usage.rejected) > 3 else []
    told += [f"conflict: {words}" for words in usage.conflicts]
    for words in told:
        render.note(words)
    return 1 if told else 0
