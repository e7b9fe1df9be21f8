"""A call by routine that is on its way, and what the connection to the vendor tells it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec import Struct

from offtake.gateway.admit.budget import Purse
from offtake.gateway.admit.limits import Amounts
from offtake.gateway.http.answer import Answer, NotSentError, UpstreamError
from offtake.gateway.http.request import Request
from offtake.gateway.http.responder import Responder
from offtake.gateway.http.server import Work

if TYPE_CHECKING:
    from offtake.gateway.routine.routine import Routine


class Begun(Struct, eq=False):
    """A call that is on its way: what it holds and has counted, and when it began.

    `at` is in microseconds, `sent_ns` and `first_ns` on the clock of latencies. `answer` is there once its head is.
    """

    routine: Routine
    id: str
    request: Request
    responder: Responder
    input_tokens_max: int
    at: int
    sent_ns: int
    hold_pico: int
    purses: tuple[Purse, ...]
    amounts: Amounts
    slots: list[int]
    first_ns: int = 0
    answer: Answer | None = None
    body: bytes | None = None

    # What the connection to the vendor tells.

    def answered(self, answer: Answer) -> None:
        """The head is there."""
        self.first_ns = time.monotonic_ns()
        self.answer = answer
        answer.then(self.come)

    def failed(self, error: UpstreamError) -> None:
        """No head comes. An idle connection may have been closed as we wrote: then the call is sent once more."""
        if self.routine.routines.came():
            again = isinstance(error, NotSentError)
            self._go_on(self.routine.send(self) if again else self.routine.generally(self, error))

    def come(self) -> None:
        """All of the answer is here, or as much as is read ahead, or its end does not come."""
        if not self.routine.routines.came():
            return
        try:
            if not self.routine.ended(self):
                self._go_on(self.routine.end(self))
        except Exception as error:  # noqa: BLE001 - it is told as those of coroutines are
            self._go_on(raising(error))

    def _go_on(self, work: Work) -> None:
        self.routine.routines.go_on(self.id, self.request, self.responder, work)


async def raising(error: Exception) -> None:
    """What has gone wrong already, for who awaits a coroutine."""
    raise error
