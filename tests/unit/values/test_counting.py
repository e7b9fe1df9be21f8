"""One thing is never `1 things`."""

from __future__ import annotations

import pytest

from offtake.values.counting import counted


@pytest.mark.parametrize(("number", "words"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (12_000, "12,000 rows")])
def test_a_number_of_things_in_words(number: int, words: str) -> None:
    assert words == counted(number, "row")
