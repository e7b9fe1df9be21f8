"""Claude Code and Codex through the gateway, as a person runs them: a question, a streamed answer, a tool of their own.

The tool call is real: the sandbox asks for it, the agent runs it here, and what it finds says how the sandbox goes on.
Each agent has a folder of its own as home, so that nobody's settings are read or written.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS_MAX = 60
GPT = "gpt-5.4"
THEN_SPEAK = "[[sandbox output=20]]"
"""What a tool finds: the sandbox answers with a text then. Without it the same tool would be called for ever."""


@dataclass(frozen=True, slots=True)
class Said:
    """What an agent printed: its events, each an object, and its own count of tokens."""

    events: Sequence[Mapping[str, Any]]
    input_tokens: int
    output_tokens: int
    tools: Sequence[str] = ()

    @property
    def last(self) -> str:
        """The words of its last answer."""
        texts = [text for event in self.events if (text := _text(event))]
        return texts[-1] if texts else ""


class AgentError(Exception):
    """An agent did not do what it does without a gateway."""


def claude(program: Path, folder: Path, url: str, key: str, prompt: str) -> Said:
    """One run of Claude Code."""
    work = _rooms(folder)
    (work / "the word").write_text(f"{THEN_SPEAK}\n")  # the file that the sandbox asks to read
    environment = {
        "IS_SANDBOX": "1", "ANTHROPIC_BASE_URL": url, "ANTHROPIC_AUTH_TOKEN": key, "ANTHROPIC_API_KEY": "",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }  # fmt: skip
    command = [
        str(program), "-p", prompt, "--output-format", "stream-json", "--include-partial-messages", "--verbose",
        "--allowedTools", "Read",
    ]  # fmt: skip
    events = _run(command, folder, environment)
    ended = [event for event in events if event.get("type") == "result"]
    if not ended or ended[-1].get("is_error"):
        raise AgentError(f"Claude Code ended badly: {json.dumps(ended or events[-3:])[:2000]}")
    used = ended[-1]["modelUsage"].values()
    names = ("inputTokens", "cacheReadInputTokens", "cacheCreationInputTokens")
    calls = [
        str(block["name"])
        for event in events
        if event.get("type") == "assistant"
        for block in event["message"]["content"]
        if block["type"] == "tool_use"
    ]
    tokens_in = sum(int(each[name]) for each in used for name in names)
    return Said(events, tokens_in, sum(int(each["outputTokens"]) for each in used), calls)


def codex(program: Path, folder: Path, url: str, key: str, prompt: str) -> Said:
    """One run of Codex."""
    work = _rooms(folder)
    tool = folder / "tools" / "the"  # the command that the sandbox asks to run is `the word`
    tool.parent.mkdir(exist_ok=True)
    tool.write_text(f"#!/bin/sh\necho '{THEN_SPEAK}'\n")
    tool.chmod(0o755)
    (folder / ".bash_profile").write_text(f'PATH="{tool.parent}:$PATH"\n')  # its shells are login shells
    provider = f'{{name="gateway",base_url="{url}/v1",env_key="GATEWAY_KEY",wire_api="responses"}}'
    command = [
        str(program), "exec", "--json", "--skip-git-repo-check", "--ephemeral",
        "--dangerously-bypass-approvals-and-sandbox", "--cd", str(work), "-m", GPT, "-c", "model_provider=gateway",
        "-c", f"model_providers.gateway={provider}", prompt,
    ]  # fmt: skip
    events = _run(command, folder, {"GATEWAY_KEY": key, "SHELL": "/bin/bash"})
    ended = [event for event in events if event.get("type") == "turn.completed"]
    if not ended:
        raise AgentError(f"Codex ended badly: {json.dumps(events[-3:])[:2000]}")
    usage = ended[-1]["usage"]
    items = [event["item"] for event in events if event.get("type") == "item.completed"]
    calls = [str(item["command"]) for item in items if item["type"] == "command_execution"]
    return Said(events, int(usage["input_tokens"]), int(usage["output_tokens"]), calls)


def _rooms(folder: Path) -> Path:
    """The agent's home, and the folder that it works in."""
    work = folder / "work"
    work.mkdir(parents=True, exist_ok=True)
    return work


def _run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> list[dict[str, Any]]:
    """What a command prints, an object a line. AgentError where it fails, or goes on for too long."""
    alone = {"PATH": os.environ["PATH"], "HOME": str(folder), **environment}
    try:
        done = subprocess.run(
            command, cwd=folder / "work", env=alone, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=SECONDS_MAX, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise AgentError(f"{command[0]} did not end within {SECONDS_MAX} s") from error
    if done.returncode:
        raise AgentError(f"{command[0]} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def _text(event: Mapping[str, Any]) -> str:
    """The words of an answer, in either agent's events."""
    if event.get("type") == "assistant":
        return "".join(str(block.get("text", "")) for block in event["message"]["content"])
    item = event.get("item") or {}
    return str(item.get("text", "")) if item.get("type") == "agent_message" else ""
