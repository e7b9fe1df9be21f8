"""What the gateway says while it runs: one JSON object a line on stderr. Never content, never a key.

A crash says where in our code it was and the kind of the exception; its message may hold what a client sent, so it is
left out.
"""

from __future__ import annotations

import json
import sys
import traceback
from datetime import UTC, datetime


def say(event: str, **fields: object) -> None:
    """One line: when, what, and fields of which nothing is content."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    sys.stderr.write(json.dumps({"at": at, "event": event, **fields}, default=str) + "\n")
    sys.stderr.flush()


def say_crash(event: str, error: BaseException, **fields: object) -> None:
    """The frames of an exception and its kind, without its message."""
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    say(event, error=type(error).__name__, frames=frames, **fields)
