r"""How narrow a posterior will be after runs that have not been done: preposterior analysis.

Equally likely laws :math:`i` stand for the posterior. In each of many scenarios one of them,
:math:`s`, is true and a run scores :math:`y_s \sim N(\mu_s, v_s)`; the laws are then weighted by

.. math:: w_{si} \propto w_{si}\, v_i^{-1/2} \exp\left(-\tfrac{(y_s - \mu_i)^2}{2 v_i}\right),

and the interval of E(D0) is read off the new weights. Its mean width over scenarios is the
expected width. The hinge is not linearised: a run that tells nothing under some laws and much
under others counts for what it tells on average, which is what a design at the most likely law
misses. The weights go on from run to run, so batches can be built one by one.

Reference: Lindley 1956, doi:10.1214/aoms/1177728069; Chaloner and Verdinelli 1995,
doi:10.1214/ss/1177009939.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from upswing.laws.emergence.law import Array
from upswing.laws.emergence.rows import Indices

LEVEL = 0.9
"""Mass of the interval whose width counts."""


@dataclass(frozen=True, eq=False)
class Preposterior:
    """Scenarios of what is true, and the weights of all laws in each.

    Attributes
    ----------
    forecast
        E(D0) of the laws [nats/token], ascending, shape (n_points,).
    truth
        Which law is true, by scenario, shape (n_scenarios,).
    log_weight
        Log weights up to a constant of the scenario, shape (n_scenarios, n_points).
    """

    forecast: Array
    truth: Indices
    log_weight: Array

    def after(self, mean: Array, variance: Array, luck: Array) -> Preposterior:
        """Return the weights after one more run.

        Parameters
        ----------
        mean, variance
            Of its score under each law, shape (n_points,).
        luck
            Standard normal deviate of its score by scenario, shape (n_scenarios,).
        """
        score = mean[self.truth] + np.sqrt(variance[self.truth]) * luck
        away = score[:, None] - mean
        gained = -0.5 * away * away / variance - 0.5 * np.log(variance)
        return replace(self, log_weight=self.log_weight + gained)

    def weights(self) -> Array:
        """Return the weights, each scenario's summing to 1, shape (n_scenarios, n_points)."""
        weight = np.exp(self.log_weight - self.log_weight.max(axis=1, keepdims=True))
        return np.asarray(weight / weight.sum(axis=1, keepdims=True))

    def widths(self) -> Array:
        """Return the width of the central 90 % of E(D0) by scenario [nats/token]."""
        weight = self.weights()
        middle = np.cumsum(weight, axis=1) - 0.5 * weight
        ends = [self._quantile(middle, share) for share in (0.5 - LEVEL / 2, 0.5 + LEVEL / 2)]
        return np.asarray(ends[1] - ends[0])

    def _quantile(self, middle: Array, share: float) -> Array:
        """Return a quantile by scenario, straight between points."""
        after = np.clip((middle < share).sum(axis=1), 1, middle.shape[1] - 1)
        scenario = np.arange(len(middle))
        low, high = middle[scenario, after - 1], middle[scenario, after]
        part = np.clip((share - low) / np.maximum(high - low, 1e-300), 0.0, 1.0)
        below, above = self.forecast[after - 1], self.forecast[after]
        return np.asarray(below + part * (above - below))

    def effective(self) -> float:
        """Return how many laws share the weight, in the median scenario."""
        return float(np.median(1.0 / (self.weights() ** 2).sum(axis=1)))


def scenarios_of(forecast: Array, count: int, rng: np.random.Generator) -> Preposterior:
    """Return the start: equal weights, and truths spread over the laws.

    Parameters
    ----------
    forecast
        E(D0) of equally likely laws [nats/token], ascending, shape (n_points,).
    count
        Number of scenarios.
    rng
        Source of randomness.
    """
    places = (np.arange(count) + rng.uniform(size=count)) / count
    truth = np.asarray(places * len(forecast), dtype=np.int64)
    return Preposterior(forecast, truth, np.zeros((count, len(forecast))))
