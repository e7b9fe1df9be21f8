"""The folder of transcripts, beside the ledger: what is there, what is over, and what one customer's deletion takes.

A folder for each customer holds `key.json` (the data key, wrapped), `deleted` (the instant of the last deletion, where
there was one) and the sealed files, each of a span of minutes. `certificates` holds those of deletions.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

from offtake.store.transcripts.customer_key import customer_of, destroy_key, folder_of, read_data_key
from offtake.store.transcripts.seal import Master
from offtake.store.transcripts.sealed_file import Reading
from offtake.store.transcripts.span import due_at
from offtake.values.errors import OutsideError

CERTIFICATES = "certificates"


def transcripts_folder(store: Path) -> Path:
    """Where a gateway's transcripts are: beside its ledger."""
    return store.with_name(f"{store.name}.transcripts")


@dataclass(frozen=True, slots=True)
class Gone:
    """A file that is no more: its ciphertext's SHA-256, and what its heads said."""

    name: str
    bytes: int
    sha256: str
    calls: int
    first_at: int | None
    last_at: int | None


def customers(folder: Path) -> list[Path]:
    """The folders of all customers."""
    if not folder.is_dir():
        return []
    return sorted(each for each in folder.iterdir() if each.is_dir() and each.name != CERTIFICATES)


def name_of_customer(place: Path) -> str | None:
    """Whose folder it is, as its key says, or a file where the key is destroyed; None where nothing says it."""
    named = customer_of(place)
    if named is not None:
        return named
    for path in sorted(place.glob("*.sealed")):
        with contextlib.suppress(OSError):
            if said := Reading(path).head.get("customer"):
                return str(said)
    return None


def check_master(folder: Path, master: Master) -> None:
    """OutsideError L740 where the folder has customers' keys and the master key opens none of them."""
    problem = None
    for place in customers(folder):
        try:
            if read_data_key(place, master) is not None:
                return
        except OutsideError as error:
            problem = problem or error
    if problem is not None:
        raise problem


def files(place: Path) -> Iterator[Reading]:
    """The files of a customer, the oldest first; what goes meanwhile is left out."""
    for path in sorted(place.glob("*.sealed")):
        try:
            found = Reading(path)
        except FileNotFoundError:
            continue
        yield found


def purge(folder: Path, now: int, hours: int | None = None) -> tuple[int, int]:
    """Remove files whose time is over; how many, and their bytes. `hours`: what was to be kept for longer goes too.

    A name that is none of ours stays: nobody knows what it is.
    """
    due = due_at(now, hours)
    removed = removed_bytes = 0
    for place in customers(folder):
        for path in [path for path in place.iterdir() if due.takes(path.name)]:
            with contextlib.suppress(FileNotFoundError):
                size = path.stat().st_size
                path.unlink()
                removed, removed_bytes = removed + 1, removed_bytes + size
    return removed, removed_bytes


def delete(folder: Path, customer: str, now: int) -> tuple[str, list[Gone]] | None:
    """Destroy a customer's key, and then all files under it: the key's id ("" where none was left), and the files.

    None where nothing was kept. Killed in between, the key is gone; a second call removes the files.
    """
    place = folder_of(folder, customer)
    if not place.is_dir():
        return None
    key, paths = destroy_key(place, now)
    if not key and not paths:
        return None
    found = []
    for path in paths:
        with contextlib.suppress(FileNotFoundError):  # its time was over just now
            found.append(_gone(path))
            path.unlink()
    return key, found


def _gone(path: Path) -> Gone:
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
        size = file.tell()
    calls, first_at, last_at = 0, None, None
    for call in Reading(path).calls():
        at = int(call.head["at"])
        calls += 1
        first_at, last_at = min(first_at or at, at), max(last_at or at, at)
    return Gone(path.name, size, digest, calls, first_at, last_at)
