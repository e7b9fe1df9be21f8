"""The gateways that are measured: ours with everything on; nginx, LiteLLM's proxy and Portkey, set up in their favour.

LiteLLM: compiled files, httptools, opentelemetry's SDK (without it, each request tries the import again), no database,
one worker, a local cost map, no retries and no callbacks. Portkey: as npm installs it.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.rig.load import Target
from bench.rig.mock import MODEL, STREAM_MODEL, proxy_command
from bench.rig.processes import Tree

ROOT = Path(__file__).resolve().parents[2]
LITELLM, PORTKEY = "1.106.2", "1.15.2"
CONTRACT = """
contract: {name}
buyer: Example Corp
vendor: openai
term: {{from: 2026-01-01, until: 2036-01-01, time_zone: UTC, currency: USD}}
billing: {{period: month, anchor: 1, rounding: {{where: line, places: 2, mode: half_even}}}}
scope: {{models: ["{models}"], channels: [realtime, batch], access: [api]}}
prices: {{discounts: [{{models: "*", share: 15%}}], batch: {{share: 50%}}, cache: catalog}}
commitments:
  - {{id: spend, amount: 600_000 USD / year, pool: all_models, counts_at: contracted, true_up: year}}
capacity: {{limits: {{requests_per_minute: 100_000_000, input_tpm: 1_000_000_000_000, output_tpm: 1_000_000_000_000}}}}
residency: {{regions: [us], fail: closed}}
data: {{training: never, retention: none}}
behaviour: {{block: [bypass safety, synthesise a nerve agent, hidden instructions]}}
failed_requests: {{http_5xx: free, timeout: free, vendor_truncation: free, refusal: billed, client_cancel: billed,
  client_error: billed}}
"""
CONFIG = """
[gateway]
port = {port}
[vendors.openai]
wire = "openai"
base_url = "http://127.0.0.1:{mock}/v1"
key = {{env = "OPENAI_API_KEY"}}
region = "us"
[vendors.streams]
wire = "openai"
prices = "openai"
base_url = "http://127.0.0.1:{mock_stream}/v1"
key = {{env = "OPENAI_API_KEY"}}
region = "us"
[[contracts]]
file = "whole.yaml"
[[contracts]]
file = "streams.yaml"
vendor = "streams"
"""
LITELLM_CONFIG = {
    "litellm_settings": {"num_retries": 0, "callbacks": [], "success_callback": [], "failure_callback": []},
    "router_settings": {"num_retries": 0},
    "general_settings": {"master_key": "sk-bench"},
}


@dataclass
class Peer:
    """A gateway at work. `port` takes whole answers, `stream_port` streams; `worker` is the process that serves."""

    name: str
    tree: Tree
    port: int
    stream_port: int
    headers: Mapping[str, str] = field(default_factory=dict)
    stream_headers: Mapping[str, str] = field(default_factory=dict)
    worker: int = 0

    def target(self, content: str) -> Target:
        """A chat call with a prompt, answered at once."""
        return Target(self.port, self.headers, _body(MODEL, content))

    def stream(self, content: str) -> Target:
        """A chat call with a prompt, answered in chunks."""
        return Target(self.stream_port, self.stream_headers or self.headers, _body(STREAM_MODEL, content, stream=True))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a peer runs: a folder for the run, one that is kept, its core, and the mock vendor's ports."""

    folder: Path
    kept: Path
    core: int
    mock: int
    mock_stream: int


def _body(model: str, content: str, *, stream: bool = False) -> bytes:
    system = {"role": "system", "content": "You are a helpful assistant. Answer briefly, politely and in plain words."}
    asked = {"model": model, "max_tokens": 500, "messages": [system, {"role": "user", "content": content}]}
    more = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    return json.dumps(asked | more, separators=(",", ":")).encode()  # as the SDKs write it


