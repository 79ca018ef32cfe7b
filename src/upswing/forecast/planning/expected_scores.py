r"""What a run would score, at every point of a posterior: mean and variance.

With the elbow of a fresh subset and run at :math:`e + s`, :math:`s \sim N(0, \omega^2)`, a model
:math:`x = e - L` beyond the law's elbow rises by a rectified normal, whose moments are

.. math:: E \max(0, x + s) = x \Phi(z) + \omega \varphi(z), \quad
          E \max(0, x + s)^2 = (x^2 + \omega^2) \Phi(z) + x \omega \varphi(z), \quad z = x/\omega,

and with a cap by the difference of two such terms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from upswing.laws.emergence.fit import EmergenceMle
from upswing.laws.emergence.law import Array, EmergenceForm, position
from upswing.laws.emergence.objective import Objective
from upswing.laws.emergence.posterior import EmergencePosterior
from upswing.laws.emergence.rows import EmergenceRows, block_sums, solve

_SHARP = 1e-4


@dataclass(frozen=True, eq=False)
class PosteriorPoints:
    """Equally likely laws: anchors, exponent, slope and bases together.

    Attributes
    ----------
    form
        The variant of the law.
    theta
        Elbow at D_min, elbow at D_max, exponent, shape (n_points, 3).
    forecast
        E(D0) [nats/token], ascending, shape (n_points,).
    top
        Slope [score per nat], or the cap, shape (n_points,).
    bases
        Base of each amount of data, shape (n_points, n_amounts), or one for all, (n_points, 1).
    ramp
        Nats from elbow to cap; None without a cap.
    amounts
        Amounts of data that the law was fitted to [examples].
    shift_sd
        Standard deviation of the elbow between fresh subsets and runs [nats/token].
    noise
        Standard deviation of scores beyond that of the questions.
    proportion
        Whether scores are shares of questions.
    """

    form: EmergenceForm
    theta: Array
    forecast: Array
    top: Array
    bases: Array
    ramp: float | None
    amounts: Array
    shift_sd: float
    noise: float
    proportion: bool

    def __len__(self) -> int:
        return len(self.forecast)

    def elbows(self, amount: float) -> Array:
        """Return E(D) of every point [nats/token], shape (n_points,)."""
        ends = float(self.amounts[0]), float(self.amounts[-1])
        place = position([amount], self.theta[:, 2], *ends, self.form.shape)[:, 0]
        low, high = self.theta[:, 0], self.theta[:, 1]
        return np.asarray(low + (high - low) * place)

    def scores(
        self, loss: float, amount: float, draws: int = 1, questions: float | None = None
    ) -> tuple[Array, Array]:
        """Return mean and variance of the mean score of a model's runs on fresh subsets.

        Parameters
        ----------
        loss
            Pretraining loss [nats/token].
        amount
            Finetuning examples.
        draws
            Fresh subsets.
        questions
            Questions of each test; None where unknown.

        Returns
        -------
        Array, Array
            Each of shape (n_points,).
        """
        level = int(np.abs(np.log(self.amounts / amount)).argmin())
        base = self.bases[:, min(level, self.bases.shape[1] - 1)]
        beyond = self.elbows(amount) - loss
        if self.ramp is None:
            rise, square = rectified(beyond, self.shift_sd)
            mean = base + self.top * rise
            spread = self.top**2 * np.maximum(square - rise**2, 0.0)
        else:
            rise, square = ramped(beyond, self.shift_sd, self.ramp)
            height = (self.top - base) / self.ramp
            mean = base + height * rise
            spread = height**2 * np.maximum(square - rise**2, 0.0)
        variance = spread + self.noise**2
        if self.proportion and questions is not None:
            share = (np.clip(mean, 0.0, 1.0) * questions + 0.5) / (questions + 1.0)
            variance = variance + share * (1.0 - share) / questions
        return mean, np.maximum(variance, _SHARP**2) / draws


def rectified(x: Array, sd: float) -> tuple[Array, Array]:
    """Return E max(0, x + s) and E max(0, x + s)^2 for s normal with mean 0.

    Examples
    --------
    >>> first, second = rectified(np.array([0.0]), 1.0)
    >>> round(float(first[0]), 4), round(float(second[0]), 4)
    (0.3989, 0.5)
    """
    from scipy.special import ndtr

    if sd <= 0.0:
        positive = np.maximum(x, 0.0)
        return positive, positive**2
    z = x / sd
    inside, density = ndtr(z), sd * np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)
    return x * inside + density, (x * x + sd * sd) * inside + x * density


def ramped(x: Array, sd: float, ramp: float) -> tuple[Array, Array]:
    """Return the first two moments of x + s cut to [0, ramp], for s normal with mean 0."""
    first, second = rectified(x, sd)
    over, over_square = rectified(x - ramp, sd)
    # min(u, ramp)^2 = u^2 - v^2 - 2 ramp v for u = max(x + s, 0), v = max(x + s - ramp, 0)
    return first - over, second - over_square - 2.0 * ramp * over


def posterior_points(
    rows: EmergenceRows,
    mle: EmergenceMle,
    posterior: EmergencePosterior,
    count: int,
    rng: np.random.Generator,
    *,
    irreducible: float = 0.0,
    proportion: bool = True,
) -> PosteriorPoints:
    """Return equally likely laws from a posterior of anchors and exponent.

    Points are taken from the posterior by systematic resampling; slope (or cap) and bases are
    drawn from what least squares leaves open at each. The ramp of a cap is the most likely one;
    shifts and noise are the posterior's means.

    Parameters
    ----------
    rows, mle, posterior
        The data, the most likely law and the posterior.
    count
        How many.
    rng
        Source of randomness.
    irreducible
        Irreducible loss of the corpus [nats/token]; no forecast is below it.
    proportion
        Whether scores are shares of questions.
    """
    order = np.argsort(posterior.forecast, kind="stable")
    places = (np.arange(count) + rng.uniform()) / count
    total = np.cumsum(posterior.weight[order])
    chosen = order[np.minimum(np.searchsorted(total, places * total[-1]), len(order) - 1)]
    theta = posterior.theta[chosen]
    capped = mle.form.cap
    full = np.column_stack([theta, np.full(count, mle.theta[3])]) if capped else theta
    objective = Objective(rows, mle.form)
    sums = block_sums(*objective.regressors(full), rows.value, objective.onto_block)
    linear = solve(sums, *objective.flat, capped)
    known = linear.information > 1e-12
    scatter = mle.sigma / np.sqrt(np.where(known, linear.information, 1.0))
    usual = (mle.curves.cap if capped else mle.curves.slope) or 0.0
    top = np.where(known, linear.top + scatter * rng.standard_normal(count), usual)
    pp, pq, py = sums[0], sums[1], sums[3]
    weight = np.maximum(pp, 1e-9)
    bases = (py - top[:, None] * pq) / weight
    bases = bases + np.where(pp > 0.5, mle.sigma / np.sqrt(weight), 0.0) * rng.standard_normal(
        bases.shape
    )
    tuned = len(rows.amounts) if mle.form.floors else 1
    means = posterior.means
    shifts = np.hypot(means.get("subset_sd", 0.0), means.get("run_sd", 0.0))
    return PosteriorPoints(
        mle.form,
        theta,
        np.maximum(posterior.forecast[chosen], irreducible),
        np.maximum(top, bases[:, :tuned].max(axis=1) if capped else 0.0),
        bases[:, :tuned],
        float(mle.theta[3]) if capped else None,
        rows.amounts,
        float(shifts),
        float(means.get("noise", mle.sigma)),
        proportion,
    )
