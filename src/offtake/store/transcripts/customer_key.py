"""A customer's data key on disk: made once, whoever needs it first; locked while a call is written; destroyed for good.

Whoever writes a call locks the key's file, shared, and looks whether it still says what it said. Deletion locks it
alone, notes the instant, overwrites the wrapped key and removes the file: from then on every writer sees that its key
is gone, lets go of it, and drops calls that began before that instant. Calls that begin later get a new key.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from offtake.store.files import replacing, sync_folder
from offtake.store.transcripts.seal import KEY_BYTES, Master, SealError
from offtake.values.errors import OutsideError

KEY, DELETED = "key.json", "deleted"
KEY_FILE_BYTES_MAX = 65_536


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class HeldKey:
    """A customer's data key. Calls that began at `after` (microseconds) or before are not to be written with it."""

    customer: str
    id: str
    data_key: bytes
    after: int
    path: Path
    said: bytes

    @contextlib.contextmanager
    def held(self) -> Iterator[bool]:
        """Whether the key is still good; nobody destroys it while the block runs."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            yield False
            return
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            yield _text(descriptor) == self.said
        finally:
            os.close(descriptor)  # and the lock with it


def folder_of(folder: Path, customer: str) -> Path:
    """Where a customer's transcripts are; a digest, since a name may be no file's."""
    return folder / sha256(customer.encode()).hexdigest()[:32]


def hold_key(folder: Path, customer: str, master: Master) -> HeldKey:
    """The customer's key, made where there is none. OutsideError L740: the master key is another one."""
    place = folder_of(folder, customer)
    path = place / KEY
    while True:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            folder.mkdir(mode=0o700, exist_ok=True)
            place.mkdir(mode=0o700, exist_ok=True)
            _make(path, customer, master)
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            said = _text(descriptor)
            if any(said):
                return HeldKey(customer, *_unwrapped(said, customer, master, path), _deleted(place), path, said)
            _bury(descriptor, path)
        finally:
            os.close(descriptor)


def read_data_key(place: Path, master: Master) -> tuple[str, bytes] | None:
    """A customer's key and its id, to read with; None where it was destroyed. OutsideError L740 as `hold_key`."""
    try:
        said = (place / KEY).read_bytes()
    except FileNotFoundError:
        return None
    return _unwrapped(said, customer_of(place) or "", master, place / KEY) if any(said) else None


def wrap_anew(place: Path, old: Master, new: Master) -> bool:
    """Wrap a customer's key by another master key, in its place. False where there is none, or it is wrapped so.

    OutsideError L740: neither master key is the one. Whoever holds the key by the old one lets go of it.
    """
    path = place / KEY
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        said, customer = _text(descriptor), customer_of(place) or ""
        if not any(said) or _opens(said, customer, new, path):
            return False
        text = _wrapped(customer, *_unwrapped(said, customer, old, path), new)
        os.pwrite(descriptor, text.ljust(len(said)), 0)  # as long as before, and less than what a disk writes at once
        os.fsync(descriptor)
        return True
    finally:
        os.close(descriptor)


def destroy_key(place: Path, at: int) -> tuple[str, list[Path]]:
    """Destroy a customer's key; its id ("" where there was none), and the files that nobody reads any more.

    `at`: the instant of the deletion. OSError: nothing was destroyed.
    """
    path = place / KEY
    with replacing(place / DELETED) as file:  # first: whoever makes a new key has to know
        file.write(b"%d\n" % at)
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return "", sorted(place.glob("*.sealed"))
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            said = _text(descriptor)
            if not any(said):
                _bury(descriptor, path)
                continue
            os.pwrite(descriptor, bytes(len(said)), 0)
            os.fsync(descriptor)
            path.unlink()
            sync_folder(place)
            return _id(said), sorted(place.glob("*.sealed"))
        finally:
            os.close(descriptor)


def customer_of(place: Path) -> str | None:
    """The customer of a folder, as its key says; None where there is none."""
    try:
        return str(json.loads((place / KEY).read_bytes())["customer"])
    except (OSError, ValueError, LookupError, TypeError):
        return None


def key_id(place: Path) -> str:
    """The id of the key of a folder; "" where there is none."""
    try:
        return _id((place / KEY).read_bytes())
    except FileNotFoundError:
        return ""


def _make(path: Path, customer: str, master: Master) -> None:
    """Written beside and then linked, so that of two processes one makes it and nobody reads half of it."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.") as file:  # of mode 0600
        file.write(_wrapped(customer, secrets.token_hex(8), secrets.token_bytes(KEY_BYTES), master))
        file.flush()
        os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(file.name, path)
    sync_folder(path.parent)


def _wrapped(customer: str, id: str, key: bytes, master: Master) -> bytes:
    wrapped = master.wrap(key, _bound(id, customer))
    return json.dumps({"customer": customer, "id": id, "wrapped": wrapped.hex()}).encode()


def _unwrapped(said: bytes, customer: str, master: Master, path: Path) -> tuple[str, bytes]:
    try:
        found = json.loads(said)
        id = str(found["id"])
        return id, master.unwrap(bytes.fromhex(found["wrapped"]), _bound(id, customer))
    except (SealError, ValueError, LookupError, TypeError) as error:
        raise OutsideError(
            "L740", f"the master key does not open {path}", why="it is another one, or the file was changed",
            hint="name the master key under which these transcripts began",
        ) from error  # fmt: skip


def _opens(said: bytes, customer: str, master: Master, path: Path) -> bool:
    try:
        _unwrapped(said, customer, master, path)
    except OutsideError:
        return False
    return True


def _bound(id: str, customer: str) -> bytes:
    return json.dumps(["data key", id, customer]).encode()


def _deleted(place: Path) -> int:
    try:
        return int((place / DELETED).read_text())
    except FileNotFoundError:
        return 0


def _id(said: bytes) -> str:
    try:
        return str(json.loads(said)["id"])
    except (ValueError, LookupError, TypeError):
        return ""


def _bury(descriptor: int, path: Path) -> None:
    """Remove a key that was overwritten, where a killed deletion has left it; it may be gone, or be another by now."""
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with contextlib.suppress(FileNotFoundError):
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            path.unlink()


def _text(descriptor: int) -> bytes:
    return os.pread(descriptor, KEY_FILE_BYTES_MAX, 0)
