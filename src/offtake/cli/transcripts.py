"""`offtake transcripts`: what the gateway keeps of customers who opted in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from offtake.cli import render
from offtake.cli.options import EXISTING_FILE, NEW_FILE, format_option, store_options
from offtake.values.counting import counted

if TYPE_CHECKING:
    from offtake.operations.transcripts import Kept

_config = click.option(
    "--config", type=EXISTING_FILE, metavar="FILE", help="The gateway's configuration (default: offtake.toml here)."
)


@click.group("transcripts")
def command() -> None:
    """List, read, check, purge and delete calls that were kept of customers who opted in.

    Nothing is kept unless `[transcripts]` of the configuration says so.
    """


@command.command("list")
@click.option("--customer", metavar="NAME", help="Of one customer.")
@click.option("--last", type=click.IntRange(1), default=100, show_default=True, metavar="N", help="So many at most.")
@store_options
@format_option("table", "json")
def list_all(customer: str | None, last: int, output_format: str, config: Path | None, store: Path | None) -> None:
    """Show what is kept: when, which call, whose, how much, until when. Content stays sealed, and no key is needed."""
    from offtake.operations.transcripts import list_calls

    found = list_calls(last, customer, config=config, store=store)
    if output_format == "json":
        render.write(render.json_text({"calls": [each.row() for each in found]}))
    elif not found:
        render.note("nothing is kept")
    else:
        sizes = ("request bytes", "answer bytes")
        render.table(
            ("UTC", "id", "customer", "workload", "model", "outcome", *sizes, "kept until"),
            map(_row, found),
            right=sizes,
        )


@command.command("show")
@click.argument("id")
@click.option("--part", type=click.Choice(["both", "request", "answer"]), default="both", show_default=True,
              help="What of it.")  # fmt: skip
@_config
@format_option("table", "json")
def show(id: str, part: str, output_format: str, config: Path | None) -> None:
    """Decrypt the call ID (the `offtake-request-id` of its answer) to stdout: what its client sent, and what it got."""
    from offtake.operations.transcripts import show_call

    kept, request, answer = show_call(id, config=config)
    texts = {"request": request.decode(errors="replace"), "answer": answer.decode(errors="replace")}
    wanted = texts if part == "both" else {part: texts[part]}
    if output_format == "json":
        render.write(render.json_text({**kept.row(), **wanted}))
    else:
        render.note(", ".join(str(value) for value in (id, *_row(kept)[2:6]) if value))
        render.write("\n\n".join(wanted.values()) + "\n")


@command.command("delete")
@click.option("--customer", required=True, metavar="NAME", help="Whose.")
@click.option("--by", required=True, metavar="NAME", help="Who answers for it.")
@click.option("--out", type=NEW_FILE, metavar="FILE", help="A copy of the certificate.")
@store_options
@format_option("table", "json")
def delete(
    customer: str, by: str, out: Path | None, output_format: str, config: Path | None, store: Path | None
) -> None:
    """Destroy a customer's key and all that is kept of it, for good, and sign a certificate of what that was.

    The gateway may run: calls that have begun are not kept either, and calls that begin later get a new key. Take the
    customer out of `[transcripts]` first where nothing more is to be kept.
    """
    from offtake.operations.delete_transcripts import delete_transcripts

    document, path = delete_transcripts(customer, by, datetime.now(UTC), config=config, store=store)
    if out is not None:
        render.write(render.json_text(document), out)
    if output_format == "json":
        render.write(render.json_text(document))
    else:
        render.note(f"{_gone(document)}; certificate in {path}")


@command.command("verify")
@click.argument("certificate", required=False, type=EXISTING_FILE)
@store_options
@format_option("table", "json")
def verify(certificate: Path | None, output_format: str, config: Path | None, store: Path | None) -> int:
    """Check a CERTIFICATE and that nothing of it is left; without one, that all that is kept opens unchanged.

    The exit code is 1 where something does not hold. A file may end in a call that a killed worker was writing: it is
    counted, and is no finding.
    """
    if certificate is not None:
        return _verify_certificate(certificate, output_format, config, store)
    from offtake.operations.transcripts import check_transcripts

    if store is not None:
        raise click.UsageError("the master key is named in a configuration: --config FILE")
    found = check_transcripts(config=config)
    if output_format == "json":
        findings = [{"code": each.code, "what": each.what, "why": each.why} for each in found.findings]
        counts = {"files": found.files, "calls": found.calls, "torn": found.torn}
        render.write(render.json_text({"whole": not findings, **counts, "findings": findings}))
        return 1 if found.findings else 0
    for each in found.findings:
        render.note(str(each))
    verdict = counted(len(found.findings), "finding") if found.findings else "whole"
    torn = f", {counted(found.torn, 'unfinished call')}" if found.torn else ""
    render.text(f"{counted(found.files, 'file')}, {counted(found.calls, 'call')}{torn}: {verdict}")
    return 1 if found.findings else 0


@command.command("purge")
@store_options
@format_option("table", "json")
def purge(output_format: str, config: Path | None, store: Path | None) -> None:
    """Remove what has been kept for its hours. The gateway does so while it runs; this is for when it does not."""
    from offtake.operations.transcripts import purge_transcripts

    files, size = purge_transcripts(datetime.now(UTC), config=config, store=store)
    if output_format == "json":
        render.write(render.json_text({"files": files, "bytes": size}))
    else:
        render.note(f"removed {counted(files, 'file')}, {counted(size, 'byte')}")


@command.command("rekey")
@click.option("--old", type=EXISTING_FILE, required=True, metavar="FILE", help="A file with the master key so far.")
@_config
@format_option("table", "json")
def rekey(old: Path, output_format: str, config: Path | None) -> None:
    """Wrap the customers' keys by the master key that the configuration names now; no call is sealed anew.

    Restart the gateway right after: until then it cannot keep calls, which it counts as failed.
    """
    from offtake.operations.transcripts import rekey_transcripts

    wrapped = rekey_transcripts(old, config=config)
    if output_format == "json":
        render.write(render.json_text({"keys": wrapped}))
    else:
        render.note(f"wrapped {counted(wrapped, 'key')} anew")


def _verify_certificate(certificate: Path, output_format: str, config: Path | None, store: Path | None) -> int:
    from offtake.operations.delete_transcripts import check_certificate

    document, left = check_certificate(certificate, config=config, store=store)
    if output_format == "json":
        render.write(render.json_text({"signed": True, "left": left, **document}))
    else:
        for name in left:
            render.note(f"still there: {name}")
        render.text(f"signed by this store: {_gone(document)}, {document['deleted_at']}, by {document['by']}")
    return 1 if left else 0


def _gone(document: dict[str, Any]) -> str:
    files = counted(len(document["files"]), "file")
    return f"{counted(document['calls'], 'call')} of {document['customer'] or '(none)'} destroyed in {files}"


def _row(kept: Kept) -> Sequence[str]:
    row: dict[str, Any] = kept.row()
    names = (str(row[name] or "(none)") for name in ("customer", "workload", "model", "outcome"))
    sizes = (f"{row[name]:,}" for name in ("request_bytes", "answer_bytes"))
    return (f"{row['at']:%Y-%m-%d %H:%M:%S}", kept.id, *names, *sizes, f"{row['until']:%Y-%m-%d %H:%M}")
