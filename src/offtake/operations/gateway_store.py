"""Where the gateway's books are: a store that was named, or the one of the configuration."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from offtake.operations.serve_config import load_config
from offtake.store.ledger.ledger import Ledger, open_ledger
from offtake.values.errors import InputError

DEFAULT_CONFIG = Path("offtake.toml")


def store_path(config: Path | None, store: Path | None) -> Path:
    """The ledger's file: `store` as it is, else as `config` says, else as offtake.toml here says.

    InputError where none of them is there, ContractError for a configuration that is wrong.
    """
    if store is not None:
        return store
    if config is None and not DEFAULT_CONFIG.exists():
        raise InputError("L717", "no ledger was named", hint="--store offtake.db, or --config offtake.toml")
    return load_config(config or DEFAULT_CONFIG).store


@contextmanager
def gateway_ledger(config: Path | None, store: Path | None, *, create: bool = False) -> Iterator[Ledger]:
    """The ledger, open while the block runs."""
    ledger = open_ledger(store_path(config, store), create=create)
    try:
        yield ledger
    finally:
        ledger.close()
