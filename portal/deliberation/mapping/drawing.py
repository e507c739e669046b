"""Where the groups are drawn: circles as large as the groups, near each other where they stand alike."""

from collections.abc import Sequence
from itertools import combinations
from math import hypot, sqrt

import numpy as np

from portal.deliberation.mapping.grouping import Floats

WIDTH, HEIGHT = 330.0, 300.0
# The circle of everybody, the smallest that its words fit into, and the gap between two.
LARGEST, SMALLEST, GAP = 110.0, 40.0, 8.0
TURNS = 400

Circle = tuple[float, float, float]
"""Its middle, and its radius."""


def circles(middles: Floats, sizes: Sequence[int]) -> list[Circle]:
    """The groups in a box of 330 by 300, none over another."""
    radii = [max(SMALLEST, LARGEST * sqrt(size / sum(sizes))) for size in sizes]
    spots: list[list[float]] = _flat(middles).tolist()
    for _turn in range(TURNS):
        for one, other in combinations(range(len(radii)), 2):
            _part(spots[one], spots[other], radii[one] + radii[other] + GAP)
        for spot, radius in zip(spots, radii, strict=True):
            spot[0] = min(max(spot[0], radius + 2), WIDTH - radius - 2)
            spot[1] = min(max(spot[1], radius + 2), HEIGHT - radius - 2)
    return [(round(x, 1), round(y, 1), round(r, 1)) for (x, y), r in zip(spots, radii, strict=True)]


def _flat(middles: Floats) -> Floats:
    """The groups' middles on a plane, as far apart as it lets them be, spread over the box."""
    centred = middles - middles.mean(axis=0)
    left, strengths, _right = np.linalg.svd(centred, full_matrices=False)
    flat = np.zeros((len(middles), 2))
    kept = min(2, len(strengths))
    flat[:, :kept] = left[:, :kept] * strengths[:kept]
    # The largest group is to the left and above: a mirrored picture says the same.
    flat *= np.where(flat[0] > 0, -1.0, 1.0)
    reach = max(float(np.abs(flat).max()), 1e-9)
    return np.asarray(flat / reach * np.array([WIDTH / 3, HEIGHT / 3]) + np.array([WIDTH / 2, HEIGHT / 2]))


def _part(one: list[float], other: list[float], apart: float) -> None:
    """Push two apart that are too near, half each."""
    across, down = other[0] - one[0], other[1] - one[1]
    away = hypot(across, down)
    if away >= apart:
        return
    if away < 1e-6:
        across, down, away = 1.0, 0.5, hypot(1.0, 0.5)
    push = (apart - away) / 2 / away
    one[0], one[1] = one[0] - across * push, one[1] - down * push
    other[0], other[1] = other[0] + across * push, other[1] + down * push
