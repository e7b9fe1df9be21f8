"""The supervisor: the ingester and the workers as processes of their own, started, watched, told to reload and to stop.

It serves nothing and holds nothing that a crash could lose: every book is in the journals and the ledger. A worker
that dies is replaced under a new name; its journal is read to the end and its leases are taken back by the ingester.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import socket
import stat
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType

from offtake.gateway.log import say, say_crash
from offtake.operations.accepted_results import accepted_folder
from offtake.operations.serve_config import ServeConfig, load_config
from offtake.values.errors import OfftakeError, OutsideError

LOOK_SECONDS = 0.5
"""How soon a changed file is seen; a signal, or the death of a process, is noticed at once."""
RESTART_SECONDS = 1.0
"""A worker that dies sooner than this is replaced only after it, so that a fault at start does not spin."""

CRASHED = 70
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
PR_SET_PDEATHSIG = 1

Run = Callable[[], None]


def reserve_port(host: str, port: int) -> socket.socket:
    """A socket that is bound and never listens: it keeps the port while workers share it. OutsideError G704."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        if port:  # a free port is ours alone; a port that was asked for must not be someone else's
            _check_free(host, port, family)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise OutsideError(
            "G704", f"cannot listen on {host}:{port}: {error.strerror or error}", hint="name another port with --port"
        ) from error
    return bound


def _check_free(host: str, port: int, family: int) -> None:
    """SO_REUSEPORT would let two gateways share a port in silence."""
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


class Supervisor:
    """Runs `ingester`, `batches` and a `worker` for each index until it is told to stop, each in a forked process."""

    def __init__(
        self, ingester: Run, batches: Run, worker: Callable[[int], Run], workers: int, drain_seconds: float
    ) -> None:
        self._starts: dict[str, Run] = {"ingester": ingester, "worker of batches": batches}
        self._starts |= {f"worker {index}": worker(index) for index in range(workers)}
        self._running: dict[int, tuple[str, float]] = {}
        self._due: dict[str, float] = {}
        self._drain_seconds = drain_seconds
        self._stopping = False
        self._reloading = False
        self._woken, self._waking = socket.socketpair()
        for each in (self._woken, self._waking):
            each.setblocking(False)

    def run(self, changed: Callable[[], bool], tidy: Run) -> None:
        """Serve until SIGTERM or SIGINT; SIGHUP, or what `changed` sees, makes the workers reload.

        `tidy` is called at each look.
        """
        before = {each: signal.signal(each, self._told) for each in _SIGNALS}
        signal.set_wakeup_fd(self._waking.fileno(), warn_on_full_buffer=False)
        try:
            for name in self._starts:
                self._start(name)
            due = False
            while not self._stopping:
                self._look()
                tidy()
                if changed() or self._reloading:  # wait until the files rest: one save with its signal is one reload
                    due, self._reloading = True, False
                elif due:
                    due = False
                    self._tell("worker", signal.SIGHUP)
                self._rest()
            self._stop()
        finally:
            signal.set_wakeup_fd(-1)
            for pid in self._running:
                os.kill(pid, signal.SIGKILL)
            for each, handler in before.items():
                signal.signal(each, handler)

    def _told(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            self._reloading = True
        elif number != signal.SIGCHLD:
            self._stopping = True

    def _rest(self) -> None:
        """Until the next look, or a signal."""
        select.select([self._woken], [], [], LOOK_SECONDS)
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(64)

    def _start(self, name: str) -> None:
        sys.stderr.flush()
        supervisor = os.getpid()
        pid = os.fork()
        if pid:
            self._running[pid] = (name, time.monotonic())
            return
        signal.set_wakeup_fd(-1)
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the supervisor decides
        _stop_with(supervisor)
        os._exit(_ended(name, self._starts[name]))

    def _look(self) -> None:
        """Note who has died, and start again who is due."""
        now = time.monotonic()
        for name in self._reaped():
            say("process died", name=name)
            self._due[name] = now + RESTART_SECONDS
        for name in [name for name, due in self._due.items() if due <= now]:
            del self._due[name]
            self._start(name)

    def _reaped(self) -> list[str]:
        found = []
        while self._running:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            name, _ = self._running.pop(pid)
            found.append(name)
        return found

    def _tell(self, kind: str, number: signal.Signals) -> None:
        for pid, (name, _) in self._running.items():
            if name.startswith(kind):
                os.kill(pid, number)

    def _stop(self) -> None:
        """Workers finish what is in flight; the ingester goes last, with everything posted."""
        self._tell("worker", signal.SIGTERM)
        self._await("worker", self._drain_seconds + 5)
        self._tell("ingester", signal.SIGTERM)
        self._await("ingester", 30)

    def _await(self, kind: str, seconds: float) -> None:
        until = time.monotonic() + seconds
        while any(name.startswith(kind) for name, _ in self._running.values()) and time.monotonic() < until:
            self._reaped()
            time.sleep(0.02)


def _stop_with(supervisor: int) -> None:
    """Have the kernel tell this process to stop when the supervisor is gone, however that dies. Linux only."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != supervisor:  # it died before the kernel was told
        os._exit(0)


def _ended(name: str, run: Run) -> int:
    """Run a process to its end; an error in words, since nobody else is there to say it."""
    try:
        run()
    except OfftakeError as error:
        say("process cannot go on", name=name, why=str(error))
        return error.exit_code
    except BaseException as error:  # noqa: BLE001 - the last frame of a process: what it says is all that is left
        say_crash("process crashed", error, name=name)
        return CRASHED
    return 0


def watch(listed: Callable[[], Sequence[Path]]) -> Callable[[], bool]:
    """A function that tells whether one of the files has changed since it was last asked.

    They are listed again after each change, which may name others.
    """
    files = listed()
    seen = _stamps(files)

    def changed() -> bool:
        nonlocal files, seen
        if _stamps(files) == seen:
            return False
        files = listed()
        seen = _stamps(files)
        return True

    return changed


def _stamps(files: Sequence[Path]) -> Mapping[Path, tuple[int, int]]:
    found = {}
    for file in files:
        with contextlib.suppress(OSError):  # between the two halves of an editor's save
            status = file.stat()
            found[file] = (status.st_mtime_ns, status.st_size)
            if stat.S_ISDIR(status.st_mode):  # a folder with what is in it
                found |= _stamps(list(file.glob("*.json")))
    return found


def watched(config: ServeConfig) -> Callable[[], list[Path]]:
    """What lists the files of which a change is a change of terms: as the configuration is now, or last was right."""
    known = config

    def listed() -> list[Path]:
        nonlocal known
        with contextlib.suppress(OfftakeError):
            known = load_config(config.file)
        return _files(known)

    return listed


def _files(config: ServeConfig) -> list[Path]:
    contracts = [config.path(each.file) for each in config.settings.contracts]
    named = ((*each.catalogs, *each.facts, each.forecast) for each in config.settings.contracts)
    beside = [config.path(name) for names in named for name in names if name]
    locks = (contract.with_name("prices.lock.yaml") for contract in contracts)
    accepted = (accepted_folder(contract) for contract in contracts)
    return list(dict.fromkeys([config.file, *contracts, *beside, *locks, *accepted]))
