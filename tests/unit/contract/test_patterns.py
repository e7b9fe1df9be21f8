"""Patterns: what matches, and which of several wins."""

import pytest

from offtake.contract.patterns import match, most_specific


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("*", "gpt-5.4", True),
        ("claude-*", "claude-opus-4-7", True),
        ("claude-opus-4.7", "claude-opus-4-7", True),
        ("claude-opus-4-7", "Claude-Opus-4.7", True),
        ("claude-opus-4", "claude-opus-4-7", False),
        ("*-4-7", "claude-opus-4.7", True),
        ("dev-*", "development", False),
        ("gpt-[5]*", "gpt-5", False),
    ],
)
def test_match(pattern: str, name: str, expected: bool) -> None:
    assert expected == match(pattern, name)


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ([], ()),
        (["gpt-*"], ()),
        (["claude-*", "claude-opus-*", "*"], (1,)),
        (["claude-opus-4-7*", "claude-opus-4.7"], (1,)),
        (["claude-*", "claude-*-7"], (0, 1)),
        (["claude-opus-4-7", "claude-opus-4.7"], (0, 1)),
    ],
)
def test_the_longest_text_before_the_star_wins(patterns: list[str], expected: tuple[int, ...]) -> None:
    assert expected == most_specific(patterns, "claude-opus-4-7")
