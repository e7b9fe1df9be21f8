"""A forecast of what a commitment's window still draws, asked at any instant of it.

It was made once, and time goes on: what is left of it is read between its months. What has been drawn until now comes
from the ledger, so a month that went otherwise than expected moves λ at once.

Example: made at day 0 of 60 with 600 still to come, of which 300 from day 30 on. At day 15 450 are to come, at day 45
150.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from offtake.gateway.route.odds import Point
from offtake.operations.forecast_file import CommitmentForecast, ForecastFile
from offtake.values.money import to_integer, to_pico

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Of one commitment, in picodollars or weighted tokens. `rests[i]` is what is drawn from `instants[i]` on, by
    `permille`; the last is the window's end, with nothing. `drawn_most`: by then, in the fullest of its futures.
    """

    start: datetime
    permille: tuple[int, ...]
    instants: tuple[datetime, ...]
    rests: tuple[tuple[int, ...], ...]
    drawn_most: int

    def holds(self, at: datetime) -> bool:
        """Whether its window is open."""
        return self.start <= at < self.instants[-1]

    def rest(self, at: datetime, drawn: int) -> Sequence[Point] | None:
        """What is still drawn from an instant on, where so much was drawn until now.

        None where the forecast is out of date: its window is over, or more was drawn than in any of its futures.
        """
        if not self.holds(at) or drawn > self.drawn_most:
            return None
        now = max(at, self.instants[0])
        places = enumerate(pairwise(self.instants))
        index, (start, end) = next((place, span) for place, span in places if span[0] <= now < span[1])
        left, whole = (end - now) // _MICROSECOND, (end - start) // _MICROSECOND
        pairs = zip(self.rests[index], self.rests[index + 1], strict=True)
        return [Point(share, after + (before - after) * left // whole)
                for share, (before, after) in zip(self.permille, pairs, strict=True)]  # fmt: skip


def forecasts_of(file: ForecastFile) -> dict[str, Forecast]:
    """The forecasts of a file, by commitment."""
    return {each.id: _forecast(each, file.permille) for each in file.commitments}


def _forecast(each: CommitmentForecast, permille: tuple[int, ...]) -> Forecast:
    whole = to_integer if each.unit == "token" else to_pico
    rests = [tuple(whole(amount) for amount in rest.amounts) for rest in each.rest]
    return Forecast(
        each.from_, permille, (*(rest.at for rest in each.rest), each.until), (*rests, (0,) * len(permille)),
        whole(each.drawn) + rests[0][-1],
    )  # fmt: skip
