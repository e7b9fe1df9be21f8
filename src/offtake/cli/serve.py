"""`offtake serve`: the gateway."""

from __future__ import annotations

from pathlib import Path

import click

from offtake.cli import render


@click.command("serve")
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    default=Path("offtake.toml"),
    show_default=True,
    metavar="FILE",
    help="The configuration.",
)
@click.option("--port", type=click.IntRange(0, 65_535), help="Listen there instead; 0 takes a free port.")
@click.option("--workers", type=click.IntRange(1, 256), help="So many processes instead.")
@click.option("--example", is_flag=True, help="Print an annotated configuration, and serve nothing.")
def command(file: Path, port: int | None, workers: int | None, example: bool) -> None:
    """Serve every call under the contract: admitted, held, routed, forwarded, settled, written down.

    Clients change one variable: OPENAI_BASE_URL=http://127.0.0.1:8700/v1 or ANTHROPIC_BASE_URL=http://127.0.0.1:8700,
    with a key of `offtake keys create` in place of the vendor's.

    SIGHUP, or a contract file that changes, makes the workers read the contracts again. SIGTERM and Ctrl-C let
    requests in flight come to their end.
    """
    if example:
        from offtake.store.shipped import shipped

        render.write(shipped("contracts/offtake.toml").read_text("utf-8"))
        return
    from offtake.gateway.serve import serve

    serve(file, port, workers, render.note)
