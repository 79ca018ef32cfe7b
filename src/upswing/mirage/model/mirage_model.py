r"""The mathematical model of Schaeffer et al.: only the loss improves, and smoothly.

.. math::
    \ell(N) = (N/c)^a, \quad a < 0, \qquad p(N) = e^{-\ell(N)}

Everything else follows from the probability p of a right token: exact match :math:`p^L`, token edit
distance :math:`L(1-p)`, multiple-choice grade, Brier score, perplexity. Nothing in it jumps; what
looks like a jump is made by the metric, by few questions, or by few scales.

That tokens are right or wrong independently, and that one power law holds for every token, are the
model's assumptions. Reference: Schaeffer, Miranda, Koyejo 2023, arXiv:2304.15004, section 2. The
paper states no values of its figure 2; ours give its look.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from upswing.curves.curve import Curve
from upswing.errors import InputError
from upswing.mirage.model.metrics import (
    METRICS,
    Array,
    ModelMetric,
    Question,
    token_probability,
)

LEAST_LOSS, MOST_LOSS = 1e-100, 700.0
"""Range of the loss [nats/token]: beyond it double precision knows no odds or no perplexity."""

MOST_SPREAD = 20.0
"""Largest spread [nats]: a factor of e^20 between questions is far beyond any test."""

FEWEST_SIZES = 3
"""Sizes that an emergence score needs."""


def _default_sizes() -> Array:
    return np.geomspace(2.1e6, 1.37e11, 12)


class ModelCurve(NamedTuple):
    """One metric over the sizes of a model.

    Attributes
    ----------
    metric
        What it is.
    length
        Tokens of the answer; None where the metric does not depend on it.
    spread
        Spread of the questions' margins [nats]; None where the metric does not depend on it.
    values
        Expected scores, shape (n_sizes,).
    """

    metric: ModelMetric
    length: int | None
    spread: float | None
    values: Array


@dataclass(frozen=True, eq=False)
class MirageModel:
    """A family of models whose loss per token is a power law, and the questions it is asked.

    Attributes
    ----------
    exponent
        a, negative, per natural logarithm of parameters.
    scale
        c, parameters at which the loss is 1 nat/token.
    sizes
        N, parameters of the models, shape (n_sizes,), at least three; kept in ascending order.
    lengths
        L, tokens of an answer: one curve of exact match and of edit distance for each.
    options
        K, options of a multiple-choice question.
    spreads
        s, standard deviation of the margin between questions [nats]: one curve of grade and of
        Brier score for each. At 0 all questions are alike, and the grade is a step. See
        :mod:`upswing.mirage.model.metrics`.

    Examples
    --------
    >>> model = MirageModel(sizes=[3e8, 3e9, 3e10], lengths=(1, 5))
    >>> model.token_probability.round(3).tolist()
    [0.136, 0.368, 0.606]
    """

    exponent: float = -0.3
    scale: float = 3e9
    sizes: Array = field(default_factory=_default_sizes)
    lengths: tuple[int, ...] = (1, 2, 3, 4, 5)
    options: int = 2
    spreads: tuple[float, ...] = (0.0, 0.5, 1.0)

    def __post_init__(self) -> None:
        """Bring everything to its type and check it.

        Raises
        ------
        InputError
            If a value cannot be.
        """
        sizes = np.sort(np.atleast_1d(np.asarray(self.sizes, dtype=float)))
        sizes.flags.writeable = False
        object.__setattr__(self, "sizes", sizes)
        object.__setattr__(self, "lengths", tuple(dict.fromkeys(self.lengths)))
        object.__setattr__(self, "spreads", tuple(dict.fromkeys(map(float, self.spreads))))
        if not np.isfinite(self.exponent) or self.exponent >= 0:
            raise InputError(
                f"the exponent is {self.exponent:g} and must be negative",
                hint="the loss falls with size as (N/c)^a, for instance a = -0.3",
            )
        if not (np.isfinite(self.scale) and self.scale > 0):
            raise InputError(f"the scale is {self.scale:g} and must be a number of parameters")
        if sizes.ndim != 1 or not np.isfinite(sizes).all() or (sizes <= 0).any():
            raise InputError("sizes must be numbers of parameters above 0")
        if len(np.unique(sizes)) != len(sizes) or len(sizes) < FEWEST_SIZES:
            raise InputError(f"the model needs at least {FEWEST_SIZES} sizes, all different")
        if any(length < 1 for length in self.lengths):
            raise InputError("an answer has at least one token")
        if self.options < 2:
            raise InputError(f"{self.options} options leave no choice", hint="at least 2")
        if not all(0 <= spread <= MOST_SPREAD for spread in self.spreads):
            raise InputError(
                "a spread is a standard deviation between questions [nats]",
                hint=f"from 0, all alike, to {MOST_SPREAD:g}",
            )
        if not (self.loss[0] <= MOST_LOSS and self.loss[-1] >= LEAST_LOSS):
            raise InputError(
                f"the loss falls from {self.loss[0]:.3g} to {self.loss[-1]:.3g} nats/token over"
                " these sizes, which is more than numbers can hold",
                hint="a language model that knows nothing has about 11",
            )

    @property
    def loss(self) -> Array:
        """Loss of each size [nats/token], shape (n_sizes,)."""
        with np.errstate(over="ignore"):
            return np.asarray((self.sizes / self.scale) ** self.exponent)

    @property
    def token_probability(self) -> Array:
        """Probability p of a right token, shape (n_sizes,)."""
        return token_probability(self.loss)

    def model_curves(self) -> tuple[ModelCurve, ...]:
        """Return the expected score of every metric, length and spread, over the sizes."""
        return tuple(
            ModelCurve(metric, length, spread, self._expected(metric, length, spread))
            for metric in METRICS
            for length in (self.lengths if metric.varies_with == "length" else (None,))
            for spread in (self.spreads if metric.varies_with == "spread" else (None,))
        )

    def _expected(self, metric: ModelMetric, length: int | None, spread: float | None) -> Array:
        question = Question(length or 1, self.options, spread or 0.0)
        return np.asarray(metric.expected(self.loss, question))

    def as_curve(self, one: ModelCurve) -> Curve:
        """Return one metric as a curve; its task names the length or the spread, as ``L = 3``."""
        metric = one.metric
        return Curve(
            x=self.sizes,
            y=one.values,
            axis="params",
            chance=1.0 / self.options if metric.name == "multiple_choice_grade" else None,
            family="model",
            task=curve_label(one.length, one.spread),
            metric=metric.name,
            lowest=metric.lowest,
            highest=metric.highest,
            higher_is_better=metric.higher_is_better,
            proportion=metric.proportion,
        )

    def curves(self) -> tuple[Curve, ...]:
        """Return :meth:`model_curves` as curves, for all that works on curves."""
        return tuple(self.as_curve(one) for one in self.model_curves())


def curve_label(length: int | None, spread: float | None) -> str:
    """Return what tells a curve from others of its metric.

    >>> curve_label(3, None), curve_label(None, 0.5), curve_label(None, None)
    ('L = 3', 's = 0.5', '')
    """
    if length is not None:
        return f"L = {length}"
    return "" if spread is None else f"s = {spread:g}"
