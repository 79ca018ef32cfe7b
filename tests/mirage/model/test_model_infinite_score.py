"""The exact share of infinite scores, against drawing and against enumeration."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.stats import binom

from upswing.detection.emergence_score import emergence_scores
from upswing.mirage.model.infinite_score import infinite_share
from upswing.mirage.model.mirage_model import MirageModel


@pytest.mark.parametrize(
    ("length", "n", "percent"),
    [
        (3, 50, 64), (3, 200, 6), (3, 1000, 0),
        # Our notes have 93 % for n = 200, from fewer draws; exactly it is 91.0 %.
        (5, 50, 99), (5, 200, 91), (5, 1000, 48),
    ],
)  # fmt: skip
def test_share_of_the_default_family(length: int, n: int, percent: int) -> None:
    p = MirageModel().token_probability ** length
    assert round(100 * infinite_share(p, n)) == percent


@pytest.mark.parametrize("scales", [3, 4, 5])
def test_agrees_with_enumeration(scales: int) -> None:
    p, n = np.linspace(0.1, 0.7, scales), 3
    total = 0.0
    for counts in product(range(n + 1), repeat=scales):
        chance = np.prod(binom.pmf(counts, n, p))
        total += chance * np.isinf(emergence_scores(np.array([counts], dtype=float))[0])
    assert infinite_share(p, n) == pytest.approx(total, abs=1e-12)


def test_extremes() -> None:
    assert infinite_share(np.zeros(12), 100) == 0.0  # always flat
    assert infinite_share(np.array([0.1, 0.9]), 10) == 0.0  # no score
    assert infinite_share(np.array([0.0] * 11 + [1.0]), 10) == pytest.approx(1.0)
