"""The events file: launches, migrations and retirements, and what is wrong with them."""

from __future__ import annotations

import pytest

from offtake.planner.demand.events import Event
from offtake.planner.demand.events_file import read_events
from offtake.values.errors import InputError

KNOWN = ("assistant", "search")


def test_events_are_read_in_order() -> None:
    text = """\
events:
  - {kind: launch, workload: assistant, month: 3, factor: 2.5, over_months: 3}
  - {kind: migration, workload: search, to: assistant, month: 2, share: 50%}
  - {kind: retirement, workload: search, month: 6, probability: 80%}
"""

    assert (
        Event(kind="launch", workload="assistant", month=3, factor=2.5, over_months=3),
        Event(kind="migration", workload="search", to="assistant", month=2, share=0.5),
        Event(kind="retirement", workload="search", month=6, probability=0.8),
    ) == read_events(text, "events.yaml", KNOWN)


def test_json_is_read_too() -> None:
    text = '{"events": [{"kind": "retirement", "workload": "search", "month": 6}]}'

    assert (Event(kind="retirement", workload="search", month=6),) == read_events(text, "events.json", KNOWN)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("{kind: lunch, workload: search, month: 1}", "an event's kind is launch, migration, retirement"),
        ("{kind: launch, workload: search, month: 1}", "the launch lacks 'factor'"),
        ("{kind: launch, workload: chat, month: 1, factor: 2}", "no workload 'chat'"),
        ("{kind: launch, workload: search, month: 0, factor: 2}", "from 1 to 120, not 0"),
        ("{kind: launch, workload: search, month: 1, factor: -2}", "a number from 0 to 1000"),
        ("{kind: launch, workload: search, month: 1, factor: 2, share: 5%}", "a launch has no 'share'"),
        ("{kind: migration, workload: search, month: 1, to: search}", "cannot move to itself"),
        ("{kind: migration, workload: search, month: 1, to: assistant, share: 0.5}", "written with a percent sign"),
        ("{kind: retirement, workload: search, month: 1, probability: 120%}", "outside of 0% to 100%"),
        ("later", "an event is a mapping"),
    ],
)
def test_a_wrong_event_is_named_with_its_place(row: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        read_events(f"events:\n  - {row}\n", "events.yaml", KNOWN)

    assert "P648" == caught.value.code
    assert str(caught.value).startswith("events.yaml:2:")
