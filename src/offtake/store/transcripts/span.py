"""How long a file of transcripts stays: calls of a few minutes go into one file, and all of it goes at one instant.

A call that may be kept for N hours goes at the latest N hours after it began. Files begin each N minutes, so that a
customer has some sixty of them at most, times workers, and a call is kept for N hours less N minutes at least. A file's
name says its span, so that a purge reads names only:

    20261121T2112Z-20261124T2112Z.w0-19f0.000001.sealed
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

MINUTE = 60_000_000
"""Microseconds."""
HOUR = 60 * MINUTE
_FORM = "%Y%m%dT%H%MZ"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAME = re.compile(r"(\d{8}T\d{4}Z)-(\d{8}T\d{4}Z)\.[A-Za-z0-9_.-]+\.sealed")


class Span(NamedTuple):
    """Microseconds: no call of the file began before `begin`; nothing of it is kept at `until`."""

    begin: int
    until: int

    @property
    def filled(self) -> int:
        """From when on no new call belongs to it."""
        return self.begin + (self.until - self.begin) // 60


class Due(NamedTuple):
    """What is over at an instant, by names: those that end at `until` or before, or began at `begin` or before."""

    until: str
    begin: str

    def takes(self, name: str) -> bool:
        """Whether the time of a file is over. Never of one that is not named as ours."""
        found = _NAME.fullmatch(name)
        return found is not None and (found[2] <= self.until or found[1] <= self.begin)


def due_at(now: int, hours: int | None = None) -> Due:
    """What is over now; `hours`: what was to be kept for longer than those goes too."""
    return Due(_shown(now), _shown(now - hours * HOUR) if hours else "")


def span_of(at: int, hours: int) -> Span:
    """The span of a call that began at an instant (microseconds) and may be kept for so many hours (at least 1)."""
    begin = at - at % (hours * MINUTE)
    return Span(begin, begin + hours * HOUR)


def name_of(span: Span, worker: str, number: int) -> str:
    """A file's name; worker and number make it the only one."""
    return f"{_shown(span.begin)}-{_shown(span.until)}.{worker}.{number:06d}.sealed"


def span_in(path: Path) -> Span | None:
    """The span that a name says; None where it is no name of ours."""
    found = _NAME.fullmatch(path.name)
    try:
        return Span(_read(found[1]), _read(found[2])) if found else None
    except ValueError:
        return None


def worker_in(path: Path) -> str:
    """The worker that wrote a file; its name is in the ids of its calls."""
    return path.name.split(".")[1]


def _shown(at: int) -> str:
    return (_EPOCH + timedelta(microseconds=at)).strftime(_FORM)


def _read(text: str) -> int:
    return (datetime.strptime(text, _FORM).replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
