r"""Expected scores of the model, each a function of the loss per token alone.

The loss :math:`\ell` [nats/token] gives the probability of a right token, :math:`p = e^{-\ell}`.
Formulas are written in the loss, since :math:`1 - e^{-\ell}` keeps its digits where p is near 1.

In multiple choice the right option holds p on a typical question and the K - 1 wrong ones share the
rest equally, so the right option leads each wrong one by

.. math:: m = \ln p - \ln \frac{1 - p}{K - 1} = \operatorname{logit} p + \ln(K - 1).

Questions differ: to the logarithm of every option an independent normal number with standard
deviation :math:`s/\sqrt 2` is added, so that the lead over one wrong option has the spread s.
That the rest is shared equally, and that all options vary by the same s, is our assumption;
Schaeffer et al. 2023, arXiv:2304.15004, draw a single question with two options, s = 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from upswing.metrics.metric import Shape

Array = npt.NDArray[np.float64]

_TAIL = 9.0
"""Standard deviations beyond which the normal density is left out, below 1e-18."""

_STEP = 0.25
"""Step of the trapezoidal rule; on smooth integrands that die out at both ends it is exact to
rounding."""

_TIE = 1e-12
"""Lead [nats] below which all options are alike but for rounding."""


class Question(NamedTuple):
    """What metrics depend on beside the loss: tokens of an answer, options, spread of margins."""

    length: int = 1
    options: int = 2
    spread: float = 0.0


class ModelMetric(NamedTuple):
    """A metric of the model.

    Attributes
    ----------
    name
        As in the registry of metrics where it is there.
    expected
        From the loss [nats/token], shape (n_sizes,), to the expected score.
    shape
        ``linear``, ``nonlinear`` or ``discontinuous`` in the error per token.
    higher_is_better
        Direction.
    varies_with
        What tells its curves apart: the answer's ``length``, the ``spread`` of margins, or nothing.
    lowest, highest
        Range; None where unbounded.
    proportion
        Whether it is a share of questions.
    """

    name: str
    expected: Callable[[Array, Question], Array]
    shape: Shape
    higher_is_better: bool
    varies_with: Literal["length", "spread", ""] = ""
    lowest: float = 0.0
    highest: float | None = 1.0
    proportion: bool = False


def token_probability(loss: Array) -> Array:
    """Return the probability of a right token, exp(-loss)."""
    return np.asarray(np.exp(-loss))


def exact_match(loss: Array, length: int) -> Array:
    """Return the share of answers of ``length`` tokens that are right throughout, p^L."""
    return np.asarray(np.exp(-length * loss))


def edit_distance(loss: Array, length: int) -> Array:
    """Return the expected token edit distance [tokens], L (1 - p): every wrong token counts 1."""
    return np.asarray(-length * np.expm1(-loss))


def lead(loss: Array, options: int) -> Array:
    """Return how far the right option leads each wrong one [nats]; see the module's formula."""
    return np.asarray(-loss - np.log(-np.expm1(-loss)) + np.log(options - 1.0))


def multiple_choice_grade(loss: Array, options: int = 2, spread: float = 0.0) -> Array:
    r"""Return the share of questions on which the right option has the largest probability.

    .. math:: \int \varphi(z)\, \Phi\!\left(z + \sqrt 2\, m / s\right)^{K-1} dz,

    for two options :math:`\Phi(\operatorname{logit}(p) / s)`, and for s = 0 a step at p = 1/K.

    Parameters
    ----------
    loss
        [nats/token], positive.
    options
        K, at least 2.
    spread
        s, standard deviation of the lead over one wrong option between questions [nats].

    Examples
    --------
    >>> even = np.log(np.array([2.0, 4.0]))  # p = 1/2 and p = 1/4
    >>> multiple_choice_grade(even, 2, 1.0).round(4).tolist()
    [0.5, 0.136]
    >>> multiple_choice_grade(even, 4, 1.0).round(4).tolist()
    [0.7165, 0.25]
    """
    from scipy.special import ndtr

    ahead = lead(loss, options)
    if spread == 0:
        return np.where(np.abs(ahead) < _TIE, 1.0 / options, ahead > 0)
    if options == 2:
        return np.asarray(ndtr(ahead / spread))
    z, weight = _normal(_STEP)
    inner = ndtr(z + np.sqrt(2.0) / spread * ahead[:, None]) ** (options - 1)
    return np.asarray(inner @ weight)


