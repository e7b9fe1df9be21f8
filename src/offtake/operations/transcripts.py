"""What a gateway has kept of its customers' calls: to list, to read one, to check, to purge, to wrap under another key.

Lists and purges read heads and names and need no key; only `show_call` and `check_transcripts` open anything.
"""

from __future__ import annotations

import contextlib
import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from offtake.operations.gateway_store import DEFAULT_CONFIG, store_path
from offtake.operations.serve_config import load_config
from offtake.operations.vendor_keys import transcripts_master
from offtake.store.ledger.history import instant
from offtake.store.ledger.leases import microseconds
from offtake.store.transcripts.customer_key import folder_of, read_data_key, wrap_anew
from offtake.store.transcripts.folder import check_master, customers, files, name_of_customer, purge, transcripts_folder
from offtake.store.transcripts.seal import Master, SealError, master_of
from offtake.store.transcripts.sealed_file import Reading, SealedCall, open_call
from offtake.store.transcripts.span import span_in, worker_in
from offtake.values.errors import Finding, InputError, OutsideError


@dataclass(frozen=True, slots=True)
class Kept:
    """One call, and the head of its file."""

    call: SealedCall
    head: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.call.head["id"])

    @property
    def at(self) -> int:
        return int(self.call.head["at"])

    def row(self) -> dict[str, object]:
        """It as JSON has it."""
        head = self.call.head
        return {
            "id": self.id, "at": instant(self.at), "until": instant(int(self.head["until"])),
            "customer": self.head["customer"],
            **{name: head.get(name) for name in ("key", "workload", "model", "status", "outcome")},
            "request_bytes": self.call.request_bytes, "answer_bytes": self.call.answer_bytes,
        }  # fmt: skip


@dataclass(slots=True)
class Checked:
    """What a check has seen. `torn`: files that end in a call which a killed worker was writing."""

    files: int = 0
    calls: int = 0
    torn: int = 0
    findings: list[Finding] = field(default_factory=list)


def list_calls(last: int, customer: str | None, *, config: Path | None, store: Path | None) -> list[Kept]:
    """The last calls that are kept, of all customers or one, the oldest first."""
    found = _calls(transcripts_folder(store_path(config, store)), customer)
    return sorted(heapq.nlargest(last, found, key=lambda each: each.at), key=lambda each: each.at)


def show_call(id: str, *, config: Path | None) -> tuple[Kept, bytes, bytes]:
    """A call, its request and its answer.

    InputError L741 where none of that id is kept; OutsideError L740 for the wrong master key, L742 for a changed call.
    """
    folder, master = _opened(config)
    kept = next((each for each in _calls(folder, None, id) if each.id == id), None)
    if kept is None:
        raise InputError("L741", f"no call {id} is kept", hint="`offtake transcripts list` shows what is")
    key = read_data_key(kept.call.path.parent, master)
    if key is None:
        raise InputError("L741", f"the call {id} was deleted", why="its customer's key was destroyed")
    try:
        return kept, *open_call(kept.call, kept.head, key[1])
    except SealError as error:
        raise OutsideError(
            "L742", f"the call {id} cannot be opened", why=f"{kept.call.path} was changed since it was written",
            hint="restore it from a backup",
        ) from error  # fmt: skip
    except FileNotFoundError as error:
        raise InputError("L741", f"no call {id} is kept", why="its time is over") from error


def check_transcripts(*, config: Path | None) -> Checked:
    """Open everything that is kept; what was changed is a finding. OutsideError L740 for the wrong master key."""
    folder, master = _opened(config)
    check_master(folder, master)
    checked = Checked()
    for place in customers(folder):
        try:
            key = read_data_key(place, master)
        except OutsideError as error:
            checked.findings += error.findings
            continue
        for file in files(place):
            checked.files += 1
            checked.findings += [_changed(file.path, why) for why in _faults(file, key, checked)]
            checked.torn += file.torn_bytes > 0
    return checked


def rekey_transcripts(old: Path, *, config: Path | None) -> int:
    """Wrap all customers' keys by the master key of the configuration; how many. `old`: a file with the one before.

    OutsideError: G703 for a file that holds no master key, L740 where a customer's key opens with neither.
    """
    folder, master = _opened(config)
    before = master_of(old.read_text(errors="replace").strip())
    if before is None:
        raise OutsideError("G703", f"{old} holds no master key", hint="64 hex digits, or base64 of 32 bytes")
    return sum(wrap_anew(place, before, master) for place in customers(folder))


def purge_transcripts(now: datetime, *, config: Path | None, store: Path | None) -> tuple[int, int]:
    """Remove what is over by now; how many files, and their bytes. A configuration's fewer hours hold for all."""
    settings = load_config(config or DEFAULT_CONFIG).settings.transcripts if store is None else None
    folder = transcripts_folder(store_path(config, store))
    return purge(folder, microseconds(now), settings.hours if settings else None)


def _calls(folder: Path, customer: str | None, id: str = "") -> Iterator[Kept]:
    """What is kept, of one customer or all; of an id the files of its worker only."""
    if customer is not None and not folder_of(folder, customer).is_dir():
        raise nothing_kept(folder, customer)
    for place in customers(folder) if customer is None else [folder_of(folder, customer)]:
        for file in files(place):
            if not id or f"_{worker_in(file.path)}_" in id:
                with contextlib.suppress(FileNotFoundError):
                    yield from (Kept(call, file.head) for call in file.calls())


def nothing_kept(folder: Path, customer: str) -> InputError:
    """The error where nothing is there of a customer."""
    names = sorted(name for place in customers(folder) if (name := name_of_customer(place)) is not None)
    known = ", ".join(repr(name) for name in names[:10]) or "nobody"
    return InputError(
        "L741", f"nothing is kept of the customer {customer!r}", hint=f"there are transcripts of: {known}"
    )


def _opened(config: Path | None) -> tuple[Path, Master]:
    """The folder of a configuration, and its master key."""
    loaded = load_config(config or DEFAULT_CONFIG)
    settings = loaded.settings.transcripts
    if settings is None:
        raise OutsideError(
            "G703", f"no master key: {loaded.file} has no [transcripts]", hint="name its key there, also to read only"
        )
    return transcripts_folder(loaded.store), transcripts_master(loaded, settings.key)


def _faults(file: Reading, key: tuple[str, bytes] | None, checked: Checked) -> Iterator[str]:
    """What is wrong with a file; its calls are counted."""
    if file.head and span_in(file.path) != (file.head["from"], file.head["until"]):
        yield "its name says another time than its head"
    if file.head and (key is None or key[0] != file.head["key"]):
        yield "its key was destroyed: `offtake transcripts delete` removes it"
        return
    try:
        for call in file.calls():
            try:
                open_call(call, file.head, key[1] if key else b"")
                checked.calls += 1
            except SealError:
                yield f"call {call.number + 1} was changed since it was written"
    except FileNotFoundError:  # its time was over just now
        return
    if file.damaged:
        yield file.damaged


def _changed(path: Path, why: str) -> Finding:
    return Finding("L742", "error", f"{path} is not what was written", why=why)
