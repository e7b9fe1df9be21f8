"""One worker: a process with an event loop, a journal of its own, and connections to every vendor."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import secrets
import signal
import ssl
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING

import uvloop

from offtake.gateway.batch.pages import UPLOADS
from offtake.gateway.budgets import Budgets
from offtake.gateway.callers import Callers, Rates
from offtake.gateway.desk import Desk, Ids, instant, microseconds
from offtake.gateway.handle import Handler, refuse_early
from offtake.gateway.http.limits import Limits
from offtake.gateway.http.server import Server, listening_socket
from offtake.gateway.http.upstream import Pool, Timeouts, client_tls
from offtake.gateway.in_force import InForce, limits_at, read_in_force
from offtake.gateway.journal.durable import Durable
from offtake.gateway.journal.writer import JournalWriter
from offtake.gateway.log import say
from offtake.gateway.memory import keep_freed
from offtake.gateway.neighbours import Neighbours
from offtake.gateway.route.standing import Standing
from offtake.gateway.standings import Standings
from offtake.gateway.vendors.endpoint import Endpoint
from offtake.gateway.vendors.wires import keep_renewed, wire_of
from offtake.ledger.decisions import standing
from offtake.ledger.gateway_key import GatewayKey
from offtake.operations.serve_config import ServeConfig, VendorSettings, load_config
from offtake.operations.vendor_keys import transcripts_master, vendor_key
from offtake.store.batches import batches_folder
from offtake.store.ledger.decisions import decisions_version, read_decisions
from offtake.store.ledger.keys import key_book, keys_version, server_secret
from offtake.store.ledger.leases import start_worker
from offtake.store.ledger.ledger import Ledger, open_ledger
from offtake.store.transcripts.folder import transcripts_folder
from offtake.values.errors import OfftakeError, OutsideError

if TYPE_CHECKING:
    from offtake.gateway.cache.caching import Caching
    from offtake.gateway.telemetry import Telemetry
    from offtake.gateway.transcripts.keeping import Transcripts
    from offtake.gateway.transcripts.writer import Writer

LOOK_SECONDS = 1.0
"""How soon a new or revoked key is known, and an idle loan goes back."""
WAIT_SECONDS = 2.0
"""So long a request waits for a ledger that another process has locked."""
THREAD_SECONDS = 0.0005
"""How long a thread beside the event loop may keep it waiting."""
ANONYMOUS = GatewayKey(id="anonymous", name="anonymous", created_at=0)


def run_worker(
    config: ServeConfig, in_force: InForce, port: int, neighbours: Neighbours, stale: Callable[[], bool]
) -> None:
    """Serve until SIGTERM, then finish what is in flight. OutsideError where journal or ledger cannot be opened.

    `stale` tells whether the files have changed since `in_force` was read: a worker that replaces a dead one serves
    what the others do.
    """
    name = f"w{neighbours.index}-{time.time_ns() // 1_000_000:x}{secrets.token_hex(2)}"
    ledger = open_ledger(config.store, wait_seconds=WAIT_SECONDS)
    start_worker(ledger, name, microseconds())
    settings = config.settings.gateway
    in_force.limits = limits_at(in_force.outlets, neighbours.index, settings.workers)
    journal = JournalWriter(config.journal, name, power=settings.durability == "power")
    try:
        _settle_down()
        uvloop.run(_Worker(config, in_force, ledger, journal, name, neighbours).serve(port, stale()))
    finally:
        journal.close()
        ledger.close()


def _settle_down() -> None:
    """What costs time in the midst of requests is done now, or seldom: collections, threads that hold on, faults."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    sys.setswitchinterval(THREAD_SECONDS)
    keep_freed()


