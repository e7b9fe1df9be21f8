"""What all tests share: how many examples a property is tried on, and where the repository is.

`make test` tries a law of rating on 1,000 examples (tests/examples.py) and any other property on 200, drawn alike each
time as far as the same modules are loaded; OFFTAKE_FAST=1 tries each on 25, while one is writing; `make soak` on 1,000
that nobody has seen before.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from offtake.operations.demo.run import Demo

settings.register_profile("test", max_examples=200, deadline=None, derandomize=True)
settings.register_profile("fast", max_examples=25, deadline=None, derandomize=True)
settings.register_profile("new", max_examples=1_000, deadline=None)
settings.load_profile("fast" if os.environ.get("OFFTAKE_FAST") else "new" if os.environ.get("OFFTAKE_NEW") else "test")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, the properties of rating before the others: two processes should end together."""
    longest = ("tests/properties/test_rating", "tests/properties/")
    items.sort(key=lambda item: [not item.nodeid.startswith(name) for name in longest])


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo, made once: whoever changes its files makes another."""
    from offtake.operations.demo.run import run_demo

    return run_demo(tmp_path_factory.mktemp("demo") / "new")
