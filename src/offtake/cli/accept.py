"""`offtake accept`: a model has to pass the buyer's own suite, through the gateway, before it is admitted."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from offtake.cli import render
from offtake.cli.options import EXISTING_FILE, NEW_FILE


@click.command("accept")
@click.argument("model")
@click.option(
    "--suite", type=EXISTING_FILE, required=True, metavar="FILE", help="CSV or YAML: prompt, expected|matches."
)
@click.option(
    "--valid-days", type=click.IntRange(1, 3650), default=90, show_default=True, metavar="N", help="Until when."
)
@click.option(
    "--max-tokens", type=click.IntRange(1), default=1_000, show_default=True, metavar="N", help="Of an answer."
)
@click.option("--url", default="", metavar="URL", help="The gateway's address (default: the configuration's).")
@click.option("--config", type=EXISTING_FILE, metavar="FILE", help="The gateway's configuration.")
@click.option("--out", type=NEW_FILE, metavar="FILE", help="Where the signed result goes (default: beside the suite).")
def command(
    model: str, suite: Path, valid_days: int, max_tokens: int, url: str, config: Path | None, out: Path | None
) -> None:
    """Run your own suite on MODEL through the gateway, and keep the signed result.

    Prints the line for `models.evaluation.admitted`; whether the score is enough, the contract's floor says. The key is
    read from OFFTAKE_GATEWAY_KEY: one of a workload that no suite decides for, since MODEL is not admitted yet.
    """
    from offtake.operations.accept_model import accept

    found = accept(model, suite, datetime.now(UTC).date(), valid_days, max_tokens, config=config, url=url)
    path = out or suite.with_name(f"{suite.stem}.{model.replace('/', '-')}.json")
    render.write(render.json_text(found.document), path)
    render.text(found.admission)
    render.note(f"{found.document['passed']} of {found.document['tasks']} tasks passed; signed in {path}")
