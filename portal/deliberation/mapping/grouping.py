"""Groups of people who stand alike: principal components of the stands, k-means, the number of groups by silhouette.

As Polis does it, with two differences. As many components are looked at as the stands really have (parallel analysis:
those stronger than in the same stands dealt out anew), so that a fourth or fifth group is not lost in a flat picture;
and where there is none, everybody is one group.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

from portal.deliberation.mapping.question import AGREE, DISAGREE, LEAST, MOST_GROUPS, PASS

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.intp]
Seen = npt.NDArray[np.bool_]
SEED = 20260101
STARTS = 10
# How often the stands are dealt out anew: small samples differ more. Cells in all, and the fewest and most times.
DEALT_CELLS, LEAST_DEALT, MOST_DEALT = 2_000_000, 3, 20
# Silhouettes look at each pair; beyond so many people at a sample of them.
SAMPLE = 2000


@dataclass(frozen=True)
class Groups:
    """Each person's group, the largest first; the groups' middles, a row each; how many were too small and merged."""

    labels: Labels
    middles: Floats
    silhouette: float
    merged: int = 0

    @property
    def count(self) -> int:
        return len(self.middles)


def matrix(rows: Sequence[str]) -> Floats:
    """1 agrees, -1 disagrees, 0 passes, nan has not seen it; a row each."""
    signs = np.array([list(row) for row in rows])
    found = np.full(signs.shape, np.nan)
    for sign, value in ((AGREE, 1.0), (DISAGREE, -1.0), (PASS, 0.0)):
        found[signs == sign] = value
    return found


def groups(stands: Floats) -> Groups:
    """The groups of people; one, of everybody, where the stands show none."""
    places = _places(stands)
    whole = Groups(np.zeros(len(stands), dtype=np.intp), np.zeros((1, 1)), 0.0)
    most = min(MOST_GROUPS, places.shape[1] + 2, len(stands) // LEAST, len(np.unique(places, axis=0)))
    found = [_clustered(places, count) for count in range(2, most + 1)] if places.shape[1] else []
    return max(found, key=lambda one: one.silhouette, default=whole)


def _places(stands: Floats) -> Floats:
    """Where each person stands on each component that means something; no columns where none does."""
    seen = ~np.isnan(stands)
    centred = _centred(stands, seen)
    components = _components(centred, seen)
    # Who saw little stands near the middle only for that: moved outwards, as Polis does.
    outwards = np.sqrt(stands.shape[1] / seen.sum(axis=1))
    # Rounded, so that those who stand alike stand on one spot.
    return np.asarray(np.round(centred @ components * outwards[:, None], 9))


def _centred(stands: Floats, seen: Seen) -> Floats:
    """The stands less each statement's mean; what was not seen stands on the mean."""
    known = np.where(seen, stands, 0.0)
    means = known.sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    return np.where(seen, known - means, 0.0)


def _components(centred: Floats, seen: Seen) -> Floats:
    """One component after another, a column each, as long as it is stronger than what chance makes of what is left."""
    found = np.zeros((centred.shape[1], 0))
    while found.shape[1] < min(MOST_GROUPS - 1, centred.shape[1]):
        left = np.where(seen, centred - centred @ found @ found.T, 0.0)
        strengths, components = np.linalg.eigh(left.T @ left)
        if strengths[-1] <= _noise(left, seen):
            break
        found = np.linalg.qr(np.column_stack([found, components[:, -1]]))[0]
    return found


def _noise(left: Floats, seen: Seen) -> float:
    """The strongest component that chance makes: each statement's values dealt out anew to those who saw it."""
    chance = np.random.default_rng(SEED)
    times = int(np.clip(DEALT_CELLS // left.size, LEAST_DEALT, MOST_DEALT))
    strongest = 0.0
    for _time in range(times):
        dealt = left.copy()
        for column in range(left.shape[1]):
            saw = np.flatnonzero(seen[:, column])
            dealt[saw, column] = left[chance.permutation(saw), column]
        strongest = max(strongest, float(np.linalg.eigvalsh(dealt.T @ dealt)[-1]))
    return strongest


def _clustered(places: Floats, count: int) -> Groups:
    labels = np.asarray(KMeans(count, n_init=STARTS, random_state=SEED).fit(places).labels_, dtype=np.intp)
    labels = _large_enough(places, labels)
    order = np.argsort(-np.bincount(labels), kind="stable")
    labels = np.argsort(order, kind="stable")[labels]
    found = len(order)
    middles = np.array([places[labels == group].mean(axis=0) for group in range(found)])
    if found == 1:
        return Groups(labels, middles, 0.0, count - 1)
    size = min(SAMPLE, len(places)) if len(places) > SAMPLE else None
    silhouette = float(silhouette_score(places, labels, sample_size=size, random_state=SEED))
    return Groups(labels, middles, silhouette, count - found)


def _large_enough(places: Floats, labels: Labels) -> Labels:
    """Groups of too few go over to the nearest group, the smallest first; the groups are numbered anew, from 0."""
    while True:
        numbers, sizes = np.unique(labels, return_counts=True)
        if sizes.min() >= LEAST or len(numbers) == 1:
            return np.searchsorted(numbers, labels)
        small = numbers[sizes.argmin()]
        others = numbers[numbers != small]
        middles = np.array([places[labels == group].mean(axis=0) for group in others])
        away = np.linalg.norm(places[labels == small][:, None, :] - middles[None, :, :], axis=2)
        labels = labels.copy()
        labels[labels == small] = others[away.sum(axis=0).argmin()]
