"""The process of batches: it checks files, holds and runs batches, writes their results, and deletes what is over.

It is a process of its own, and one, because no line may run twice, because its leases outlive no worker that way, and
because reading 50,000 lines must not stop the clients of a worker. A lock keeps a second one out; it waits until the
ledger has closed its predecessor, whose lines are then held apart, and goes on where that was killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import uvloop

from offtake.gateway.admit.learned import Learned
from offtake.gateway.admit.limits import BATCHES
from offtake.gateway.batch.books import Books
from offtake.gateway.batch.expiry import purge, sweep
from offtake.gateway.batch.life import House, begin, check_file, live
from offtake.gateway.batch.vendor import has_batches
from offtake.gateway.batch.weigh import Scales
from offtake.gateway.batch.work import Work
from offtake.gateway.callers import Caller, Callers
from offtake.gateway.desk import microseconds
from offtake.gateway.in_force import InForce, limits_at, read_in_force
from offtake.gateway.journal.writer import lock
from offtake.gateway.log import say, say_crash
from offtake.gateway.vendors.endpoint import Endpoint
from offtake.gateway.vendors.wires import keep_renewed
from offtake.gateway.worker import ANONYMOUS, endpoints_of
from offtake.ledger.decisions import standing
from offtake.operations.serve_config import ServeConfig, load_config
from offtake.store.batches import BatchStore, Document, batches_folder, open_batches
from offtake.store.ledger.decisions import read_decisions
from offtake.store.ledger.keys import find_key
from offtake.store.ledger.ledger import Ledger, open_ledger
from offtake.values.errors import InputError, OfftakeError

LOOK_SECONDS, IDLE_SECONDS = 0.05, 0.5
"""How soon what is asked is seen: while something runs, and while nothing does."""
PURGE_SECONDS = 5.0
AGAIN_SECONDS = 5.0
"""After a batch could not go on, because the ledger or a disk could not be written."""


def run_batches(config: ServeConfig, in_force: InForce, stale: Callable[[], bool] = lambda: False) -> None:
    """Run until SIGTERM. OutsideError where the ledger or the folder of batches cannot be opened.

    `stale` tells whether the files have changed since `in_force` was read.
    """
    in_force.limits = limits_at(in_force.outlets, BATCHES, config.settings.gateway.workers)
    ledger = open_ledger(config.store)
    store = open_batches(batches_folder(config.store))
    try:
        uvloop.run(_Process(config, in_force, ledger, store).run(stale()))
    finally:
        store.close()
        ledger.close()


@dataclass(slots=True)
class _Running:
    task: asyncio.Task[None]
    work: Work | None = None
    cancelled: bool = False
    again_at: float = 0.0


class _Process:
    def __init__(self, config: ServeConfig, in_force: InForce, ledger: Ledger, store: BatchStore) -> None:
        self._config = config
        self._ledger = ledger
        self._store = store
        self._in_force = in_force
        self._running: dict[str, _Running] = {}
        self._said: set[tuple[str, str]] = set()
        self._stop = asyncio.Event()

    async def run(self, stale: bool = False) -> None:
        """Until told to stop. `stale`: the files have changed since they were read."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        self._endpoints = endpoints = endpoints_of(self._config)
        power = self._config.settings.gateway.durability == "power"
        books = Books(self._ledger, self._config.journal, power=power)
        renewing = asyncio.create_task(keep_renewed(endpoints.values))
        self._house = House(self._store, books, _scales(self._in_force, endpoints, Learned()))
        if stale:
            self._reload()
        descriptor = await self._alone()
        if descriptor is None:
            renewing.cancel()
            return
        try:
            sweep(self._store)
            purged = 0.0
            while not self._stop.is_set():
                with contextlib.suppress(OfftakeError):
                    await self._look()
                    if time.monotonic() - purged > PURGE_SECONDS:
                        purge(self._store, microseconds())
                        purged = time.monotonic()
                await self._wait(LOOK_SECONDS if self._running else IDLE_SECONDS)
            await self._end()
        finally:
            renewing.cancel()
            self._house.books.close()
            os.close(descriptor)

    async def _alone(self) -> int | None:
        """The lock, once there is no other process and the ledger knows all that a predecessor wrote."""
        descriptor = None
        while not self._stop.is_set():
            try:
                descriptor = descriptor or lock(self._store.folder, "batches")
                if not self._house.books.predecessors():
                    return descriptor
            except BlockingIOError:
                pass
            await self._wait(LOOK_SECONDS)
        if descriptor is not None:
            os.close(descriptor)
        return None

    async def _look(self) -> None:
        """Take up what is new, and pass on what was asked."""
        if self._store.has_open():
            await self._take_up()
        for id in [id for id, each in self._running.items() if each.task.done() and not each.again_at]:
            del self._running[id]

    async def _take_up(self) -> None:
        for document in self._store.open("file"):
            await self._check(document)
        for document in self._store.open("batch"):
            running = self._running.get(document.id)
            if running is None or (running.task.done() and time.monotonic() > running.again_at):
                running = self._running[document.id] = _Running(asyncio.create_task(self._live(document)))
            if document.asked == "cancel" and not running.cancelled:
                running.cancelled = True
                _cancel(running)

    async def _check(self, document: Document) -> None:
        caller = self._caller(document.key_id)
        if caller is not None:
            await check_file(self._house, document, caller)

    async def _live(self, document: Document) -> None:
        await asyncio.sleep(0)
        running = self._running[document.id]
        try:
            caller = self._caller(document.key_id)
            work = await begin(self._house, document, caller) if caller else None
            if work is not None:
                running.work = work
                if running.cancelled:
                    _cancel(running)
                await live(work)
        except (OfftakeError, OSError, ValueError) as error:
            why = str(error) if isinstance(error, OfftakeError) else type(error).__name__
            if (document.id, why) not in self._said:
                self._said.add((document.id, why))
                say("a batch cannot go on", batch=document.id, why=why)
            running.again_at = time.monotonic() + AGAIN_SECONDS
        except Exception as error:  # noqa: BLE001 - one batch must not end the others
            say_crash("a batch failed", error, batch=document.id)
            running.again_at = time.monotonic() + AGAIN_SECONDS

    def _caller(self, key_id: str) -> Caller | None:
        """The caller of a key, revoked or not: what was let in is finished. What was decided of models is known now."""
        self._house.scales.in_force.policy.renew(standing(read_decisions(self._ledger)))
        try:
            key = ANONYMOUS if key_id == ANONYMOUS.id else find_key(self._ledger, key_id)
            return Callers.of(key, self._config.budgets)
        except InputError:
            return None

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()

    async def _end(self) -> None:
        """What was sent is waited for, and nothing more is sent."""
        tasks = [each.task for each in self._running.values()]
        for each in self._running.values():
            if each.work is not None:
                each.work.stop.set()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self._config.settings.gateway.drain_seconds_max)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _reload(self) -> None:
        """Take contracts, vendors and shared budgets as they are now; a broken file keeps what is in force.

        Batches that run keep their terms; their vendors' addresses and keys are the new ones.
        """
        scales, running = self._house.scales, self._config.settings
        try:
            read = load_config(self._config.file)
            stays = {"gateway": running.gateway, "store": running.store}
            config = replace(read, settings=read.settings.model_copy(update=stays))
            found = read_in_force(config, running.gateway.workers, BATCHES)
            vendors = {name for name, each in config.settings.vendors.items() if running.vendors.get(name) != each}
            fresh = endpoints_of(config, vendors)
        except (OfftakeError, OSError) as error:
            say("a reload failed, so nothing has changed", worker="batches", why=str(error))
        else:
            self._config = config
            self._endpoints.update(fresh)
            found.after(scales.in_force, time.monotonic_ns())
            self._house.scales = _scales(found, self._endpoints, scales.learned)
            say("contracts read again", worker="batches")


def _scales(in_force: InForce, endpoints: Mapping[str, Endpoint], learned: Learned) -> Scales:
    native = frozenset(name for name, each in endpoints.items() if has_batches(each))
    return Scales(in_force, endpoints, native, learned)


def _cancel(running: _Running) -> None:
    work = running.work
    if work is not None:
        work.batch.times.setdefault("cancelling", microseconds())
        work.cancelled = True
        work.stop.set()
