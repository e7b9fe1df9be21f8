"""`offtake policy`: what people decide of models while the gateway runs; every worker heeds it within a second."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from offtake.cli import render
from offtake.cli.options import Decorator, format_option, store_options

if TYPE_CHECKING:
    from offtake.ledger.decisions import Decision

_by = click.option("--by", required=True, metavar="NAME", help="Who decides.")
_why = click.option("--why", required=True, metavar="TEXT", help="Why; refusals say it.")
_event = click.option("--event", "why", required=True, metavar="NAME", help="What happened, such as bypass_safety.")


@click.group("policy")
def command() -> None:
    """Suspend a model, or withdraw it from a suite, while the gateway runs.

    Every decision is a line in the ledger's chain, with who and why. Workers heed it within a second.
    """


def _decision(of: str, *options: Decorator[Any]) -> Callable[[Callable[..., None]], click.Command]:
    """A command that decides of a model under a contract or in a suite."""

    def made(function: Callable[..., None]) -> click.Command:
        arguments = (click.argument("subject", metavar=of), click.argument("model"))
        for each in reversed((*arguments, *options, store_options, format_option("table", "json"))):
            function = each(function)
        return command.command(function.__name__)(function)

    return made


@_decision("CONTRACT", _event, _by)
def suspend(**asked: Any) -> None:
    """Send nothing to MODEL (a name or a pattern) under CONTRACT (`*`: each) until the suspension is lifted."""
    _record("suspend", **asked)


@_decision("CONTRACT", _by, _why)
def lift(**asked: Any) -> None:
    """End the suspension of MODEL under CONTRACT, named as `offtake policy list` shows them."""
    _record("lift", **asked)


@_decision("SUITE", _by, _why)
def withdraw(**asked: Any) -> None:
    """End the admission of MODEL by SUITE, an evaluation of `models.evaluation`, before its date."""
    _record("withdraw", **asked)


@_decision("SUITE", _by, _why)
def readmit(**asked: Any) -> None:
    """End a withdrawal: what the contract says of MODEL and SUITE holds again."""
    _record("readmit", **asked)


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Every decision ever made, not only those that hold.")
@store_options
@format_option("table", "json")
def list_all(everything: bool, output_format: str, config: Path | None, store: Path | None) -> None:
    """Show what is suspended and withdrawn now."""
    from offtake.operations.model_decisions import decisions_so_far

    held, every = decisions_so_far(config=config, store=store)
    found = every if everything else held
    if output_format == "json":
        render.write(render.json_text({"decisions": [_document(each) for each in found]}))
    elif not found:
        render.note("nothing is suspended or withdrawn")
    else:
        rows = [
            (f"{_at(each):%Y-%m-%d %H:%M}", each.kind, each.subject, each.model, each.why, each.by) for each in found
        ]
        render.table(("UTC", "decision", "contract or suite", "model", "why", "by"), rows)


def _record(
    kind: str, *, subject: str, model: str, why: str, by: str, output_format: str, config: Path | None,
    store: Path | None,
) -> None:  # fmt: skip
    from offtake.operations.model_decisions import made, record

    decision, models = record(made(kind, subject, model, why, by), config=config, store=store)
    if output_format == "json":
        render.write(render.json_text({**_document(decision), "models": models}))
    else:
        concerned = f" ({', '.join(models)})" if models else ""
        render.note(f"{kind}: {decision.model} under {subject}{concerned}; every worker knows within a second")


def _document(decision: Decision) -> dict[str, object]:
    from dataclasses import asdict

    return {**asdict(decision), "at": _at(decision)}


def _at(decision: Decision) -> object:
    from offtake.store.ledger.history import instant

    return instant(decision.at)
