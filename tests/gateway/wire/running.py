"""The gateway and a sandbox as processes of their own, as a user runs them, and ways to be unkind to them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from offtake.operations.demo import process
from offtake.operations.demo.process import Process

ROOT = Path(__file__).resolve().parents[3]
VENDOR_KEY = "sk-vendor-secret-0001"
CONTRACT = """
contract: {name}
buyer: Example Corp
vendor: {vendor}
term: {{from: 2026-01-01, until: 2028-01-01, time_zone: UTC, currency: USD}}
billing: {{period: month, anchor: 1, rounding: {{where: line, places: 2, mode: half_even}}}}
scope: {{models: ["{models}"], channels: [realtime, batch, flex, priority], access: [api]}}
prices: {{discounts: [{{models: "{models}", share: 15%}}], batch: catalog, cache: catalog}}
failed_requests: {{http_5xx: free, timeout: free, vendor_truncation: free, refusal: billed, client_cancel: billed,
  client_error: billed}}
"""
CONFIG = """
[gateway]
port = 0
{gateway}

[vendors.anthropic]
wire = "anthropic"
base_url = "{sandbox}/anthropic"
key = {{env = "ANTHROPIC_API_KEY"}}

[vendors.openai]
wire = "openai"
base_url = "{sandbox}/openai/v1"
key = {{env = "OPENAI_API_KEY"}}

[[contracts]]
file = "anthropic.yaml"

[[contracts]]
file = "openai.yaml"
"""


@dataclass
class House:
    """A folder with a configuration, a sandbox, and a gateway that can be started more than once."""

    folder: Path
    gateway_settings: str = ""
    faults: str = ""
    contract: str = CONTRACT
    more: str = ""
    sandbox: Process = field(init=False)
    gateway: Process = field(init=False)

    def open(self) -> House:
        """Start both."""
        arguments = ["sandbox", "--port", "0", "--meter", str(self.meter)]
        if self.faults:
            (self.folder / "faults.yaml").write_text(self.faults)
            arguments += ["--faults", str(self.folder / "faults.yaml")]
        self.sandbox = started(self.folder, "sandbox", arguments, r"(http://[0-9.:]+)/openai/v1")
        for name, models in (("anthropic", "claude-*"), ("openai", "*")):
            text = self.contract.format(name=f"acme-{name}", vendor=name, models=models)
            (self.folder / f"{name}.yaml").write_text(text)
        text = CONFIG.format(sandbox=self.sandbox.url, gateway=self.gateway_settings)
        (self.folder / "offtake.toml").write_text(text + self.more)
        try:
            self.serve()
        except BaseException:
            self.sandbox.stop()
            raise
        return self

    def serve(self) -> None:
        """Start the gateway, once more where it was killed."""
        arguments = ["serve", "--config", str(self.config)]
        self.gateway = started(self.folder, "gateway", arguments, r"serving (http://[0-9.:]+)/v1")
        wait_for(self.gateway.url + "/health/ready")

    def close(self) -> None:
        """Stop both, kindly."""
        for each in (self.gateway, self.sandbox):
            try:
                each.stop()
            except subprocess.TimeoutExpired:
                each.kill()

    @property
    def config(self) -> Path:
        return self.folder / "offtake.toml"

    @property
    def meter(self) -> Path:
        return self.folder / "meter.jsonl"

    def offtake(self, *arguments: str, code: int = 0) -> str:
        """What one of our commands prints."""
        done = subprocess.run(
            [sys.executable, "-m", "offtake.cli", *arguments], capture_output=True, cwd=self.folder, env=environment(),
            timeout=120, check=False,
        )  # fmt: skip
        assert code == done.returncode, done.stderr.decode()
        return done.stdout.decode()

    def key(self, name: str = "test", *options: str) -> str:
        """A gateway key that the workers know."""
        printed = self.offtake(
            "keys", "create", "--config", str(self.config), "--name", name, "--format", "json", *options
        )
        key = str(json.loads(printed)["key"])
        if "workers" in self.gateway_settings:
            time.sleep(1.3)  # each of them looks for keys once a second
        else:
            wait_for(self.gateway.url + "/v1/models", key)
        return key

    def metered(self) -> list[dict[str, Any]]:
        """What the vendors would bill."""
        return [json.loads(line) for line in self.meter.read_text().splitlines()]

    def exported(self) -> dict[str, Any]:
        """The ledger, once the ingester has posted everything that is written."""
        before, text = "", self.offtake("ledger", "export", "--config", str(self.config), "--format", "json")
        while before != text:
            time.sleep(0.3)
            before, text = text, self.offtake("ledger", "export", "--config", str(self.config), "--format", "json")
        return dict(json.loads(text))


def environment() -> dict[str, str]:
    """The environment of our processes: the vendors' keys, and no proxy."""
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    keys = {"ANTHROPIC_API_KEY": VENDOR_KEY, "OPENAI_API_KEY": VENDOR_KEY}
    return kept | keys | {"PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"}


def started(folder: Path, name: str, arguments: list[str], said: str) -> Process:
    """Start one of our commands and wait until it says where it listens."""
    log = folder / f"{name}-{len(list(folder.glob(f'{name}-*.log')))}.log"
    return process.started(log, arguments, said, environment())


def wait_for(url: str, key: str = "", seconds: float = 20) -> None:
    """Return once an address answers, to whoever has the key."""
    import urllib.error
    import urllib.request

    until = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(urllib.request.Request(url, headers={"x-api-key": key}), timeout=2).close()
            return
        except (urllib.error.URLError, ConnectionError) as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()
            if time.monotonic() > until:
                raise AssertionError(f"{url}: {error}") from error
            time.sleep(0.05)
