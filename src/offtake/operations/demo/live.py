"""The demo's live part: a sandbox and a gateway as processes, real clients, `kill -9`, and three books on one sum.

Everything runs as a user would run it, by the same commands, in the demo's folder. The three books are independent:
the ledger adds up what each call cost as it was settled, rating prices the recorded tokens afresh, and the sandbox
prices its own meter without either.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from offtake.operations.demo.process import Process, started
from offtake.values.errors import OutsideError
from offtake.values.money import total

NEEDED = ("httptools", "uvicorn", "openai", "anthropic")
CALLS = 24
BUSY = 6
"""Clients that are calling when the gateway is killed."""
CLAUDE, GPT = "claude-opus-4-7", "gpt-5.4"
SHARES = {"anthropic": (CLAUDE, "claude-*", 20), "openai": (GPT, "gpt-*", 15)}
CONTRACT = """contract: {vendor}-2026
buyer: Example Corp
vendor: {vendor}
term: {{from: 2026-01-01, until: 2028-01-01, time_zone: UTC, currency: USD}}
billing: {{period: month, anchor: 1, rounding: {{where: line, places: 2, mode: half_even}}}}
scope: {{models: ["{models}"], channels: [realtime], access: [api]}}
prices: {{discounts: [{{models: "{models}", share: {share}%}}], cache: catalog}}
commitments: [{{id: spend, amount: 600_000 USD / year, pool: all_models, counts_at: contracted, true_up: year}}]
failed_requests: {{http_5xx: free, timeout: free, vendor_truncation: free, refusal: billed, client_cancel: billed, client_error: billed}}
"""  # noqa: E501
CONFIG = """[gateway]
port = 0

[vendors.anthropic]
wire = "anthropic"
base_url = "{url}/anthropic"
key = {{file = "vendor.key"}}

[vendors.openai]
wire = "openai"
base_url = "{url}/openai/v1"
key = {{file = "vendor.key"}}

[[contracts]]
file = "anthropic.yaml"

