"""What a call through our gateway costs, beside nginx, LiteLLM's proxy and Portkey, in turns within one run.

Each gateway has one core to itself, all of it: worker and ingester too. A mock vendor and the load have another. Ours
runs with everything on: key, budget and holds, limits, residency, block list, journal, ledger, ingester. CPU is what
the kernel counted for all processes of a gateway until its books were written; who is not measured is paused. Each is
warmed up with calls and streams. Where a peer cannot be installed, its line says why. About four minutes, and the first
run installs the peers; `--skip litellm,portkey` leaves them out.

    a call        16 connections in a closed loop (wrk), answers of 1.1 kB
    200 KB        4 connections, prompts of 200 kB
    a chunk       100 streams of 50 chunks, 20 ms apart, the cost of their calls included
    added         2,000 calls a second at random (Poisson), against the mock vendor asked directly
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from bench.figures import Figure, arguments, show, unmet
from bench.rig.load import Target, closed_loop, open_loop, streams
from bench.rig.mock import mock_command
from bench.rig.peers import ROOT, STARTS, Peer, Place, direct, environment, free_port
from bench.rig.processes import Tree, awake, cores

PROMPT = "Which of these two offers is cheaper for the month that we had, and by how much? Show the difference. " * 4
BIG_PROMPT = PROMPT * 500
ROUNDS = 5
SECONDS = 2.0
RATE = 2_000.0
STREAMS = 100
WARM_SECONDS = 3.0
WARM_RATE = 20.0
REASON_LENGTH_MAX = 60
NEEDED = {"nginx": "nginx-light", "wrk": "wrk", "taskset": "util-linux"}


class Rig:
    """The mock vendor and the gateways at work, and what has been measured of each."""

    def __init__(self, stack: ExitStack, options: argparse.Namespace) -> None:
        self._stack = stack
        self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="offtake-bench-")))
        core, self._load_core = cores()
        stack.enter_context(awake())
        stack.callback(os.sched_setaffinity, 0, os.sched_getaffinity(0))
        os.sched_setaffinity(0, {self._load_core})
        self._place = Place(self._folder, options.data / "peers", core, free_port(), free_port())
        self._vendor()
        self.peers: dict[str, Peer] = {}
        self.skipped: dict[str, str] = {}
        self.found: dict[tuple[str, str], list[float]] = defaultdict(list)

    @property
    def others(self) -> list[str]:
        """The names of the peers that run."""
        return [name for name in self.peers if name != "offtake"]

    def _vendor(self) -> None:
        place, core = self._place, self._load_core
        whole = Tree(mock_command(self._folder / "mock", place.mock), core, self._folder / "mock.log")
        self._stack.callback(whole.stop)
        command = [sys.executable, "-m", "bench.rig.mock", str(place.mock_stream)]
        streamed = Tree(command, core, self._folder / "mock-stream.log", environment(PYTHONPATH=str(ROOT)))
        self._stack.callback(streamed.stop)
        whole.wait_for(f"http://127.0.0.1:{place.mock}/", 10)
        self.direct = direct(place, whole)

    def start(self, name: str) -> None:
        """Start a gateway, warm it up and pause it; note why where that cannot be."""
        try:
            peer = STARTS[name](self._place)
            self._stack.callback(peer.tree.stop)
            self.peers[name] = peer
            open_loop(peer.target(PROMPT), WARM_RATE, 1.0, 0)  # first calls may import: with patience
            self._turn(peer, lambda: closed_loop(peer.target(PROMPT), self._folder, 16, WARM_SECONDS))
            with suppress(RuntimeError, OSError):  # whoever cannot stream is asked again, and says why
                self._turn(peer, lambda: streams(peer.stream(PROMPT), STREAMS, 1.0))
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            self.skipped[name] = " ".join(str(error).split())[:REASON_LENGTH_MAX]
            self.peers.pop(name, None)

    def _turn(self, peer: Peer, work: Callable[[], int]) -> tuple[dict[int, float], int]:
        peer.tree.resume()
        try:
            return peer.tree.spent(work)
        finally:
            peer.tree.pause()

    def cpu(self, name: str, what: str, work: Callable[[], int]) -> None:
        """CPU of one piece of work, in µs for each that it counts, of all processes, and of the worker apart."""
        if f"{name} {what}" in self.skipped:
            return
        peer = self.peers[name]
        try:
            spent, count = self._turn(peer, work)
        except (RuntimeError, OSError) as error:
            self.skipped[f"{name} {what}"] = " ".join(str(error).split())[:REASON_LENGTH_MAX]
            return
        self.found[name, what].append(sum(spent.values()) / count * 1e6)
        if peer.worker:
            self.found[name, f"{what}, worker"].append(spent.pop(peer.worker) / count * 1e6)
            self.found[name, f"{what}, others"].append(sum(spent.values()) / count * 1e6)

    def closed(self, name: str, what: str, prompt: str, connections: int, seconds: float) -> None:
        """CPU of calls that are answered whole."""
        target = self.peers[name].target(prompt)
        self.cpu(name, what, lambda: closed_loop(target, self._folder, connections, seconds))

    def streamed(self, name: str) -> None:
        """CPU of chunks."""
        target = self.peers[name].stream(PROMPT)
        self.cpu(name, "a chunk", lambda: streams(target, STREAMS, 1.0))

    def latency(self, name: str, target: Target, seconds: float, seed: int) -> None:
        """Percentiles of the latency at a fixed rate of arrivals, in ms."""
        found: list[float] = []

        def work() -> int:
            found.extend(open_loop(target, RATE, seconds, seed))
            return len(found)

        if name in self.peers:
            self._turn(self.peers[name], work)
        else:
            work()
        found.sort()
        for percent in (50, 95):
            self.found[name, f"p{percent}"].append(found[len(found) * percent // 100] * 1e3)

    def median(self, name: str, what: str) -> float | None:
        """Over the rounds; None where it was not measured."""
        found = self.found.get((name, what))
        return statistics.median(found) if found else None

    def ratio(self, name: str, other: str, what: str) -> float | None:
        """The median over the rounds of one gateway's figure against another's of the same round."""
        pairs = zip(self.found.get((name, what), []), self.found.get((other, what), []), strict=False)
        found = [mine / theirs for mine, theirs in pairs]
        return statistics.median(found) if found else None

    def added(self, name: str, what: str) -> float | None:
        """The median over the rounds of a latency less that of the vendor asked directly."""
        pairs = zip(self.found[name, what], self.found["direct", what], strict=True)
        return statistics.median([through - straight for through, straight in pairs])


def measure(options: argparse.Namespace) -> list[Figure]:
    """All figures: medians over the rounds."""
    missing = _missing()
    if missing:
        return [Figure(f"skipped: no {', '.join(missing)} here; as root on Debian, apt installs them", None, "")]
    rounds, seconds = getattr(options, "rounds", ROUNDS), getattr(options, "seconds", SECONDS)
    skip = getattr(options, "skip", "").split(",")
    with ExitStack() as stack:
        rig = Rig(stack, options)
        for name in STARTS:
            if name in skip:
                rig.skipped[name] = "as told"
            else:
                rig.start(name)
        if "offtake" not in rig.peers or "nginx" not in rig.peers:
            raise RuntimeError(f"did not start: {rig.skipped}")
        for number in range(rounds):
            _round(rig, number, seconds)
        memory = rig.peers["offtake"].tree.memory_mb()
        worker = memory[rig.peers["offtake"].worker]
    return [*_calls(rig), *_others(rig), *_memory(worker, sum(memory.values()))]


def _round(rig: Rig, number: int, seconds: float) -> None:
    """Each gateway in its turn."""
    for name in rig.peers:
        rig.closed(name, "a call", PROMPT, 16, seconds)
    for name in rig.peers:
        rig.closed(name, "200 KB", BIG_PROMPT, 4, seconds / 2)
    for name in rig.peers:
        rig.streamed(name)
    rig.latency("direct", rig.direct.target(PROMPT), seconds, number)
    for name in ("nginx", "offtake"):
        rig.latency(name, rig.peers[name].target(PROMPT), seconds, number)


def _calls(rig: Rig) -> list[Figure]:
    """CPU of a call, and against the others."""
    median, whole = rig.median, "a call"
    figures = [
        Figure("Offtake, a call: CPU of all processes", median("offtake", whole), "µs", "<= 100"),
        Figure("Offtake, a call: CPU of the worker", median("offtake", f"{whole}, worker"), "µs"),
        Figure("Offtake, a call: CPU of the ingester and the rest", median("offtake", f"{whole}, others"), "µs"),
        *(Figure(f"{rig.peers[name].name}, a call: CPU", median(name, whole), "µs") for name in rig.others),
        Figure("Offtake against nginx, a call", rig.ratio("offtake", "nginx", whole), "x", "<= 6"),
    ]  # fmt: skip
    for name, shown, goal in (("litellm", "LiteLLM", ">= 60"), ("portkey", "Portkey", ">= 8")):
        why = rig.skipped.get(name) or rig.skipped.get(f"{name} {whole}")
        label = f"{shown} against Offtake, a call" + (f"; skipped: {why}" if why else "")
        figures.append(Figure(label, rig.ratio(name, "offtake", whole), "x", goal))
    return figures


def _others(rig: Rig) -> list[Figure]:
    """Streams, long prompts and latency; of peers what could be measured."""
    figures = []
    for what, goal in (("a chunk", "<= 40"), ("200 KB", "<= 600")):
        figures.append(Figure(f"Offtake, {what}: CPU of all processes", rig.median("offtake", what), "µs", goal))
        figures.append(Figure(f"Offtake, {what}: CPU of the worker", rig.median("offtake", f"{what}, worker"), "µs"))
        for name in rig.others:
            why = rig.skipped.get(f"{name} {what}")
            label = f"{rig.peers[name].name}, {what}: CPU" + (f"; skipped: {why}" if why else "")
            figures.append(Figure(label, rig.median(name, what), "µs"))
    for percent, goal in ((50, "<= 0.3"), (95, "<= 1")):
        for name in ("offtake", "nginx"):
            label = f"{rig.peers[name].name}, added latency at {RATE:,.0f} calls a second, p{percent}"
            figures.append(Figure(label, rig.added(name, f"p{percent}"), "ms", goal if name == "offtake" else ""))
        label = f"the mock vendor itself, p{percent}"
        figures.append(Figure(label, rig.median("direct", f"p{percent}"), "ms"))
    return figures


def _memory(worker_mb: float, all_mb: float) -> list[Figure]:
    return [
        Figure("Offtake, memory of a worker (PSS)", worker_mb, "MB", "<= 80"),
        Figure("Offtake, memory of all processes with one worker (PSS)", all_mb, "MB"),
    ]


def _missing() -> list[str]:
    """Programs that are not here, after apt was asked where it may be."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        packages = [NEEDED[name] for name in missing]
        subprocess.run(["apt-get", "update", "-qq"], check=False, capture_output=True)
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
        subprocess.run(install, check=False, capture_output=True)
    return [name for name in NEEDED if shutil.which(name) is None]


def main() -> int:
    """The script."""
    parser = arguments()
    parser.add_argument("--skip", default="", help="peers to leave out: litellm,portkey")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each load in a round")
    options = parser.parse_args()
    figures = measure(options)
    show("gateway", figures, options.format)
    return unmet(figures)


if __name__ == "__main__":
    sys.exit(main())
