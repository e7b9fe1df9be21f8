"""Contents whose time is over, and what a killed process has left: nothing is kept for longer than was said."""

from __future__ import annotations

from offtake.gateway.batch.documents import batch_of, encode
from offtake.gateway.batch.plan import answers_name, input_name, plan_name
from offtake.gateway.batch.results import results_name
from offtake.store.batches import BatchStore

_OF_RUNNING = ("plan", "answers", "input")


def sweep(store: BatchStore) -> None:
    """At a start: delete what belongs to batches that have ended, or was half written."""
    alive = {document.id for document in store.open("batch")}
    for path in store.folder.iterdir():
        name, _, kind = path.name.rpartition(".")
        if path.name.startswith(".") or (kind in _OF_RUNNING and name not in alive):
            path.unlink()


def purge(store: BatchStore, at: int) -> None:
    """Delete contents that end before an instant; of a batch its counts and its cost stay."""
    for document in store.ended("file", at):
        store.remove(document.id)
    for document in store.ended("batch", at):
        batch = batch_of(document.body)
        batch.metadata, batch.fingerprint = None, ""
        store.delete(results_name(batch.id), plan_name(batch.id), answers_name(batch.id), input_name(batch.id))
        store.write(batch.id, encode(batch), open=False)