def target_brier(loss: Array, options: int = 2, spread: float = 0.0) -> Array:
    r"""Return the mean over questions of (1 - q)^2, q the probability of the right option.

    With A and S the exponentials of the right and the summed wrong options, q = A / (A + S) and

    .. math:: E (1-q)^2 = \int_0^\infty t\, E[e^{-tA}]\, E[S^2 e^{-tS}]\, dt,

    which needs only one-dimensional normal integrals for any number of options. For s = 0 it is
    (1 - p)^2, whatever the number of options. Parameters are those of
    :func:`multiple_choice_grade`.

    Examples
    --------
    >>> even = np.log(np.array([2.0]))
    >>> target_brier(even).round(4).tolist(), target_brier(even, 2, 1.0).round(4).tolist()
    ([0.25], [0.2934])
    """
    if spread == 0:
        return np.asarray(np.expm1(-loss) ** 2)
    ahead = lead(loss, options)
    z, weight = _normal(_STEP / max(1.0, spread))
    score = spread / np.sqrt(2.0) * z
    reach = _TAIL * spread / np.sqrt(2.0)
    log_t = np.arange(-reach - max(0.0, float(ahead.max())) - 20.0, reach + 5.0, _STEP)

    def tilted(shift: float, power: int) -> Array:
        """Return E[X^power exp(-t X)] t^power, X = exp(shift + score), for every t."""
        x = np.exp(log_t[:, None] + shift + score)
        return np.asarray((x**power * np.exp(-x)) @ weight)

    wrong = options - 1
    none, one, two = (tilted(0.0, power) for power in (0, 1, 2))
    squares = wrong * two * none ** (wrong - 1)
    if wrong > 1:
        squares = squares + wrong * (wrong - 1) * one**2 * none ** (wrong - 2)
    right = np.array([tilted(float(shift), 0) for shift in ahead])
    return np.asarray(right @ squares * _STEP)


def _normal(step: float) -> tuple[Array, Array]:
    """Return nodes and weights of the trapezoidal rule under the standard normal density."""
    z = np.arange(-_TAIL, _TAIL + step, step)
    weight = np.exp(-0.5 * z**2)
    return z, weight / weight.sum()


METRICS = (
    ModelMetric("cross_entropy", lambda loss, _: loss, "linear", False, highest=None),
    ModelMetric("token_probability", lambda loss, _: token_probability(loss), "linear", True),
    ModelMetric(
        "token_edit_distance",
        lambda loss, question: edit_distance(loss, question.length),
        "linear",
        False,
        "length",
        highest=None,
    ),
    ModelMetric(
        "token_edit_distance_norm",
        lambda loss, _: edit_distance(loss, 1),
        "linear",
        False,
        "length",
    ),
    ModelMetric(
        "exact_match",
        lambda loss, question: exact_match(loss, question.length),
        "nonlinear",
        True,
        "length",
        proportion=True,
    ),
    ModelMetric(
        "multiple_choice_grade",
        lambda loss, question: multiple_choice_grade(loss, question.options, question.spread),
        "discontinuous",
        True,
        "spread",
        proportion=True,
    ),
    ModelMetric(
        "tc_brier",
        lambda loss, question: target_brier(loss, question.options, question.spread),
        "nonlinear",
        False,
        "spread",
    ),
    ModelMetric(
        "token_perplexity",
        lambda loss, _: np.exp(loss),
        "nonlinear",
        False,
        lowest=1.0,
        highest=None,
    ),
)
"""The metrics of the model; ``cross_entropy`` is the loss per token, ``tc_brier`` (1 - p)^2."""
