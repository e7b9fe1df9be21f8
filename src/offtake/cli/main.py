"""The `offtake` command: a group that loads a command's module only when the command runs.

The table below holds each command's module and its one-line summary, so that `offtake --help` and `--version` import
nothing heavy. A command is a click command named `command` in its module; what it returns is the exit code (None
is 0). Every error ends in `main`, in one place: words on stderr, a stable exit code, no traceback for bad input.

Exit codes: 0 done · 1 findings, or the reader of a pipe left · 2 usage · 3 contract or catalogue · 4 the world
outside · 130 interrupted.
"""

from __future__ import annotations

import difflib
import gc
import importlib
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from offtake import __version__
from offtake.values.errors import OfftakeError, OutsideError

# Section → command → (module in offtake.cli, summary).
SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "Start": {
        "demo": ("demo", "Show a month, a contract and a wrong bill: what was overbilled, and why."),
        "init": ("init", "Write a ten-line contract from three questions."),
    },
    "The contract": {
        "check": ("check", "Check a contract: every use priced exactly once, every term with an effect."),
        "show": ("show", "Show the terms in force at an instant, and why they hold."),
        "diff": ("diff", "Compare two contracts, or two dates of one, term by term."),
        "test": ("scenarios", "Run scenarios: contract + usage → expected lines."),
        "schema": ("schema", "Print the JSON Schema of the contract file."),
    },
    "The money": {
        "rate": ("rate", "Price usage under a contract, line by line."),
        "compare": ("compare", "Compare a vendor's bill with what the contract says."),
        "status": ("status", "Show what is left of each commitment, and where it is heading."),
        "explain": ("explain", "Derive one line from its clauses, step by step."),
        "estimate": ("estimate", "Price a workload before it runs: list, cache, batch, both."),
    },
    "The plan": {
        "profile": ("profile", "Show what traffic is like, and which lever moves its bill."),
        "levers": ("levers", "Weigh what pays without a contract, and what may be asked for."),
        "cache": ("cache", "Replay a trace under a prompt cache: what each policy would cost."),
        "route": ("route", "Find the cheapest model that passes your own evaluation."),
        "plan": ("plan", "Say what to sign, at which level, and what to send where."),
        "commit": ("commit", "Say how much to commit, judged on your own last periods."),
        "value": ("value", "Say what each clause of a contract is worth, in dollars a year."),
        "crossover": ("crossover", "Show from where on a direct deal is cheaper than an aggregator."),
        "deployment": ("deployment", "Weigh a private deployment against a price a token."),
    },
    "The gateway": {
        "serve": ("serve", "Serve every call under the contract: admitted, routed, settled, written down."),
        "keys": ("keys", "Make, list, rotate and revoke the keys that open the gateway."),
        "accept": ("accept", "Run your own suite on a model through the gateway, and sign the result."),
        "baseline": ("baseline", "Keep latency, failures and quality at signing, and say what is worse since."),
        "traffic": ("traffic", "Show what the gateway serves: requests as they end, and sums."),
        "policy": ("policy", "Suspend a model, or withdraw it from a suite, while the gateway runs."),
        "transcripts": ("transcripts", "List, read, check and delete calls kept of customers who opted in."),
        "ledger": ("ledger", "Export and verify what the gateway has written down."),
        "sandbox": ("sandbox", "Run simulated vendors on the real wire, with a meter of their own."),
    },
    "The data": {
        "import": ("import_usage", "Read a foreign usage file into usage records."),
        "export": ("export", "Write rated usage for other tools, such as FOCUS."),
        "catalog": ("catalog", "Show, lock and compare list prices."),
    },
}
COMMANDS = {name: row for section in SECTIONS.values() for name, row in section.items()}
INTERRUPTED = 130


class LazyGroup(click.Group):
    """A group whose commands are named in `COMMANDS` and imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now; None for a name that is not in the table."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"offtake.cli.{COMMANDS[cmd_name][0]}").command
        if not isinstance(command, click.Command):
            raise TypeError(f"offtake.cli.{COMMANDS[cmd_name][0]}.command is not a click command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command to run; a name that is not in the table fails with the nearest one that is."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            nearest = difflib.get_close_matches(args[0], COMMANDS, n=1)
            ctx.fail(f"No such command {args[0]!r}." + (f" Did you mean {nearest[0]!r}?" if nearest else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The sections of the table, from the table alone."""
        for section, commands in SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl([(name, summary) for name, (_, summary) in commands.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
def offtake() -> None:
    """Run your LLM contract: price each clause on your own traffic, and catch what the bill gets wrong.

    A first look: offtake demo
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    gc.set_threshold(50_000, 20, 20)  # cycles are rare here, and to look for them so often takes a tenth of the time
    try:
        code = run(arguments)
    except KeyboardInterrupt:  # an engine that was stopped in a query raises the signal once more
        code = INTERRUPTED
    if code == INTERRUPTED:
        # Python would end by the signal where it met the interrupt inside of an exec, although it was handled.
        os._exit(code)
    sys.exit(code)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code. The one place where errors become words."""
    _prepare_streams()
    try:
        result = offtake.main(args=arguments, prog_name="offtake", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except OfftakeError as error:
        click.echo(str(error), err=True)
        return error.exit_code
    except BrokenPipeError:
        # The reader of a pipe, such as `head`, has left. Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        outside = OutsideError("O510", _words(error), hint="check the path, its permissions and the room on the disk")
        click.echo(str(outside), err=True)
        return outside.exit_code


def _prepare_streams() -> None:
    """Data is UTF-8 in a file or pipe, whatever the locale; a terminal shows what it cannot write as an escape.

    A stream that was closed (`>&-`) swallows what is written to it.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 (open until the end)
    if isinstance(sys.stdout, io.TextIOWrapper):
        encoding = sys.stdout.encoding if sys.stdout.isatty() else "utf-8"
        sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")


def _words(error: OSError) -> str:
    what = error.strerror or str(error)
    return f"{error.filename}: {what}" if error.filename else what
