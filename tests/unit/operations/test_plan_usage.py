"""The halves of the usage, and what Ctrl-C does to a search."""

from __future__ import annotations

import os
import signal

import pytest

from offtake.cli.plan_progress import Progress
from offtake.operations.plan_usage import _halves


def test_the_halves_are_multiples_of_the_mean_day() -> None:
    assert {"a": (0.5, 1.5)} == _halves({"a": [1] * 7 + [3] * 7})
    assert _halves({"a": [1] * 13}) is None


def test_ctrl_c_asks_the_search_to_stop_and_a_second_one_leaves(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT)
    with Progress().searching() as watch:
        assert not watch.stop()
        os.kill(os.getpid(), signal.SIGINT)
        assert watch.stop()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)

    assert before is signal.getsignal(signal.SIGINT)
    assert "best plan so far" in capsys.readouterr().err
