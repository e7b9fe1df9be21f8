"""`offtake serve` as a whole: read everything once, so that what is wrong is said before a port opens, and run it."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from offtake.gateway.batch.run import run_batches
from offtake.gateway.in_force import read_in_force
from offtake.gateway.ingest import ingest
from offtake.gateway.log import say
from offtake.gateway.metrics import forget
from offtake.gateway.neighbours import Neighbours, Pipes
from offtake.gateway.supervise import Run, Supervisor, reserve_port, watch, watched
from offtake.gateway.telemetry import require_sdk
from offtake.gateway.transcripts.purging import purging
from offtake.gateway.vendors.wires import wire_of
from offtake.gateway.worker import run_worker
from offtake.operations.serve_config import ServeConfig, load_config
from offtake.operations.vendor_keys import transcripts_master, vendor_key
from offtake.store.ledger.keys import server_secret
from offtake.store.ledger.ledger import open_ledger
from offtake.store.transcripts.folder import check_master, transcripts_folder


def serve(file: Path, port: int | None, workers: int | None, note: Callable[[str], None]) -> None:
    """Serve until told to stop; `note` is told where. Raises what a wrong configuration, contract or port raises."""
    config = _overridden(load_config(file), port, workers)
    settings = config.settings.gateway
    in_force = read_in_force(config, settings.workers)
    for name, vendor in config.settings.vendors.items():
        wire_of(vendor, vendor_key(config, name))
    if config.settings.telemetry is not None:
        require_sdk()
    if config.settings.transcripts is not None:
        check_master(transcripts_folder(config.store), transcripts_master(config, config.settings.transcripts.key))
    open_ledger(config.store, create=True).close()
    server_secret(config.store)
    forget(config.journal)
    purge = purging(config)
    purge()
    held = reserve_port(settings.host, settings.port)
    bound = int(held.getsockname()[1])

    files = watched(config)
    stale = watch(files)  # asked by each worker once, in its own process
    pipes = Pipes(settings.workers)

    def worker(index: int) -> Run:
        return lambda: run_worker(config, in_force, bound, Neighbours(index, pipes), stale)

    note(f"serving http://{settings.host}:{bound}/v1 (OpenAI) and http://{settings.host}:{bound} (Anthropic)")
    supervisor = Supervisor(
        _ingester(config),
        lambda: run_batches(config, in_force, stale),
        worker,
        settings.workers,
        settings.drain_seconds_max,
    )
    try:
        supervisor.run(watch(files), purge)
    finally:
        held.close()


def _ingester(config: ServeConfig) -> Run:
    def run() -> None:
        told = False

        def stop(*_: object) -> None:
            nonlocal told
            told = True

        signal.signal(signal.SIGTERM, stop)
        ingest(config.store, config.journal, lambda: told, lambda words: say("ledger", words=words))

    return run


def _overridden(config: ServeConfig, port: int | None, workers: int | None) -> ServeConfig:
    """The configuration with what the command line says instead."""
    changes: dict[str, object] = {}
    if port is not None:
        changes["port"] = port
    if workers is not None:
        changes["workers"] = workers
    gateway = config.settings.gateway.model_copy(update=changes)
    return replace(config, settings=config.settings.model_copy(update={"gateway": gateway}))
