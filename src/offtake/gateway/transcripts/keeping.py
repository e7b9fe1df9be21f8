"""Which calls are kept, and for how long: whoever allows least decides.

Kept is a call whose customer and workload opted in by the configuration, for the hours that it says; for fewer where
the key's `retention_hours_max` or the contract's `data.retention` says fewer, and not at all where one says none.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from offtake.gateway.admit.residency import hours_kept
from offtake.gateway.desk import instant
from offtake.gateway.transcripts.listening import Listening
from offtake.gateway.transcripts.writer import Writer

if TYPE_CHECKING:
    from offtake.gateway.attempt import Attempt
    from offtake.gateway.http.responder import Responder
    from offtake.gateway.metrics import Counts
    from offtake.operations.serve_config import TranscriptSettings


class Transcripts:
    """One reading of the configuration; the writer is the worker's."""

    def __init__(self, settings: TranscriptSettings, writer: Writer, counts: Counts) -> None:
        self._settings = settings
        self.writer = writer
        self._counts = counts

    def hear(self, attempt: Attempt, request: bytes, responder: Responder) -> Listening | None:
        """What is to stand in for the responder, so that the call is kept; None where it is not to be."""
        key = attempt.caller.key
        if not self.opted_in(key.customer, key.workload):
            return None
        hours = self.hours(attempt)
        if not hours:
            self._counts.transcript("zero_retention")
            return None
        return Listening(responder, attempt, request, hours, self.writer, self._counts.transcript)

    def opted_in(self, customer: str, workload: str) -> bool:
        """Whether the configuration says to keep such calls."""
        settings = self._settings
        return _fits(customer, settings.customers) and _fits(workload, settings.workloads)

    def hours(self, attempt: Attempt) -> int:
        """For how long the call may be kept; 0: not at all."""
        terms = attempt.prepared.outlet.terms.contract.as_of(instant(attempt.at))
        said = (self._settings.hours, attempt.caller.key.retention_hours_max, hours_kept(terms))
        return min(hours for hours in said if hours is not None)


def _fits(name: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
