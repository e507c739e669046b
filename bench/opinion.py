"""The map of opinion: 5,000 people by 200 statements with planted groups, as a process, against the plain computation.

The plain computation is what Polis describes, straight from scikit-learn: missing stands are the statement's mean, PCA
to two components, k-means for two to five groups, silhouettes of every pair of people. Prints seconds of both (ours as
a process, from its start to its end, and what of that was computing), the adjusted Rand index of the groups
that each found, and whether the map is the same when people are shuffled. `python -m bench.opinion`
"""

import time
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, silhouette_score

from portal.core import children
from portal.deliberation.mapping import grouping
from portal.deliberation.mapping.question import Question, to_json
from portal.deliberation.service.mapping_child import MODULE

PEOPLE, OPINIONS = 5000, 200
Labels = npt.NDArray[np.intp]


def planted(
    groups: int, seen: float, *, seed: int, people: int = PEOPLE, opinions: int = OPINIONS
) -> tuple[Question, Labels]:
    """People of as many groups, and which group each is of. On one statement in five all agree; of the others each
    group is for half and against half, and four in five of its people say what it says. One in ten passes.
    """
    chance = np.random.default_rng(seed)
    truth = chance.choice(groups, size=people)
    agrees = np.where(chance.random((groups, opinions)) < 0.5, 0.8, 0.2)
    agrees[:, chance.random(opinions) < 0.2] = 0.9
    signs = np.where(chance.random((people, opinions)) < agrees[truth], "+", "-")
    signs[chance.random(signs.shape) < 0.1] = "0"
    signs[chance.random(signs.shape) > seen] = "."
    return Question(tuple(range(1, opinions + 1)), tuple("".join(row) for row in signs)), truth


def plain(rows: tuple[str, ...]) -> Labels:
    """What Polis describes, in as few lines as scikit-learn lets one."""
    stands = grouping.matrix(rows)
    known = np.where(np.isnan(stands), np.nanmean(stands, axis=0), stands)
    places = PCA(2).fit_transform(known)
    tried = [KMeans(count, n_init=grouping.STARTS, random_state=1).fit(places).labels_ for count in range(2, 6)]
    return max(tried, key=lambda labels: float(silhouette_score(places, labels)))


def ours(question: Question) -> tuple[dict[str, Any], float]:
    began = time.perf_counter()
    found = children.ask(MODULE, to_json(question), seconds=600, goes_on=bool)
    return found, time.perf_counter() - began


def measure() -> None:
    print(f"opinion: {PEOPLE} people, {OPINIONS} statements")
    for groups, seen in ((2, 1.0), (3, 0.5), (4, 0.3), (5, 1.0), (5, 0.3)):
        question, truth = planted(groups, seen, seed=groups)
        found, seconds = ours(question)
        began = time.perf_counter()
        labels = plain(question.rows)
        plain_seconds = time.perf_counter() - began
        mine = grouping.groups(grouping.matrix(question.rows))
        shuffled = np.random.default_rng(9).permutation(len(question.rows))
        again, _seconds = ours(Question(question.opinions, tuple(question.rows[number] for number in shuffled)))
        same = {**found, "seconds": 0} == {**again, "seconds": 0}
        print(
            f"  {groups} groups, {seen:.0%} of the stands: {seconds:.2f} s ({found['seconds']} s of them computing), "
            f"plain {plain_seconds:.2f} s, ratio of computing {plain_seconds / found['seconds']:.2f}\n"
            f"    adjusted Rand index {adjusted_rand_score(truth, mine.labels):.3f} ({mine.count} groups), "
            f"plain {adjusted_rand_score(truth, labels):.3f} ({len(set(labels))} groups); "
            f"shuffled: {'the same' if same else 'ANOTHER MAP'}"
        )


if __name__ == "__main__":
    measure()
