"""`offtake schema`: the JSON Schema of the contract file, for editors and for other languages."""

from __future__ import annotations

import json
from pathlib import Path

import click

from offtake.cli import render
from offtake.cli.options import out_option


@click.command("schema")
@out_option
def command(out: Path | None) -> None:
    """Print the JSON Schema of the contract file.

    The first line of a contract points an editor to it, for completion and checks while typing:

        # yaml-language-server: $schema=contract.schema.json
    """
    from offtake.contract.schema.json_schema import json_schema

    render.write(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n", out)
