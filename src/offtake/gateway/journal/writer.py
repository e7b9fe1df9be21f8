"""Writing a worker's journal: one `write` a line on a descriptor that only appends, whole or not at all.

What `append` returned from survives `kill -9` of this process, because the kernel has it; it survives a power cut once
`sync` has returned too (gateway/journal/durable.py groups those).

A full disk: what was written of the line is cut off again and JournalError is raised, so that the request is refused
and nothing is half accepted. A spare file is given up first, and only for lines that end a request: who was let in can
still be settled when nobody new is let in.

The file's lock says that the worker lives: the kernel drops it with the process, however that ends.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
from pathlib import Path
from zlib import crc32

from offtake.gateway.journal.events import End, Event, Intent, Open, encode
from offtake.ledger.lines import line_of
from offtake.store.files import sync_folder
from offtake.values.errors import InputError, OutsideError

SUFFIX, LOCK, SPARE = ".wal", ".lock", ".spare"
ROTATE_BYTES = 64 * 2**20
SPARE_BYTES = 2**20
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class JournalError(OutsideError):
    """The journal cannot take the event: it must not be acted upon."""


class JournalWriter:
    """One worker's journal in `folder`: `<worker>.<sequence>.wal`, locked by `<worker>.lock`.

    `power`: files also survive a power cut once `sync` has returned. InputError for a worker's name that is no plain
    word, JournalError where the folder cannot be written or another process has the name.
    """

    def __init__(self, folder: Path, worker: str, *, power: bool = False, rotate_bytes: int = ROTATE_BYTES) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", worker):
            raise InputError("L701", f"not a worker's name: {worker!r}", hint="letters, digits, - and _ only")
        self.folder, self.worker = folder, worker
        self._power, self._rotate_bytes = power, rotate_bytes
        self._sequence = self._size = 0
        self._fd = -1
        self._broken = ""
        self._has_spare = False
        self._spare = folder / f"{worker}{SPARE}"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = lock(folder, worker)
            self._keep_spare()
            self._open_next()
        except OSError as error:
            raise self._error(error) from error

    def append(self, *events: Event) -> None:
        """Write events as one line, which stands whole or not at all. JournalError: they were not written."""
        payload = encode(events[0] if len(events) == 1 else events)
        line = b"%08x %b\n" % (
            crc32(payload),
            payload,
        )  # as `line_of`, without a call and a copy: it runs twice a request
        if self._broken or not self._has_spare:
            self._check(events)
        try:
            written = os.write(self._fd, line)
            if written == len(line):
                self._size += written
            else:
                self._write_rest(line, written)
        except OSError as error:
            self._again(events, line, error)
        if self._size >= self._rotate_bytes:
            self.rotate()

    def rotate(self) -> None:
        """Finish this file and begin the next. Where that fails, this file goes on."""
        finished = self._fd
        try:
            self._open_next()
        except OSError:
            self._fd = finished
            return
        try:
            os.write(finished, line_of(encode(End(self.worker))) + b"\n")
        except OSError:  # the lock of the worker, and the next file, say as much
            return
        finally:
            if self._power:
                os.fdatasync(finished)
            os.close(finished)

    def sync(self) -> None:
        """Return when all that was appended is on the disk. JournalError, for good, where the disk refuses."""
        self.sync_descriptor(os.dup(self._fd))

    def sync_descriptor(self, descriptor: int) -> None:
        """As `sync`, of a duplicate that is closed after: for a thread, while this one may rotate."""
        try:
            os.fdatasync(descriptor)
        except OSError as error:
            # The kernel forgets what it could not write: a second call that succeeds would prove nothing.
            self._broken = error.strerror or str(error)
            raise self._error(error) from error
        finally:
            os.close(descriptor)

    def duplicate(self) -> int:
        """A descriptor of the present file, for `sync_descriptor`."""
        return os.dup(self._fd)

    def close(self) -> None:
        """Finish the file and give up the name; the ingester then takes back the worker's leases."""
        if self._fd < 0:
            return
        if not self._broken:
            self.append(End(self.worker))
            if self._power:
                self.sync()
        os.close(self._fd)
        self._fd = -1
        self._spare.unlink(missing_ok=True)
        os.close(self._lock)

    def _write_rest(self, line: bytes, written: int) -> None:
        """Write what is left of a line, or cut off what was written of it. OSError says why.

        A disk that fills up takes a part, and refuses the rest with the reason.
        """
        try:
            written += os.write(self._fd, line[written:])
            if written != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            os.ftruncate(self._fd, self._size)
            raise
        self._size += written

    def _again(self, events: tuple[Event, ...], line: bytes, error: OSError) -> None:
        """Try a refused line once more where that can help: in the next file, or in the room of the spare."""
        if os.fstat(self._fd).st_size != self._size:  # what was written of it could not be cut off
            self._broken = error.strerror or str(error)
            raise self._error(error) from error
        if error.errno == errno.EFBIG:
            self.rotate()
        elif self._has_spare and not any(isinstance(event, Intent) for event in events):
            self._spare.unlink(missing_ok=True)
            self._has_spare = False
        else:
            raise self._error(error) from error
        try:
            self._write_rest(line, 0)
        except OSError as second:
            raise self._error(second) from second

    def _check(self, events: tuple[Event, ...]) -> None:
        """Nothing is written after a sync that failed, and nobody is let in while there is no spare."""
        if self._broken:
            raise self._error(None)
        if any(isinstance(event, Intent) for event in events):
            try:
                self._keep_spare()
            except OSError as error:
                self._spare.unlink(missing_ok=True)
                raise self._error(error) from error

    def _keep_spare(self) -> None:
        with self._spare.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, SPARE_BYTES)
        self._has_spare = True

    def _open_next(self) -> None:
        sequence = self._sequence + 1
        path = self.folder / f"{self.worker}.{sequence:06d}{SUFFIX}"
        descriptor = os.open(path, _APPEND, 0o600)
        line = line_of(encode(Open(self.worker, sequence))) + b"\n"
        try:
            if os.write(descriptor, line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if self._power:
                os.fsync(descriptor)
                sync_folder(self.folder)
        except OSError:
            os.close(descriptor)
            path.unlink()
            raise
        self._fd, self._sequence, self._size = descriptor, sequence, len(line)

    def _error(self, error: OSError | None) -> JournalError:
        said = self._broken or (error and (error.strerror or str(error))) or ""
        return JournalError(
            "L702", f"the journal of {self.worker} cannot be written: {said}", why="nothing was accepted",
            hint=f"make room on the disk of {self.folder}",
        )  # fmt: skip


def lock(folder: Path, worker: str) -> int:
    """The descriptor of a worker's lock, held until it is closed. OSError where another process holds it."""
    descriptor = os.open(folder / f"{worker}{LOCK}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