def free_port() -> int:
    """A port that nobody has just now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def environment(**more: str) -> dict[str, str]:
    """Ours, without a proxy on the way to this machine, and with compiled files."""
    left_out = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower() and name not in left_out}
    return kept | {"OPENAI_API_KEY": "sk-vendor"} | more


def direct(place: Place, tree: Tree) -> Peer:
    """The mock vendor itself."""
    return Peer("the mock vendor", tree, place.mock, place.mock_stream)


def offtake(place: Place) -> Peer:
    """`offtake serve` with one worker: key, budget, holds, limits, residency, block list, journal, ledger, ingester."""
    folder, port = place.folder / "offtake", free_port()
    folder.mkdir()
    for name, models in (("whole", MODEL), ("streams", STREAM_MODEL)):
        (folder / f"{name}.yaml").write_text(CONTRACT.format(name=name, models=models))
    config = folder / "offtake.toml"
    config.write_text(CONFIG.format(port=port, mock=place.mock, mock_stream=place.mock_stream))
    env, command = environment(PYTHONPATH=str(ROOT / "src")), [sys.executable, "-m", "offtake.cli"]
    asked = ["keys", "create", "--config", str(config), "--name", "bench", "--budget", "1000000000USD/month"]
    told = ["--workload", "support", "--team", "search", "--format", "json"]
    made = subprocess.run([*command, *asked, *told], env=env, capture_output=True, text=True, check=False)
    if made.returncode:
        raise RuntimeError(made.stderr[-300:])
    tree = Tree([*command, "serve", "--config", str(config)], place.core, folder / "log", env)
    headers = {"authorization": f"Bearer {json.loads(made.stdout)['key']}"}
    peer = _started(Peer("Offtake", tree, port, port, headers), "/health/ready")
    peer.worker = tree.listener(port)
    return peer


def nginx(place: Place) -> Peer:
    """proxy_pass over kept-alive connections: what passing on costs at least."""
    port, stream_port = free_port(), free_port()
    command = proxy_command(place.folder / "nginx", port, stream_port, place.mock, place.mock_stream)
    version = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr.strip().split("/")[-1]
    tree = Tree(command, place.core, place.folder / "nginx.log")
    return _started(Peer(f"nginx {version}", tree, port, stream_port), "/")


def litellm(place: Place) -> Peer:
    """LiteLLM's proxy in a virtual environment of its own."""
    home, port = place.kept / f"litellm-{LITELLM}", free_port()
    installed = home / "installed"
    if not installed.exists() or installed.read_text() != sys.base_prefix:  # the same Python as ours
        _ran([sys.executable, "-m", "venv", "--clear", "--without-pip", str(home)])
        wanted = [f"litellm[proxy]=={LITELLM}", "opentelemetry-sdk", "opentelemetry-exporter-otlp", "httptools"]
        pip = [sys.executable, "-m", "pip", "--python", str(home / "bin" / "python"), "install", "--quiet", "--compile"]
        _ran([*pip, *wanted])
        installed.write_text(sys.base_prefix)
    models = [
        {
            "model_name": model,
            "litellm_params": {"model": f"openai/{model}", "api_base": f"http://127.0.0.1:{at}/v1", "api_key": "sk-x"},
        }
        for model, at in ((MODEL, place.mock), (STREAM_MODEL, place.mock_stream))
    ]
    config = place.folder / "litellm.yaml"
    config.write_text(json.dumps({"model_list": models, **LITELLM_CONFIG}))  # JSON is YAML
    env = environment(LITELLM_LOG="ERROR", LITELLM_MODE="PRODUCTION", LITELLM_LOCAL_MODEL_COST_MAP="True")
    command = [str(home / "bin" / "litellm"), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    tree = Tree([*command, "--num_workers", "1"], place.core, place.folder / "litellm.log", env)
    headers = {"authorization": "Bearer sk-bench"}
    return _started(Peer(f"LiteLLM {LITELLM}", tree, port, port, headers), "/health/liveliness")


def portkey(place: Place) -> Peer:
    """Portkey's gateway in a folder of its own."""
    home, port = place.kept / f"portkey-{PORTKEY}", free_port()
    script = home / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
    if not script.exists():
        home.mkdir(parents=True, exist_ok=True)
        _ran(["npm", "install", "--prefix", str(home), "--no-audit", "--no-fund", f"@portkey-ai/gateway@{PORTKEY}"])
    env = environment(NODE_ENV="production", TRUSTED_CUSTOM_HOSTS="127.0.0.1")
    tree = Tree(["node", str(script), f"--port={port}", "--headless"], place.core, place.folder / "portkey.log", env)
    headers, streamed = (
        {
            "authorization": "Bearer sk-vendor",
            "x-portkey-provider": "openai",
            "x-portkey-custom-host": f"http://127.0.0.1:{at}/v1",
        }
        for at in (place.mock, place.mock_stream)
    )
    return _started(Peer(f"Portkey {PORTKEY}", tree, port, port, headers, streamed), "/")


def _started(peer: Peer, path: str) -> Peer:
    try:
        peer.tree.wait_for(f"http://127.0.0.1:{peer.port}{path}", 120)
    except RuntimeError:
        peer.tree.stop()
        raise
    return peer


def _ran(command: list[str]) -> None:
    """Run an installer. RuntimeError with its last words."""
    if shutil.which(command[0]) is None:
        raise RuntimeError(f"no {command[0]} here")
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    if done.returncode:
        raise RuntimeError(f"cannot be installed: {' '.join((done.stderr or done.stdout).split())[-200:]}")


STARTS: Mapping[str, Callable[[Place], Peer]] = {
    "offtake": offtake, "nginx": nginx, "litellm": litellm, "portkey": portkey,
}  # fmt: skip
