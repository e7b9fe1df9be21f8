"""The tree of prompts: where it splits, and that numbers of nodes stay what they were."""

from __future__ import annotations

from offtake.planner.cache.prefix_tree import PrefixTree
from offtake.usage.prefixes.request import joined


def blocks(text: str) -> tuple[tuple[int, int], ...]:
    return joined((ord(letter), 1) for letter in text)


def test_a_node_ends_where_prompts_part_and_keeps_its_number() -> None:
    tree = PrefixTree()
    root = tree.root("here")
    first = tree.extend(root, blocks("abcd"))
    second = tree.extend(root, blocks("abxy"))

    assert (4, 4) == (tree.depth[first], tree.depth[second])
    assert tree.parent[first] == tree.parent[second]
    assert 2 == tree.depth[tree.parent[first]]
    assert [second, tree.parent[second]] == list(tree.path(second))
    assert 2 == tree.fan_out()[tree.parent[first]]


def test_the_same_prompt_ends_at_the_same_node() -> None:
    tree = PrefixTree()
    first = tree.extend(tree.root("here"), blocks("abcd"))
    tree.extend(tree.root("here"), blocks("ab"))

    assert first == tree.extend(tree.root("here"), blocks("abcd"))
    assert first == tree.extend(tree.extend(tree.root("here"), blocks("a")), blocks("bcd"))


def test_scopes_share_nothing() -> None:
    tree = PrefixTree()

    assert tree.extend(tree.root("here"), blocks("ab")) != tree.extend(tree.root("there"), blocks("ab"))


def test_a_cut_is_the_prefix_of_that_depth() -> None:
    tree = PrefixTree()
    end = tree.extend(tree.root("here"), blocks("abcd"))
    cut = tree.cut(end, 3)

    assert (3, cut) == (tree.depth[cut], tree.parent[end])
    assert (cut, end, tree.root("here")) == (tree.cut(end, 3), tree.cut(end, 4), tree.cut(end, 0))
    assert cut == tree.extend(tree.root("here"), blocks("abc"))
