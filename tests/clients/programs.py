"""The coding agents that people have, installed unchanged by npm: Claude Code and Codex, each at one version.

None is a dependency. Node and npm are needed: where they are missing and this is a Debian machine's root, apt installs
them; elsewhere whoever asks is told so. What npm fetches from is npm's own setting.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

AGENTS = {"claude": "@anthropic-ai/claude-code@2.1.329", "codex": "@openai/codex@0.169.0"}
"""Command → the package that holds it, at the version that was last tried."""
NODE_MAJOR_MIN = 18
SECONDS_MAX = 600


class MissingError(Exception):
    """What is needed is not there; the message says what, and how to get it."""


def installed(folder: Path) -> dict[str, Path]:
    """The agents' commands, installed into a folder where they are not there yet. MissingError."""
    _need_node()
    bin = folder / "node_modules" / ".bin"
    if not all((bin / name).exists() for name in AGENTS) or _said(folder) != _wanted():
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", *AGENTS.values()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
        if done.returncode:
            raise MissingError(f"npm cannot install {' and '.join(AGENTS.values())}:\n{done.stderr[-2000:]}")
        (folder / "versions").write_text(_wanted())
    return {name: bin / name for name in AGENTS}


def _need_node() -> None:
    """MissingError where there is no Node that runs them, after apt was asked where it may be."""
    if not _has_node() and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "nodejs", "npm"], check=False)
    if not _has_node():
        raise MissingError(f"Node.js {NODE_MAJOR_MIN} or later with npm is needed (Debian: apt-get install nodejs npm)")


def _has_node() -> bool:
    if shutil.which("node") is None or shutil.which("npm") is None:
        return False
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    major = version.strip().removeprefix("v").partition(".")[0]
    return major.isdecimal() and int(major) >= NODE_MAJOR_MIN


def _wanted() -> str:
    return "\n".join(AGENTS.values()) + "\n"


def _said(folder: Path) -> str:
    versions = folder / "versions"
    return versions.read_text() if versions.exists() else ""
