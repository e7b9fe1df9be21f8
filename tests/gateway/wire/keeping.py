"""A gateway that keeps transcripts, and what is kept and told of them."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from offtake.operations.transcripts import list_calls, show_call
from offtake.store.transcripts.customer_key import hold_key
from offtake.store.transcripts.seal import master_of
from offtake.store.transcripts.sealed_file import SealedFile
from offtake.store.transcripts.span import HOUR, name_of, span_of
from tests.gateway.wire.running import House

MASTER = "5e" * 32
SECTION = """
[transcripts]
customers = ["acme*", "beta"]
workloads = ["support-*"]
hours = 72
key = {file = "master.key"}
"""
HI = [{"role": "user", "content": "marked-question"}]
SLOW = 'faults: [{fault: slow, when: {model: "claude-haiku-4-5*"}, delay_ms: 4000}]'
OBSERVED = 'mode = "observe"'


def opened(folder: Path, **more: Any) -> House:
    (folder / "master.key").write_text(MASTER)
    (folder / "master.key").chmod(0o600)
    return House(folder, **({"more": SECTION} | more)).open()


def body(path: str, model: str, **more: Any) -> dict[str, Any]:
    limit = "max_tokens" if path == "messages" else "max_completion_tokens"
    return {"model": model, limit: 40, "messages": HI, **more}


def folder(house: House) -> Path:
    return house.folder / "offtake.db.transcripts"


def listed(house: House, customer: str | None = None) -> list[dict[str, Any]]:
    return [each.row() for each in list_calls(1_000_000, customer, config=house.config, store=None)]


def shown(house: House, id: str) -> tuple[dict[str, Any], str, str]:
    kept, request, answer = show_call(id, config=house.config)
    return kept.row(), request.decode(), answer.decode()


def counts(house: House) -> dict[str, int]:
    """The gateway's counter of transcripts, by result."""
    with urllib.request.urlopen(house.gateway.url + "/metrics") as answer:
        lines = answer.read().decode().splitlines()
    rows = [line.split('"') for line in lines if line.startswith("offtake_transcripts_total")]
    return {name: int(float(value.strip("} "))) for _, name, value in rows}


def until(so: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end
        time.sleep(0.05)


def kept(house: House, id: str) -> bool:
    return any(id.encode() in path.read_bytes() for path in folder(house).glob("*/*.sealed"))


def past(place: Path, hours_ago: int) -> Path:
    """A file of a call that began so long ago, and was to be kept for 72 hours."""
    master = master_of(MASTER)
    assert master is not None
    at = time.time_ns() // 1_000 - hours_ago * HOUR
    key = hold_key(place / "offtake.db.transcripts", "acme", master)
    path = key.path.with_name(name_of(span_of(at, 72), f"w{hours_ago}", 1))
    SealedFile(path, key, span_of(at, 72)).append({"id": f"req_{hours_ago}", "at": at}, b"{}", b"{}")
    return path


def sealed(house: House) -> list[Path]:
    return sorted(folder(house).glob("*/*.sealed"))