class _Worker:
    def __init__(
        self, config: ServeConfig, in_force: InForce, ledger: Ledger, journal: JournalWriter, name: str,
        neighbours: Neighbours,
    ) -> None:  # fmt: skip
        self._config = config
        self._ledger = ledger
        self._in_force = in_force
        self._journal = journal
        self._name = name
        self._neighbours = neighbours
        self._index = neighbours.index
        self._rates = Rates(neighbours.index, config.settings.gateway.workers)
        self._writer: Writer | None = None

    async def serve(self, port: int, stale: bool = False) -> None:
        """Until told to stop. `stale`: the files have changed since they were read."""
        settings = self._config.settings.gateway
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        self._version = keys_version(self._ledger)
        self._renew_policy()
        self._standings = Standings(self._ledger, self._in_force.outlets, self._in_force.forecasts)
        budgets = Budgets(
            self._ledger, self._name, settings.workers, time.monotonic, self._neighbours,
            passes=settings.on_ledger_failure == "pass_and_journal",
        )  # fmt: skip
        self.desk = desk = Desk(
            settings, self._in_force, endpoints_of(self._config), self._callers(), budgets, self._journal,
            Durable(self._journal) if settings.durability == "power" else None, Ids(self._name), self._config.journal,
        )  # fmt: skip
        self._neighbours.listen(budgets.give)
        desk.caching, desk.telemetry = self._caching(self._config), self._telemetry()
        desk.transcripts = self._transcripts(self._config)
        if stale:
            self._reload()
        limits = replace(Limits(), body_bytes=desk.body_bytes_max, larger=UPLOADS)
        handler = Handler(desk, batches_folder(self._config.store))
        routines = handler.routines
        server = Server(handler, limits=limits, refuse=refuse_early, aside=lambda: routines.under_way)
        handler.run = server.run
        await server.listen(listening_socket(settings.host, port))
        looking = asyncio.create_task(self._look())
        renewing = asyncio.create_task(keep_renewed(lambda: desk.endpoints.values()))
        await stop.wait()
        looking.cancel()
        renewing.cancel()
        await server.stop(settings.drain_seconds_max)
        routines.stop()
        with contextlib.suppress(OutsideError):
            await desk.budgets.tell_passed(microseconds())
        with contextlib.suppress(asyncio.CancelledError):
            await looking
        for endpoint in desk.endpoints.values():
            await endpoint.pool.close()
        if desk.telemetry is not None:
            await asyncio.to_thread(desk.telemetry.close)
        if self._writer is not None:
            await asyncio.to_thread(self._writer.close)

    def _caching(self, config: ServeConfig) -> Caching | None:
        """What workloads opted in to, with what was seen before a reload; None where none did, which costs nothing."""
        if not config.settings.cache:
            return None
        from offtake.gateway.cache.caching import Caching

        before = self.desk.caching
        return Caching(config.settings.cache, server_secret(config.store), before.reads if before else None)

    def _telemetry(self) -> Telemetry | None:
        """What delivers traces and metrics; None where nobody asked for it, and then it is not even imported."""
        settings = self._config.settings.telemetry
        if settings is None:
            return None
        from offtake.gateway.telemetry import Telemetry

        return Telemetry(settings, self._name)

    def _transcripts(self, config: ServeConfig) -> Transcripts | None:
        """What keeps calls of customers who opted in; None where none did. The master key is read once."""
        settings = config.settings.transcripts
        if settings is None:
            return None
        from offtake.gateway.transcripts.keeping import Transcripts
        from offtake.gateway.transcripts.writer import Writer

        counts = self.desk.counts
        counts.keeps_transcripts()
        if self._writer is None:
            master = transcripts_master(config, settings.key)
            self._writer = Writer(transcripts_folder(config.store), master, self._name, counts.transcript)
        return Transcripts(settings, self._writer, counts)

    def _callers(self) -> Callers:
        anonymous = ANONYMOUS if self._config.settings.gateway.keys == "none" else None
        config = self._config
        return Callers(key_book(self._ledger), config.budgets, anonymous, self._rates, config.settings.non_urgent)

    async def _look(self) -> None:
        """See what was decided of keys and models, and give back what lies idle. A ledger that is gone ends nothing."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                self.desk.counts.write(self._config.journal, self._name)
            except OutsideError as error:
                say("the counts of the page of metrics stay behind", worker=self._name, why=str(error))
            try:
                await self._see()
                await self.desk.budgets.give_idle_back(microseconds())
            except OutsideError as error:
                say("the ledger cannot be reached", worker=self._name, why=error.code)

    async def _see(self) -> None:
        """Act on what the ledger says now, which a thread reads in one go. OutsideError: it cannot be asked."""
        routing, standings = self.desk.in_force.routing, self._standings
        reservations = {name: each.reservation for name, each in routing.standings.items()}

        def read() -> tuple[int, int, dict[str, Standing] | OfftakeError]:
            versions = keys_version(self._ledger), decisions_version(self._ledger)
            try:
                return *versions, standings.renewed(instant(microseconds()), reservations)
            except OfftakeError as error:
                return *versions, error

        version, decided, found = await asyncio.to_thread(read)
        if version != self._version:
            self.desk.callers = self._callers()
            self._version = version
        if decided != self._decided:
            self._renew_policy()
        if isinstance(found, OutsideError):
            raise found
        if isinstance(found, OfftakeError):  # what a contract has drawn decides an order, and no more
            say("routing keeps the standings that it had", worker=self._name, why=found.code)
        else:
            routing.standings = found

    def _renew_policy(self) -> None:
        """Know which models people have suspended or withdrawn."""
        self._decided = decisions_version(self._ledger)
        self._in_force.policy.renew(standing(read_decisions(self._ledger)))

    def _reload(self) -> None:
        """Take contracts, vendors and shared budgets as they are now; a broken file changes nothing, and is said."""
        running = self._config.settings
        try:
            read = load_config(self._config.file)
            stays = {"gateway": running.gateway, "store": running.store}
            config = replace(read, settings=read.settings.model_copy(update=stays))
            fresh = read_in_force(config, running.gateway.workers, self._index)
            vendors = {name for name, each in config.settings.vendors.items() if running.vendors.get(name) != each}
            endpoints = endpoints_of(config, vendors)
            caching, transcripts = self._caching(config), self._transcripts(config)
        except (OfftakeError, OSError) as error:
            say("a reload failed, so nothing has changed", worker=self._name, why=str(error))
        else:
            self._config = config
            self.desk.endpoints = {**self.desk.endpoints, **endpoints}
            self._in_force = self.desk.in_force = fresh.after(self.desk.in_force, time.monotonic_ns())
            self._standings = Standings(self._ledger, fresh.outlets, fresh.forecasts)
            self.desk.callers = self._callers()
            self.desk.caching, self.desk.transcripts = caching, transcripts
            say("contracts read again", worker=self._name)


def endpoints_of(config: ServeConfig, names: Collection[str] | None = None) -> dict[str, Endpoint]:
    """The endpoints of all vendors or of some, each with connections of its own, for the event loop that runs."""
    return {
        name: Endpoint(name, vendor.models, _pool(config, vendor), wire_of(vendor, vendor_key(config, name)))
        for name, vendor in config.settings.vendors.items()
        if names is None or name in names
    }


def _pool(config: ServeConfig, vendor: VendorSettings) -> Pool:
    settings = config.settings.gateway
    tls = client_tls()
    if not vendor.tls_verify:
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
    timeouts = Timeouts(
        first_byte_seconds=settings.request_seconds_max, between_bytes_seconds=settings.idle_seconds_max,
        total_seconds=settings.request_seconds_max,
    )  # fmt: skip
    return Pool(vendor.base_url, timeouts=timeouts, tls=tls)
