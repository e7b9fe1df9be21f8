"""Files that are written whole or not at all.

A command that is interrupted, or a disk that is full, must leave the file that was there before, never half of the new
one.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from offtake.values.errors import OutsideError


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A new file beside `path`, which takes its place when the block ends well and is removed when it does not."""
    with replacing_path(path) as beside, beside.open("wb") as file:
        yield file
        file.flush()
        if beside != path:  # on the disk before it takes the old one's place; a device has no disk
            os.fsync(file.fileno())


@contextmanager
def replacing_path(path: Path) -> Iterator[Path]:
    """As `replacing`, for a writer that opens the file itself, such as DuckDB's COPY: gives the path to write to.

    A link stays a link; what is no file, such as /dev/null, is written to as it is. OutsideError where there is no
    such folder, or none that may be written to.
    """
    if path.exists() and not path.is_file():
        yield path
        return
    target = path.resolve()
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=target.suffix)
    except OSError as error:
        raise OutsideError("O510", f"cannot write {path}: {error.strerror}", hint="name another folder") from error
    os.close(handle)
    beside = Path(name)
    try:
        yield beside
        beside.chmod(0o666 & ~_umask())
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def temporary_folder(parent: Path | None = None) -> Iterator[Path]:
    """A folder that is gone when the block ends, however it ends. OutsideError where none can be made."""
    try:
        folder = tempfile.TemporaryDirectory(prefix="offtake-", dir=parent)
    except OSError as error:
        raise OutsideError(
            "O510", f"cannot make a temporary folder: {error.strerror}", hint="set TMPDIR to a folder with room"
        ) from error
    with folder as name:
        yield Path(name)


def sync_folder(folder: Path) -> None:
    """Return when the names in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    """The process's umask; the only way to read it is to set it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
