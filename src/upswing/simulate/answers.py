r"""The same answers under two metrics: curves of exact match and of the edit distance per token.

Every token of an answer of L tokens is right with the probability p of its model. Exact match is
then :math:`p^L`, and the edit distance per token :math:`1-p`; both are counted on the same answers.
A step in p is a step in both metrics; a smooth p may look like a step under exact match only.

Reference: Schaeffer et al. 2023, arXiv:2304.15004, section 2.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from upswing.curves.curve import Axis, Curve
from upswing.errors import InputError
from upswing.simulate.curves import World, shifted_odds


class TwoMetrics(NamedTuple):
    """Curves of the same answers.

    Attributes
    ----------
    exact_match
        Share of answers that are right in every token.
    edit_distance
        Edits per token of the target, from 0 (best) to 1.
    """

    exact_match: Curve
    edit_distance: Curve


def simulate_answers(
    tokens: World,
    x: npt.ArrayLike,
    n: int,
    length: int,
    rng: np.random.Generator,
    between_model_sd: float = 0.0,
    axis: Axis = "params",
    task: str = "simulated",
) -> TwoMetrics:
    """Let models of sizes ``x`` answer ``n`` questions with ``length`` tokens each.

    Parameters
    ----------
    tokens
        The true probability of a right token over scale.
    x
        Scales in axis units, shape (n_scales,).
    n
        Questions.
    length
        Tokens of an answer.
    rng
        Source of randomness.
    between_model_sd
        Standard deviation of that probability between models, on the logit scale.
    axis, task
        Labels of the curves.

    Raises
    ------
    InputError
        If there are no questions or no tokens.

    Examples
    --------
    >>> from upswing.simulate.curves import smooth_world
    >>> rng = np.random.default_rng(0)
    >>> both = simulate_answers(smooth_world(0.3, 3e9), [1e9, 1e10, 1e11], 1000, 5, rng)
    >>> both.exact_match.y.tolist(), both.edit_distance.y.round(3).tolist()
    ([0.001, 0.033, 0.182], [0.743, 0.516, 0.288])
    """
    if n < 1 or length < 1:
        raise InputError(f"{n} questions of {length} tokens cannot be asked")
    scale = np.asarray(x, dtype=float)
    p = shifted_odds(np.clip(tokens.truth(scale), 0.0, 1.0), between_model_sd, rng)
    right = rng.binomial(length, p[:, None], size=(len(p), n))
    share = right / length
    labels = {"axis": axis, "task": task, "family": "simulated", "n_shot": 0}
    counted = np.full(len(p), float(n))
    exact = Curve(
        x=scale,
        y=(right == length).mean(axis=1),
        n=counted,
        chance=0.0,
        metric="exact_match",
        **labels,  # type: ignore[arg-type]
    )
    distance = Curve(
        x=scale,
        y=1.0 - share.mean(axis=1),
        stderr=share.std(axis=1, ddof=1) / np.sqrt(n) if n > 1 else None,
        n=counted,
        metric="token_edit_distance_norm",
        higher_is_better=False,
        proportion=False,
        **labels,  # type: ignore[arg-type]
    )
    return TwoMetrics(exact, distance)
