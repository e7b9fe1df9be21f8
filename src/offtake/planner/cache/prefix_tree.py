"""All prompts of a trace as one tree: a node ends where two prompts part or one of them ends.

After the tree is built a prompt is one number, the node where it ends, and its prefixes are that node's ancestors. A
replay then walks up a few nodes instead of comparing thousands of blocks.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

from offtake.usage.prefixes.request import Run


class PrefixTree:
    """Nodes are numbers. `parent[node]` is -1 for a root; `depth[node]` counts blocks from the root."""

    def __init__(self) -> None:
        self.parent: list[int] = []
        self.depth: list[int] = []
        self._label: list[tuple[Run, ...]] = []
        self._child: dict[tuple[int, int], int] = {}
        self._roots: dict[Hashable, int] = {}

    def __len__(self) -> int:
        return len(self.parent)

    def root(self, scope: Hashable) -> int:
        """The root of the prompts that can share a cache."""
        if scope not in self._roots:
            self._roots[scope] = self._add(-1, 0, ())
        return self._roots[scope]

    def cut(self, node: int, depth: int) -> int:
        """The prefix of `node` that ends at this depth; a node is split where none ends there. `depth` ≤ its own."""
        while node >= 0 and self.parent[node] >= 0 and self.depth[self.parent[node]] >= depth:
            node = self.parent[node]
        return node if self.depth[node] == depth else self._split(node, depth)

    def extend(self, node: int, runs: Sequence[Run]) -> int:
        """The node where a prompt ends that has these blocks after `node`."""
        rest = tuple(runs)
        while rest:
            child = self._child.get((node, rest[0][0]))
            if child is None:
                return self._add(node, self.depth[node] + _length(rest), rest)
            same = _shared(self._label[child], rest)
            if self.depth[node] + same < self.depth[child]:
                child = self._split(child, self.depth[node] + same)
            rest, node = _parts(rest, same)[1], child
        return node

    def path(self, node: int) -> Iterator[int]:
        """The node and its ancestors, the longest prefix first, without the root."""
        while self.parent[node] >= 0:
            yield node
            node = self.parent[node]

    def fan_out(self) -> list[int]:
        """How many different continuations each node has."""
        found = [0] * len(self)
        for node, _ in self._child:
            found[node] += 1
        return found

    def _add(self, parent: int, depth: int, label: tuple[Run, ...]) -> int:
        node = len(self.parent)
        self.parent.append(parent)
        self.depth.append(depth)
        self._label.append(label)
        if label:
            self._child[parent, label[0][0]] = node
        return node

    def _split(self, node: int, depth: int) -> int:
        """A new node above `node`, which keeps its number and its end."""
        parent = self.parent[node]
        head, tail = _parts(self._label[node], depth - self.depth[parent])
        above = self._add(parent, depth, head)
        self.parent[node], self._label[node] = above, tail
        self._child[above, tail[0][0]] = node
        return above


def _length(runs: Sequence[Run]) -> int:
    return sum(length for _, length in runs)


def _shared(left: Sequence[Run], right: Sequence[Run]) -> int:
    """How many blocks two lists have in common from their start. Both are as few runs as there can be."""
    same = 0
    for (first, length), (other, other_length) in zip(left, right, strict=False):
        if first != other:
            break
        same += min(length, other_length)
        if length != other_length:
            break
    return same


def _parts(runs: Sequence[Run], blocks: int) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
    """The first so many blocks, and the rest."""
    for index, (first, length) in enumerate(runs):
        if blocks < length:
            head = (*runs[:index], (first, blocks)) if blocks else tuple(runs[:index])
            return head, ((first + blocks, length - blocks), *runs[index + 1 :])
        blocks -= length
    return tuple(runs), ()