[[contracts]]
file = "openai.yaml"
"""


@dataclass(frozen=True, slots=True)
class Live:
    """What was seen. `headers` are those of one call; the sums are of requests whose end is known, in exact dollars."""

    headers: Mapping[str, str]
    answered: int
    settled: int
    unresolved: int
    ledger: Decimal
    rated: Decimal
    metered: Decimal
    verified: str

    @property
    def agrees(self) -> bool:
        """Whether all three books say the same."""
        return self.ledger == self.rated == self.metered


def run_live(folder: Path) -> Live | None:
    """Run it in a folder that is made anew. None where the extras `gateway` and `clients` are not installed."""
    if any(find_spec(name) is None for name in NEEDED):
        return None
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "script.yaml").write_text("latency: {first_token_ms: 60}\n")
    sandbox = ("sandbox", "--port", "0", "--meter", "meter.jsonl", "--faults", "script.yaml")
    with _running(folder, "sandbox", *sandbox, said="(http.*)/openai") as vendor:
        (folder / "vendor.key").write_text("sk-demo")
        (folder / "offtake.toml").write_text(CONFIG.format(url=vendor.url))
        for name, (_, models, share) in SHARES.items():
            (folder / f"{name}.yaml").write_text(CONTRACT.format(vendor=name, models=models, share=share))
        named = ("--name", "demo", "--budget", "25USD/month", "--format", "json")
        made = json.loads(_offtake(folder, "keys", "create", *named))
        with _running(folder, "gateway", "serve", said="serving (.*)/v1 ") as gateway:
            clients = _Clients(gateway.url, made["key"])
            for number in range(CALLS):
                clients.call(number)
            headers = clients.one_with_headers()
            busy = [threading.Thread(target=clients.until_cut_off) for _ in range(BUSY)]
            for each in busy:
                each.start()
            time.sleep(0.5)
            gateway.kill()
            for each in busy:
                each.join()
        with _running(folder, "gateway-again", "serve", said="serving (.*)/v1 "):
            books = _books(folder)
    return _seen(folder, headers, clients.answered, books)


def _seen(folder: Path, headers: Mapping[str, str], answered: int, books: Mapping[str, Any]) -> Live:
    known = {row["vendor_request_id"] for row in books["usage"]}
    lines = (folder / "meter.jsonl").read_text().splitlines()
    (folder / "meter-known.jsonl").write_text("".join(f"{line}\n" for line in lines if json.loads(line)["id"] in known))
    discounts = [part for _, models, share in SHARES.values() for part in ("--discount", f"{models}={share}%")]
    invoice = _offtake(folder, "sandbox", "--invoice", "meter-known.jsonl", *discounts)
    rated = [_rated(folder, name) for name in SHARES]
    return Live(
        headers, answered, len(books["usage"]), len(books["unresolved"]),
        total(Decimal(row["cost"]) for row in books["settlements"]),
        total(rated),
        total(Decimal(row["amount"]) for row in csv.DictReader(io.StringIO(invoice))),
        _offtake(folder, "ledger", "verify").strip(),
    )  # fmt: skip


def _rated(folder: Path, vendor: str) -> Decimal:
    """What rating makes of the recorded tokens, request by request."""
    lines = _offtake(folder, "rate", "--store", "offtake.db", "--contract", f"{vendor}.yaml", "--by", "record")
    return total(Decimal(json.loads(line)["total"]) for line in lines.splitlines())


def _books(folder: Path, seconds: float = 20) -> dict[str, Any]:
    """The ledger, once everything is posted: when two looks at it say the same."""
    until, before = time.monotonic() + seconds, ""
    while time.monotonic() < until:
        text = _offtake(folder, "ledger", "export")
        if text == before:
            break
        before = text
        time.sleep(0.2)
    return dict(json.loads(text))


class _Clients:
    """The vendors' own clients, which know a base address and a key and nothing of us."""

    def __init__(self, url: str, key: str) -> None:
        import anthropic
        import openai

        self._gpt: Any = openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)
        self._claude: Any = anthropic.Anthropic(base_url=url, api_key=key, max_retries=0)
        self._errors = (openai.OpenAIError, anthropic.AnthropicError)
        self._lock = threading.Lock()
        self.answered = 0

    def call(self, number: int) -> None:
        """One of four kinds of call: either vendor, whole or streamed."""
        said = [{"role": "user", "content": f"Question {number}: what does this clause cost?"}]
        if number % 2:
            with self._claude.messages.stream(model=CLAUDE, max_tokens=200, messages=said) as stream:
                stream.get_final_message()
        elif number % 4:
            list(self._gpt.chat.completions.create(model=GPT, max_completion_tokens=200, messages=said, stream=True))
        else:
            self._gpt.chat.completions.create(model=GPT, max_completion_tokens=200, messages=said)
        with self._lock:
            self.answered += 1

    def one_with_headers(self) -> dict[str, str]:
        """A call, and what the gateway says of it."""
        said = [{"role": "user", "content": "What did this cost?"}]
        answer = self._claude.messages.with_raw_response.create(model=CLAUDE, max_tokens=200, messages=said)
        self.answered += 1
        return {name: value for name, value in answer.headers.items() if name.startswith("offtake-")}

    def until_cut_off(self) -> None:
        """Call after call until the gateway is gone."""
        with contextlib.suppress(*self._errors):
            for number in range(10_000):
                self.call(number)


@contextlib.contextmanager
def _running(folder: Path, name: str, *arguments: str, said: str) -> Iterator[Process]:
    """One of our commands, while the block runs. OutsideError O507 where it does not start."""
    process = started(folder / f"{name}.log", list(arguments), said)
    try:
        yield process
    finally:
        process.stop()


def _offtake(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "offtake.cli", *arguments], cwd=folder, capture_output=True, check=False
    )
    if done.returncode:
        raise OutsideError("O507", f"`offtake {arguments[0]}` failed in the demo", why=done.stderr.decode()[-500:])
    return done.stdout.decode()
