"""A sandbox on a socket, and the vendors' own clients of it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from offtake.sandbox.script import read_script
from offtake.sandbox.serve import listen, server_of, url_of
from offtake.sandbox.work import Sandbox


@dataclass
class Running:
    """A sandbox that serves; `clock` is added to the time. The clients are untyped: requests here are plain JSON."""

    url: str
    meter: Path
    clock: float = 0.0
    closers: list[Callable[[], None]] = field(default_factory=list)

    def openai(self, **options: Any) -> Any:
        settings = {"max_retries": 0, "api_key": "sk-test", **options}
        client = openai.OpenAI(base_url=f"{self.url}/openai/v1", **settings)
        self.closers.append(client.close)
        return client

    def anthropic(self, **options: Any) -> Any:
        settings = {"max_retries": 0, "api_key": "sk-test", **options}
        client = anthropic.Anthropic(base_url=f"{self.url}/anthropic", **settings)
        self.closers.append(client.close)
        return client

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.meter.read_text().splitlines()]

    def line(self) -> dict[str, Any]:
        return self.lines()[-1]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts a sandbox with a script; all are stopped at the end."""
    stops: list[Callable[[], None]] = []

    def start(script: str = "") -> Running:
        path = None
        if script:
            path = tmp_path / "script.yaml"
            path.write_text(script)
        listener = listen("127.0.0.1", 0)
        running = Running(url_of(listener), tmp_path / "meter.jsonl")
        state = Sandbox(running.meter, read_script(path), lambda: time.time() + running.clock)
        server = server_of(state)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()

        def stop() -> None:
            for close in running.closers:
                close()
            server.should_exit = True
            thread.join(10)
            state.meter.close()
            listener.close()

        stops.append(stop)
        return running

    yield start
    for stop in stops:
        stop()
