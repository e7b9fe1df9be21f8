"""`offtake sandbox`: simulated vendors on the real wire, with a meter of their own, and the invoice for it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from offtake.cli import render
from offtake.cli.options import EXISTING_FILE, NEW_FILE, out_option
from offtake.values.errors import OutsideError
from offtake.values.units import share


class Discount(click.ParamType[tuple[str, Decimal]]):
    """A pattern of models and a share off list: `claude-*=20%`."""

    name = "discount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Decimal]:
        """The pattern and the share."""
        if isinstance(value, tuple):
            return value
        pattern, equals, text = str(value).partition("=")
        try:
            found = share(text)
        except ValueError as error:
            self.fail(f"{value!r}: {error}", param, ctx)
        if not pattern or not equals or found > 1:
            self.fail(f"{value!r} is not a pattern and a share; write 'claude-*=20%'", param, ctx)
        return pattern, found


@click.command("sandbox")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=4010, show_default=True, metavar="P",
    help="The port; 0 takes a free one.",
)  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True, metavar="HOST", help="The address to listen on.")
@click.option(
    "--meter", type=NEW_FILE, metavar="FILE", help="Append a line to this file for each request that is billed."
)
@click.option("--faults", type=EXISTING_FILE, metavar="FILE", help="The script: faults, rate limits, latency (YAML).")
@click.option(
    "--invoice", type=EXISTING_FILE, metavar="METER",
    help="Print the vendors' invoice for this meter, as CSV that `compare` reads, and serve nothing.",
)  # fmt: skip
@click.option(
    "--discount", "discounts", type=Discount(), multiple=True, metavar="MODELS=SHARE",
    help="Off list on the invoice, such as 'claude-*=20%'; may be repeated, the first that fits counts.",
)  # fmt: skip
@out_option
def command(
    port: int,
    host: str,
    meter: Path | None,
    faults: Path | None,
    invoice: Path | None,
    discounts: tuple[tuple[str, Decimal], ...],
    out: Path | None,
) -> int:
    """Run simulated vendors on the real wire, with a meter of their own.

    OpenAI and Anthropic as their clients know them, on one port, until Ctrl-C. Any key will do. Nothing is sent
    anywhere, and an answer's words mean nothing; its tokens are counted and metered as the vendor would.
    """
    try:
        if invoice is not None:
            return _print_invoice(invoice, discounts, out)
        if discounts or out:
            raise click.UsageError("--discount and --out are for --invoice METER")
        from offtake.sandbox.script import read_script
        from offtake.sandbox.serve import listen, serve
    except ModuleNotFoundError as error:
        hint = "pip install 'offtake[gateway]'"
        raise OutsideError("O514", f"the package {error.name} is not installed", hint=hint) from error
    script = read_script(faults)
    serve(listen(host, port), meter, script, _ready)
    return 0


def _print_invoice(meter: Path, discounts: tuple[tuple[str, Decimal], ...], out: Path | None) -> int:
    from offtake.sandbox.invoice import COLUMNS, invoice_of, read_meter

    made = invoice_of(read_meter(meter), discounts)
    render.write(render.csv_text(COLUMNS, made.rows()), out)
    for words in made.unpriced:
        render.note(f"unpriced, and not on the invoice: {words}")
    return 1 if made.unpriced else 0


def _ready(url: str) -> None:
    render.note(f"OPENAI_BASE_URL={url}/openai/v1")
    render.note(f"ANTHROPIC_BASE_URL={url}/anthropic")
