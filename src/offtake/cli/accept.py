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
@click.option("--out", type=NEW_FILE, metavar="FILE", help="Where the signed result goes instead.")
def command(
    model: str, suite: Path, valid_days: int, max_tokens: int, url: str, config: Path | None, out: Path | None
) -> None:
    """Run your own suite on MODEL through the gateway, and keep the signed result.

    It is kept beside each contract that names the suite (FILE without its ending) in `models.evaluation`, where a
    running gateway reads it: MODEL is admitted if the score reaches the contract's floor. Where no contract names it,
    it is kept beside the suite. Prints the line for `models.evaluation.admitted`, for whoever wants it there. The key
    is read from OFFTAKE_GATEWAY_KEY: one of a workload that no suite decides for, since MODEL is not admitted yet.
    """
    from offtake.operations.accept_model import accept, keep

    found = accept(model, suite, datetime.now(UTC).date(), valid_days, max_tokens, config=config, url=url)
    render.text(found.admission)
    text, files = render.json_text(found.document), found.files
    if out or not files:
        files = (out or suite.with_name(f"{suite.stem}.{model.replace('/', '-')}.json"),)
        render.write(text, files[0])
    else:
        keep(text, files)
    passed = f"{found.document['passed']} of {found.document['tasks']} tasks passed"
    render.note(f"{passed}; signed in {', '.join(map(str, files))}")
    for contract, short in found.short.items():
        render.note(f"{contract}: {short or 'reaches the floor, until ' + str(found.document['until'])}")
    if not found.short:
        render.note(
            f"no contract that sells {model} names {suite.stem} in models.evaluation: it admits nothing by itself"
        )
