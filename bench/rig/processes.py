"""A server under test: a tree of processes on one core, its CPU and memory, and its pauses while others run."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

QUIET_SECONDS = 0.2
QUIET_CPU_SECONDS = 0.004
LISTENS = "0A"
"""A state in /proc/net/tcp."""
IDLE_POLLING = Path("/sys/module/haltpoll/parameters/guest_halt_poll_ns")
IDLE_POLLING_NS = 200_000


def cores() -> tuple[int, int]:
    """(the gateway's core, the core of mock and load). RuntimeError on a machine with one."""
    found = sorted(os.sched_getaffinity(0))
    if len(found) < 2:
        raise RuntimeError("two cores are needed: one for the gateway, one for mock and load")
    return found[0], found[1]


@contextlib.contextmanager
def awake() -> Iterator[None]:
    """An idle core of a virtual machine polls for 200 µs before it sleeps (Linux's own default), where root may say so.

    To wake a sleeping core is work of the hypervisor, up to 20 µs of it, that the kernel counts for the process that
    sends: the slower a gateway, the more often its load sleeps, and a gateway that keeps it busy pays nothing.
    """
    try:
        before = IDLE_POLLING.read_text()
        IDLE_POLLING.write_text(str(max(int(before), IDLE_POLLING_NS)))
    except OSError:  # no virtual machine, or not ours to change
        yield
        return
    try:
        yield
    finally:
        IDLE_POLLING.write_text(before)


class Tree:
    """A command and all that it starts, on one core; its output goes to `log`."""

    def __init__(self, command: Sequence[str], core: int, log: Path, env: Mapping[str, str] | None = None) -> None:
        self._log = log
        with log.open("wb") as file:
            self._popen = subprocess.Popen(
                ["taskset", "-c", str(core), *command], stdout=file, stderr=file, env=env, start_new_session=True
            )

    @property
    def pids(self) -> list[int]:
        """The root and its descendants, in the order of their start."""
        parents = dict(_parents())
        found = {self._popen.pid}
        while more := {pid for pid, (parent, _) in parents.items() if parent in found} - found:
            found |= more
        return sorted(found & parents.keys(), key=lambda pid: (parents[pid][1], pid))

    def cpu_seconds(self) -> dict[int, float]:
        """CPU of each process so far, all threads that live (user and kernel)."""
        return {pid: _cpu(pid) for pid in self.pids}

    def spent(self, work: Callable[[], int]) -> tuple[dict[int, float], int]:
        """CPU seconds of each process that `work` caused, until all are quiet again, and what `work` returned."""
        before = self.cpu_seconds()
        done = work()
        after = self._quiet()
        return {pid: seconds - before.get(pid, 0.0) for pid, seconds in after.items()}, done

    def _quiet(self, seconds_max: float = 60.0) -> dict[int, float]:
        """What is done later, such as writing books, belongs to the requests that caused it."""
        until = time.monotonic() + seconds_max
        now = self.cpu_seconds()
        while time.monotonic() < until:
            before = now
            time.sleep(QUIET_SECONDS)
            now = self.cpu_seconds()
            if sum(now.values()) - sum(before.values()) < QUIET_CPU_SECONDS:
                break
        return now

    def listener(self, port: int) -> int:
        """The process that takes connections on a port of 127.0.0.1. RuntimeError where none does."""
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        inodes = {row[9] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == LISTENS}
        for pid in self.pids:
            if _open(pid) & {f"socket:[{inode}]" for inode in inodes}:
                return pid
        raise RuntimeError(f"nobody listens on {port}")

    def memory_mb(self) -> dict[int, float]:
        """Proportional set size of each process, in MB of 2^20 bytes: what is shared is divided among its sharers."""
        return {pid: _pss_kb(pid) / 1024 for pid in self.pids}

    def pause(self) -> None:
        """No process of it runs until `resume`."""
        os.killpg(self._popen.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.killpg(self._popen.pid, signal.SIGCONT)

    def stop(self) -> None:
        """End it, by force where a kind word does not do."""
        if self._popen.poll() is not None:
            return
        self.resume()
        os.killpg(self._popen.pid, signal.SIGTERM)
        try:
            self._popen.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self._popen.pid, signal.SIGKILL)
            self._popen.wait(10)

    def wait_for(self, url: str, seconds: float) -> None:
        """Return once an address answers. RuntimeError with its last words where it does not."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self._popen.poll() is None:
            try:
                urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=2).close()
                return
            except urllib.error.HTTPError:
                return  # it answers, if not kindly
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"did not start: {self._log.read_text(errors='replace')[-300:]}")


def _parents() -> list[tuple[int, tuple[int, int]]]:
    """(process, (its parent, its start in clock ticks)) of all."""
    found = []
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                fields = (path / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has just ended
                continue
            found.append((int(path.name), (int(fields[1]), int(fields[19]))))
    return found


def _open(pid: int) -> set[str]:
    """What its descriptors are."""
    found = set()
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile
            found.add(str(path.readlink()))
    return found


def _cpu(pid: int) -> float:
    total = 0
    try:
        for path in Path(f"/proc/{pid}/task").iterdir():
            total += int((path / "schedstat").read_text().split()[0])
    except OSError:  # a thread, or all of it, has just ended
        pass
    return total / 1e9


def _pss_kb(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")), 0)
