"""The order of object types around a ring: those with many directions between them side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

_SWEEPS = 6
_MOST_NODES = 120
"""Above it, the order by neighbours has to do: moving nodes about takes too long."""

Pairs = Sequence[tuple[int, int]]


def ring_order(nodes: int, pairs: Pairs) -> list[int]:
    """Node numbers in the order they stand around the ring; the same for the same input."""
    weights = Counter(tuple(sorted(pair)) for pair in pairs if pair[0] != pair[1])
    neighbours: list[dict[int, int]] = [{} for _ in range(nodes)]
    for (one, other), weight in weights.items():
        neighbours[one][other] = weight
        neighbours[other][one] = weight
    order = _walk(neighbours)
    if 3 < nodes <= _MOST_NODES:
        _improve(order, neighbours)
    return order


def _walk(neighbours: list[dict[int, int]]) -> list[int]:
    """From the busiest node on, always to whom the placed ones have most to do with."""
    degree = [sum(each.values()) for each in neighbours]
    waiting = set(range(len(neighbours)))
    pull = [0] * len(neighbours)
    order: list[int] = []
    while waiting:
        node = max(waiting, key=lambda each: (pull[each], degree[each], -each))
        waiting.remove(node)
        order.append(node)
        for other, weight in neighbours[node].items():
            pull[other] += weight
    return order


def _improve(order: list[int], neighbours: list[dict[int, int]]) -> None:
    """Swaps two nodes as long as that shortens the way around the ring between neighbours."""
    size = len(order)
    place = {node: index for index, node in enumerate(order)}

    def cost(node: int, at: int, without: int) -> int:
        return sum(
            weight * min(abs(at - place[other]), size - abs(at - place[other]))
            for other, weight in neighbours[node].items()
            if other != without
        )

    for _ in range(_SWEEPS):
        better = False
        for left in range(size):
            for right in (*range(left + 1, min(left + 4, size)), (left + size // 2) % size):
                one, other = order[left], order[right]
                if one == other:
                    continue
                now = cost(one, left, other) + cost(other, right, one)
                if cost(one, right, other) + cost(other, left, one) < now:
                    order[left], order[right] = other, one
                    place[one], place[other] = right, left
                    better = True
        if not better:
            return
