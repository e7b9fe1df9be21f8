"""One of our commands as a process of its own, from the moment that it says where it listens."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from offtake.values.errors import OutsideError

STOP_SECONDS = 40


@dataclass
class Process:
    """A command at work in a group of its own; `url` is where it listens, `log` what it says."""

    popen: subprocess.Popen[bytes]
    log: Path
    url: str

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to stop, and wait; its exit code."""
        if self.popen.poll() is None:
            self.popen.send_signal(number)
        return self.popen.wait(STOP_SECONDS)

    def kill(self) -> None:
        """Kill -9, of it and of everything that it has started."""
        os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait(10)


def started(
    log: Path, arguments: list[str], said: str, environment: Mapping[str, str] | None = None, seconds: float = 30
) -> Process:
    """Start a command in the folder of its log. `said`: what it says, with the address in a group.

    OutsideError O507, with the end of the log, where it does not say so in time.
    """
    with log.open("wb") as file:
        popen = subprocess.Popen(
            [sys.executable, "-m", "offtake.cli", *arguments], cwd=log.parent, env=environment, start_new_session=True,
            stdout=file, stderr=file,
        )  # fmt: skip
    until = time.monotonic() + seconds
    while time.monotonic() < until and popen.poll() is None:
        if found := re.search(said, log.read_text()):
            return Process(popen, log, found[1])
        time.sleep(0.05)
    popen.kill()
    popen.wait()
    why = log.read_text(errors="replace")[-500:]
    raise OutsideError("O507", f"`offtake {arguments[0]}` did not start", why=why, hint=f"see {log}")
