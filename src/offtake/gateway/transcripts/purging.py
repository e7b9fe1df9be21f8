"""The purge: while the gateway runs, transcripts go within seconds of their time, whoever kept them.

The supervisor does it, since it outlives workers; it reads names only. Files say themselves how long they stay, so that
they also go when the configuration keeps none any more; where it has come down to fewer hours, those hold for all.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from offtake.gateway.log import say
from offtake.gateway.supervise import watch
from offtake.operations.serve_config import ServeConfig, load_config
from offtake.store.transcripts.folder import purge, transcripts_folder
from offtake.values.errors import OfftakeError

PURGE_SECONDS = 5.0
SAID_SECONDS = 60.0


def purging(config: ServeConfig) -> Callable[[], None]:
    """A function to call often: it purges at first, and then each few seconds. What it cannot remove, it says."""
    folder = transcripts_folder(config.store)
    changed = watch(lambda: [config.file])
    hours = _hours(config)
    due = said = 0.0

    def purge_when_due() -> None:
        nonlocal due, said, hours
        now = time.monotonic()
        if now < due:
            return
        due = now + PURGE_SECONDS
        try:
            if changed():
                hours = _hours(load_config(config.file))
        except OfftakeError:  # the workers say what is wrong with it
            pass
        try:
            purge(folder, time.time_ns() // 1_000, hours)
        except OSError as error:
            if now - said >= SAID_SECONDS or not said:
                said = now
                say("transcripts cannot be purged", why=error.strerror or type(error).__name__)

    return purge_when_due


def _hours(config: ServeConfig) -> int | None:
    return config.settings.transcripts.hours if config.settings.transcripts else None
