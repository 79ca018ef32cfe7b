r"""Are the symbols of an answer right independently of each other? By simulation of the chain.

Of n answers, :math:`k_L` have their first L symbols right. Under independence each of them goes on
with the probability of the next position, so :math:`k_1, k_2, \dots` is a chain of draws, and a
whole null distribution is a few vectorised draws.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

DRAWS = 10_000


def p_one_probability(
    exact: int,
    n: int,
    length: int,
    right_first: int,
    right_all: int | None,
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> float:
    r"""Return the two-sided p-value of "every position is right with probability p1".

    The statistic is the accuracy minus :math:`\hat p_1^L`. It is compared with the same statistic
    of simulated answers; p1 itself is drawn from its posterior (Jeffreys), since it is not known
    better than its own questions tell.

    Parameters
    ----------
    exact
        Answers whose first ``length`` symbols are all right.
    n
        Answers.
    length
        :math:`L`.
    right_first
        Answers whose first symbol is right: p1 is their share, unless ``right_all`` is given.
    right_all
        Right positions of all answers: p1 is their share of n L.
    rng
        Source of randomness.
    draws
        Simulated sets of answers.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> p_one_probability(64, 100, 2, 80, None, rng) > 0.5
    True
    >>> p_one_probability(80, 100, 2, 80, None, rng) < 0.001
    True
    """
    known, tries = (right_first, n) if right_all is None else (right_all, n * length)
    p = rng.beta(known + 0.5, tries - known + 0.5, size=draws)
    going = np.full(draws, n)
    margin = first = np.zeros(draws)
    for position in range(length):
        others = n - going
        going = rng.binomial(going, p)
        margin = margin + going + rng.binomial(others, p)
        if position == 0 and right_all is None:
            first = going / n
    p_hat = first if right_all is None else margin / tries
    return _two_sided(going / n - p_hat**length, exact / n - (known / tries) ** length)


def p_product(
    exact: int, right: npt.ArrayLike, n: int, rng: np.random.Generator, draws: int = DRAWS
) -> float:
    """Return the two-sided p-value of "positions are right independently of each other".

    Given how often each position is right, which answers those are is shuffled for each position by
    itself: of the answers that are right so far, a hypergeometric number stays right.

    Parameters
    ----------
    exact
        Answers that are right at all positions.
    right
        Answers that are right at each position, shape (length,).
    n
        Answers.
    rng
        Source of randomness.
    draws
        Shuffles.

    Examples
    --------
    >>> p_product(50, [50, 50], 100, np.random.default_rng(0)) < 0.001
    True
    """
    counts = np.asarray(right, dtype=np.int64)
    going = np.full(draws, counts[0])
    for count in counts[1:]:
        going = rng.hypergeometric(count, n - count, going)
    return _two_sided(going.astype(float), float(exact))


def _two_sided(null: Array, observed: float) -> float:
    """Return twice the smaller tail; the observed value counts among the draws."""
    at_most = 1 + int((null <= observed + 1e-12).sum())
    at_least = 1 + int((null >= observed - 1e-12).sum())
    return min(1.0, 2.0 * min(at_most, at_least) / (1 + len(null)))
