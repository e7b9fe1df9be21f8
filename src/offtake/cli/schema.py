"""`offtake schema`: the JSON Schemas of our files, for editors and for other languages."""

from __future__ import annotations

import json
from pathlib import Path

import click

from offtake.cli import render
from offtake.cli.options import out_option


@click.command("schema")
@click.argument("file", type=click.Choice(["contract", "negotiation", "reference"]), default="contract")
@out_option
def command(file: str, out: Path | None) -> None:
    """Print the JSON Schema of the contract file or of the negotiation file, or the reference page of all terms.

    The first line of a contract points an editor to its schema, for completion and checks while typing:

        # yaml-language-server: $schema=contract.schema.json
    """
    from offtake.contract.reference import reference
    from offtake.contract.schema.json_schema import json_schema, negotiation_schema

    if file == "reference":
        render.write(reference(), out)
        return
    schema = json_schema() if file == "contract" else negotiation_schema()
    render.write(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", out)
