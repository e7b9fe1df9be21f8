"""What all tests share: how many examples a property is tried on, and where the repository is.

`make test` tries a law of rating on 1,000 examples (tests/examples.py) and any other property on 200, drawn alike each
time as far as the same modules are loaded; OFFTAKE_FAST=1 tries each on 25, while one is writing; `make soak` on 1,000
that nobody has seen before.
"""

from __future__ import annotations

import os
import signal
from itertools import zip_longest
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from offtake.operations.demo.run import Demo

settings.register_profile("test", max_examples=200, deadline=None, derandomize=True)
settings.register_profile("fast", max_examples=25, deadline=None, derandomize=True)
settings.register_profile("new", max_examples=1_000, deadline=None)
settings.load_profile("fast" if os.environ.get("OFFTAKE_FAST") else "new" if os.environ.get("OFFTAKE_NEW") else "test")


def pytest_configure() -> None:
    """Let Ctrl-C through to the processes that tests start: they would ignore it where a script runs us with `&`."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that all processes end together: what computes in turns with what waits for processes."""

    def within(*folders: str) -> list[pytest.Item]:
        return [item for folder in folders for item in items if item.nodeid.startswith(folder)]

    laws = within("tests/properties/test_rating")
    turns = zip_longest([*laws, *within("tests/properties/")], within("tests/gateway/wire/"))
    first = dict.fromkeys(item for turn in turns for item in turn if item is not None)
    items[:] = [*first, *(item for item in items if item not in first)]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo, made once: whoever changes its files makes another."""
    from offtake.operations.demo.run import run_demo

    return run_demo(tmp_path_factory.mktemp("demo") / "new")
