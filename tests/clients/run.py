"""`make clients`: Claude Code and Codex, unchanged, through a gateway before a sandbox; then books against the meter.

Each agent is asked something, streams an answer, and runs a tool of its own that the sandbox asks for. What the agents
count, what the ledger has and what the sandbox would bill must be the same to the last token. OpenAI's own test-suite
runs too where its sources can be had (openai_suite.py). Exits with 1 where anything differs, 3 where Node is missing.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tests.clients import agents, openai_suite, programs
from tests.gateway.wire.running import House

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "clients"
METERS = {
    "input_tokens": 0, "cache_read_tokens": 0, "cache_write_5m_tokens": 0, "cache_write_1h_tokens": 0,
    "output_tokens": 1,
}  # fmt: skip
"""Which of the two figures, in and out, a meter is part of; reasoning lies inside of output."""
PROMPTS = {
    "claude": ("Say hello [[sandbox output=30]]", "Read it [[sandbox tool=Read]]"),
    "codex": ("Say hello [[sandbox output=30]]", "Run it [[sandbox tool=exec_command]]"),
}


def main() -> int:
    """Run all of it; the exit code."""
    try:
        commands = programs.installed(FOLDER / "npm")
    except programs.MissingError as error:
        print(f"make clients: {error}", file=sys.stderr)
        return 3
    shutil.rmtree(FOLDER / "house", ignore_errors=True)
    (FOLDER / "house").mkdir()
    house = House(FOLDER / "house").open()
    try:
        wrong = _agents(house, commands)
    finally:
        house.close()
    return 1 if openai_suite.run(FOLDER) + wrong else 0


def _agents(house: House, commands: dict[str, Path]) -> int:
    """Run the agents and compare; how much is wrong."""
    # Codex offers the model OpenAI's web search without a limit: unbounded, no hard budget could hold for it.
    key = house.key("agents", "--budget", "100USD/month", "--tool-calls-max", "2", "--clamp")
    counted: dict[str, list[int]] = {}
    wrong = 0
    for name, prompts in PROMPTS.items():
        run = {"claude": agents.claude, "codex": agents.codex}[name]
        for prompt in prompts:
            home = FOLDER / "house" / name
            try:
                said = run(commands[name], home, house.gateway.url, key, prompt)
            except agents.AgentError as error:
                print(f"{name}: {error}")
                wrong += 1
                continue
            tools = f", ran {', '.join(said.tools)}" if said.tools else ""
            print(f"{name} {prompt!r}: {len(said.events)} events{tools}, said {said.last[:60]!r}")
            wrong += not said.last or ("tool=" in prompt) != bool(said.tools)
            sums = counted.setdefault(name, [0, 0])
            sums[0] += said.input_tokens
            sums[1] += said.output_tokens
    return wrong + _books(house, counted)


def _books(house: House, counted: dict[str, list[int]]) -> int:
    """Compare what the agents, the ledger and the sandbox's meter have counted; how many figures differ."""
    exported, metered = house.exported(), house.metered()
    wrong = 0
    for name, vendor in (("claude", "anthropic"), ("codex", "openai")):
        figures = {
            "books": _tokens([row for row in exported["usage"] if row["vendor"] == vendor]),
            "meter": _tokens([row for row in metered if row["vendor"] == vendor]),
            name: counted.get(name, [0, 0]),
        }
        same = len({tuple(figure) for figure in figures.values()}) == 1
        shown = ", ".join(f"{who} {figure[0]:,} in and {figure[1]:,} out" for who, figure in figures.items())
        print(f"{name}: {'the same' if same else 'DIFFERENT'}: {shown}")
        wrong += not same
    booked = {row["vendor_request_id"]: row["quantities"] for row in exported["usage"]}
    billed = {row["vendor_request_id"]: row["quantities"] for row in metered}
    print(f"books and meter: {len(booked)} and {len(billed)} requests, {'equal' if booked == billed else 'DIFFERENT'}")
    print(f"unresolved: {len(exported['unresolved'])}")
    return wrong + (booked != billed) + len(exported["unresolved"])


def _tokens(rows: list[dict[str, object]]) -> list[int]:
    """Tokens in and out of usage records."""
    sums = [0, 0]
    for row in rows:
        quantities = row["quantities"]
        assert isinstance(quantities, dict)
        for meter, count in quantities.items():
            if meter in METERS:
                sums[METERS[meter]] += count
    return sums


if __name__ == "__main__":
    sys.exit(main())
