"""The order of events that every writer may count on, whatever a vendor sends.

One start comes first; a part begins, grows and ends in that order; all parts have ended before the answer does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from offtake.gateway.translate.fields import BadRequest
from offtake.gateway.translate.meaning import Ended, Event, PartEnded, PartGrew, PartSealed, PartStarted, Started


class Order:
    """Passes on what is in order, ends what was left open, and leaves out what stands nowhere."""

    def __init__(self) -> None:
        self._started = False
        self._open: list[int] = []

    def kept(self, events: Iterable[Event]) -> Iterator[Event]:
        """The events in order. Raises BadRequest where a stream did not begin."""
        for event in events:
            match event:
                case Started() if self._started:
                    continue
                case Started():
                    self._started = True
                case PartStarted():
                    self._must_have_started()
                    self._open.append(event.index)
                case PartGrew(index=index) | PartSealed(index=index) if index not in self._open:
                    continue
                case PartEnded(index=index):
                    if index not in self._open:
                        continue
                    self._open.remove(index)
                case Ended():
                    self._must_have_started()
                    yield from [PartEnded(index) for index in self._open]
            yield event

    def _must_have_started(self) -> None:
        if not self._started:
            raise BadRequest("it has no first event")
