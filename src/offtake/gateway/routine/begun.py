"""A call by routine that is on its way, and what the connection to the vendor tells it: its own steps, no coroutine."""

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
from offtake.gateway.relay import EVENTS
from offtake.gateway.settle import Costs

if TYPE_CHECKING:
    from offtake.gateway.dialects.openai_chat import Stream
    from offtake.gateway.route.candidates import Candidate
    from offtake.gateway.route.standing import Standing
    from offtake.gateway.routine.routine import Routine


class Decided(Struct):
    """Where a contract stood when a call began, what that decided, and the headers that say so, as lines."""

    candidate: Candidate
    standing: Standing | None
    lines: bytes


class Begun(Struct, eq=False):
    """A call that is on its way: what it holds and has counted, and when it began.

    `at` is in microseconds, `sent_ns` and `first_ns` on the clock of latencies. `answer` is there once its head is.
    """

    routine: Routine
    decided: Decided
    id: str
    request: Request
    responder: Responder
    input_tokens_max: int
    at: int
    sent_ns: int
    hold_pico: int
    purses: tuple[Purse, ...]
    amounts: Amounts
    first_ns: int = 0
    answer: Answer | None = None
    body: bytes | None = None
    costs: Costs | None = None

    # What the connection to the vendor tells.

    def answered(self, answer: Answer) -> None:
        """The head is there."""
        self.first_ns = time.monotonic_ns()
        self.answer = answer
        if answer.status == 200 and not streams(answer):
            answer.then(self.come)
        else:
            self._hand_over(answer, self.routine.generally(self, answer))

    def failed(self, error: UpstreamError) -> None:
        """No head comes. An idle connection may have been closed as we wrote: then the call is sent once more."""
        if self.routine.routines.came():
            again = isinstance(error, NotSentError)
            self._go_on(self.routine.send(self) if again else self.routine.generally(self, error))

    def come(self) -> None:
        """All of the answer is here, or as much as is read ahead, or its end does not come."""
        routine = self.routine
        if not routine.routines.came():
            return
        try:
            if not routine.ended(self):
                self._go_on(routine.end(self))
        except Exception as error:  # noqa: BLE001 - it is told as those of coroutines are
            self._go_on(raising(error))

    def _hand_over(self, answer: Answer, work: Work) -> None:
        answer.then(None)
        if self.routine.routines.came():
            self._go_on(work)
        else:
            work.close()

    def _go_on(self, work: Work) -> None:
        self.routine.routines.go_on(self.id, self.request, self.responder, work)


class Streamed(Begun):
    """A call whose answer is to be streamed: each piece goes to the client as it comes.

    `passed_bytes` have come so far. `costs` are there once they are written down, which is before the piece that tells
    them is passed on.
    """

    reading: Stream | None = None
    passed_bytes: int = 0

    def answered(self, answer: Answer) -> None:
        """The head is there: begin to answer with a stream; what is none goes the general way."""
        self.first_ns = time.monotonic_ns()
        self.answer = answer
        if answer.status != 200 or not streams(answer):
            self._hand_over(answer, self.routine.generally(self, answer))
            return
        answer.then(self.come, self.take)
        try:
            self.reading = self.routine.streaming(self, answer)
        except Exception as error:  # noqa: BLE001 - it is told as those of coroutines are
            self._hand_over(answer, raising(error))
            answer.close()

    def take(self, piece: bytes) -> bool:
        """Pass a piece on; True once a coroutine goes on, from the next one."""
        answer, reading, responder = self.answer, self.reading, self.responder
        assert answer is not None
        assert reading is not None
        self.passed_bytes += len(piece)
        passed = reading.feed(piece)
        if reading.complete and self.costs is None:
            self.costs = self.routine.streamed(self, answer.headers, reading)
            if self.costs is None:
                self._hand_over(answer, self.routine.pour(self, answer, reading, passed, self.passed_bytes))
                return True
        if passed and not responder.gone and responder.write(passed):
            self._hand_over(answer, self.routine.pour(self, answer, reading, b"", self.passed_bytes))
            return True
        return False

    def come(self) -> None:
        """The end, or there is none."""
        answer, reading, responder = self.answer, self.reading, self.responder
        assert answer is not None
        assert reading is not None
        if not answer.ended or self.costs is None:
            self._hand_over(answer, self.routine.pour(self, answer, reading, b"", self.passed_bytes))
        elif self.routine.routines.came() and not responder.gone:
            responder.write(reading.end())
            responder.finish()


def streams(answer: Answer) -> bool:
    """Whether an answer is a stream of events."""
    return answer.headers.get(b"content-type", b"").startswith(EVENTS)


async def raising(error: Exception) -> None:
    """What has gone wrong already, for who awaits a coroutine."""
    raise error
