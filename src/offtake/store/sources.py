"""Opening what people hand us: paths and patterns, gzip, encodings. What makes a file unreadable is named here.

A bad row is the reader's business (it is rejected and kept); a file that cannot be decoded ends the run, because
what it holds cannot be known.
"""

from __future__ import annotations

import glob
import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from offtake.usage.rows import TextSource
from offtake.values.errors import InputError, Place

HEAD_BYTES = 65_536
Progress = Callable[[int, int], None]
"""Called with (bytes read, bytes in all) of a file."""

_GZIP = b"\x1f\x8b"
_SQLITE = b"SQLite format 3\0"
_PARQUET = b"PAR1"
_FOREIGN = {
    b"\xff\xfe": ("U142", "UTF-16 text", "save it as UTF-8"),
    b"\xfe\xff": ("U142", "UTF-16 text", "save it as UTF-8"),
    b"PK\x03\x04": ("U146", "a zip archive or a spreadsheet", "unpack it, or export CSV"),
    b"\x28\xb5\x2f\xfd": ("U146", "zstd-compressed", "unpack it with `zstd -d`, or use gzip"),
    b"BZh": ("U146", "bzip2-compressed", "unpack it with `bunzip2`, or use gzip"),
}


def found_files(patterns: Iterable[str | Path]) -> tuple[Path, ...]:
    """The files that paths and patterns name, each once, in the order given; a pattern's own in order of name.

    InputError for a path or pattern that names nothing, for a folder, and for a pipe.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        path = Path(pattern)
        if path.exists():
            matches = [path]
        else:
            matches = sorted(Path(name) for name in glob.glob(str(pattern), recursive=True))  # noqa: PTH207 (absolute patterns)
        if not matches:
            raise InputError(
                "U140", f"no such file: {pattern}", hint="check the path; quote a pattern such as 'logs/*.jsonl'"
            )
        for match in matches:
            if match.is_dir():
                raise InputError(
                    "U141", "this is a folder", where=Place(str(match)), hint=f"name its files: '{match}/*'"
                )
            if not match.is_file():
                raise InputError(
                    "U141", "this is a pipe or a device, and no file", where=Place(str(match)),
                    why="a file is read more than once", hint="write it to a file first",
                )  # fmt: skip
            found[match] = None
    return tuple(found)


def is_parquet(path: Path) -> bool:
    """Whether a file says that it is Parquet: by its first bytes or, where it has none, by its name."""
    with _opened(path) as file:
        head = file.read(len(_PARQUET))
    return head == _PARQUET or (not head and path.suffix == ".parquet")


def is_sqlite(path: Path) -> bool:
    """Whether a file is an SQLite database, as a gateway's ledger is."""
    with _opened(path) as file:
        return file.read(len(_SQLITE)) == _SQLITE


def head_of(path: Path) -> bytes:
    """The first 64 KiB of the text. InputError where they are none."""
    with _opened(path) as raw, _plain(raw, path) as file, _readable(path):
        head = file.read(HEAD_BYTES)
    if b"\0" in head:
        raise InputError(
            "U142", f"the file is no text: byte {head.index(0) + 1:,} is zero", where=Place(str(path)),
            hint="export it as CSV or JSON; if it is UTF-16 text, save it as UTF-8",
        )  # fmt: skip
    return head


def text_source(path: Path, progress: Progress | None = None) -> TextSource:
    """A text file's lines, decoded as they are read; the file closes with the last one."""
    return TextSource(str(path), _lines(path, progress))


def _lines(path: Path, progress: Progress | None) -> Iterator[str]:
    size = path.stat().st_size
    at = 0
    with _opened(path) as raw, _plain(raw, path) as file, _readable(path):
        for number, line in enumerate(file, 1):
            try:
                decoded = line.decode("utf-8")
            except UnicodeDecodeError as error:
                raise InputError(
                    "U142",
                    f"byte {at + error.start + 1:,} is not UTF-8: 0x{line[error.start]:02x}",
                    where=Place(str(path), number),
                    why="usage files are read as UTF-8 only, so that no name is misread",
                    hint=f"convert it: iconv -f WINDOWS-1252 -t UTF-8 {path.name}",
                ) from error
            at += len(line)
            yield decoded.removeprefix("\ufeff") if number == 1 else decoded
            if progress and number % 10_000 == 0:
                progress(raw.tell(), size)
    if progress:
        progress(size, size)


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise InputError("U140", f"no such file: {path}", hint="check the path") from error
    except IsADirectoryError as error:
        raise InputError("U141", f"{path} is a folder", hint=f"name its files: '{path}/*'") from error
    except PermissionError as error:
        raise InputError("U147", f"no permission to read {path}", where=Place(str(path))) from error
    with file:
        yield file


@contextmanager
def _plain(raw: IO[bytes], path: Path) -> Iterator[IO[bytes]]:
    head = raw.read(4)
    raw.seek(0)
    for mark, (code, what, hint) in _FOREIGN.items():
        if head.startswith(mark):
            raise InputError(code, f"the file is {what}", where=Place(str(path)), hint=hint)
    if head.startswith(_GZIP):
        with gzip.GzipFile(fileobj=raw) as unpacked:
            yield io.BufferedReader(unpacked)
    else:
        yield raw


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except EOFError as error:
        raise InputError(
            "U143", "the gzip file ends too early", where=Place(str(path)),
            why="it was cut off, so rows at its end are missing", hint="fetch or compress it again",
        ) from error  # fmt: skip
    except (gzip.BadGzipFile, zlib.error) as error:
        raise InputError(
            "U143", f"the gzip file is damaged: {error}", where=Place(str(path)), hint="fetch or compress it again"
        ) from error


def same_file(path: Path, others: Sequence[Path]) -> bool:
    """Whether a path is one of the others, by any name."""
    return path.exists() and any(path.samefile(other) for other in others if other.exists())
