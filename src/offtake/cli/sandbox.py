"""`offtake sandbox`: simulated vendors on the real wire, with a meter of their own."""

from __future__ import annotations

from pathlib import Path

import click

from offtake.cli import render
from offtake.cli.options import EXISTING_FILE, NEW_FILE
from offtake.values.errors import OutsideError


@click.command("sandbox")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=4010,
    show_default=True,
    metavar="P",
    help="The port; 0 takes a free one.",
)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="HOST", help="The address to listen on.")
@click.option(
    "--meter", type=NEW_FILE, metavar="FILE", help="Append a line to this file for each request that is billed."
)
@click.option("--faults", type=EXISTING_FILE, metavar="FILE", help="The script: faults, rate limits, latency (YAML).")
def command(port: int, host: str, meter: Path | None, faults: Path | None) -> None:
    """Run simulated vendors on the real wire, with a meter of their own.

    OpenAI and Anthropic as their clients know them, on one port, until Ctrl-C. Any key will do. Nothing is sent
    anywhere, and an answer's words mean nothing; its tokens are counted and metered as the vendor would.
    """
    try:
        from offtake.sandbox.serve import listen, serve
    except ModuleNotFoundError as error:
        raise OutsideError(
            "O514", f"the package {error.name} is not installed", hint="pip install 'offtake[gateway]'"
        ) from error
    from offtake.sandbox.script import read_script

    script = read_script(faults)
    serve(listen(host, port), meter, script, _ready)


def _ready(url: str) -> None:
    render.note(f"OPENAI_BASE_URL={url}/openai/v1")
    render.note(f"ANTHROPIC_BASE_URL={url}/anthropic")
