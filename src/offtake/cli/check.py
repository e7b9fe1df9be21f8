"""`offtake check`: everything that is wrong with a contract, and everything that could surprise."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from offtake.cli import render
from offtake.cli.options import EXISTING_FILE, catalog_option, format_option, out_option, stance_option, strict_option

if TYPE_CHECKING:
    from offtake.operations.check_contract import Checked


@click.command("check")
@click.argument("contract", type=EXISTING_FILE)
@catalog_option
@strict_option
@stance_option
@format_option("table", "json")
@out_option
def command(
    contract: Path, catalogs: tuple[Path, ...], strict: bool, stance: str | None, output_format: str, out: Path | None
) -> int:
    """Check a contract: every use priced exactly once, every term with an effect.

    Exit code 3 with errors; warnings alone are 0, or 1 with --strict.
    """
    from offtake.operations.check_contract import check_contract

    checked = check_contract(contract, catalogs=catalogs, stance=stance)
    if output_format == "json":
        render.write(render.json_text(_document(checked)), out)
    else:
        lines = [str(finding) for finding in checked.findings]
        render.write("".join(f"{line}\n" for line in [*lines, _verdict(contract, checked)]), out)
    if checked.errors:
        return 3
    return 1 if strict and checked.findings else 0


def _verdict(contract: Path, checked: Checked) -> str:
    warnings = len(checked.findings) - checked.errors
    if not checked.findings:
        return f"{contract}: every use has one price and one policy"
    return f"{contract}: {_counted(checked.errors, 'error')}, {_counted(warnings, 'warning')}"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _document(checked: Checked) -> dict[str, object]:
    contract = checked.contract
    findings = [
        {
            "code": finding.code,
            "severity": finding.severity,
            "what": finding.what,
            "where": str(finding.where) if finding.where else None,
            "path": finding.path,
            "why": finding.why,
            "hint": finding.hint,
        }
        for finding in checked.findings
    ]
    return {
        "contract": contract.signed.contract if contract else None,
        "contract_hash": contract.hash if contract else None,
        "errors": checked.errors,
        "warnings": len(findings) - checked.errors,
        "findings": findings,
    }
