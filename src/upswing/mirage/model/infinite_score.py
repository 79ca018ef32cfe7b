r"""How often a curve of proportions has an infinite emergence score, exactly.

The score is infinite where the median step is exactly 0 and the curve is not constant. With n
questions a scale the score is k/n, so equal scores are equal counts. Counts at different scales are
independent, so the number of zero steps up to a scale and the count there form a Markov chain, and
one pass over the scales gives the distribution of the number of zero steps.
"""

from __future__ import annotations

import numpy as np

from upswing.mirage.model.metrics import Array


def infinite_share(probability: Array, n: int) -> float:
    """Return the probability of an infinite emergence score, of either sign.

    Parameters
    ----------
    probability
        True score at each scale, shape (n_scales,), in [0, 1].
    n
        Independent questions at each scale. For edit distances it is questions times tokens.

    Returns
    -------
    float
        0 for fewer than 3 scales, which have no score. Time grows with n times n_scales squared.

    References
    ----------
    The emergence score: Schaeffer et al. 2023, arXiv:2304.15004, equation 1.

    Examples
    --------
    >>> round(infinite_share(np.full(3, 0.5), 1), 3)  # needs two equal steps of 0 and a range
    0.0
    >>> round(infinite_share(np.array([0.0, 0.0, 0.0, 0.5]), 1), 3)
    0.5
    """
    from scipy.stats import binom

    true = np.asarray(probability, dtype=float)
    steps = len(true) - 1
    if steps < 2:
        return 0.0
    weight = binom.pmf(np.arange(n + 1), n, true[:, None])
    chain = np.zeros((steps + 1, n + 1))  # by number of zero steps so far, and by count
    chain[0] = weight[0]
    for here in weight[1:]:
        moved = (chain.sum(axis=1, keepdims=True) - chain) * here
        moved[1:] += chain[:-1] * here
        chain = moved
    # The median of the squared steps is 0 where more than half of them are; all of them is flat.
    return float(chain[steps // 2 + 1 : steps].sum())
