"""``LossFit``: a fitted loss law with its uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from upswing.errors import InputError
from upswing.laws.loss.criterion import Array, LossCriterion
from upswing.laws.loss.law import Axis, LossLaw, LossLaws, checked_scales
from upswing.laws.loss.path import TokenRule, scale_of
from upswing.laws.loss.points import LossPoints
from upswing.notes import Note

_QUANTILES = {"q05": 0.05, "q50": 0.5, "q95": 0.95}


@dataclass(frozen=True, eq=False)
class LossFit:
    """A loss law and what is known of it.

    Attributes
    ----------
    law
        The law; None where refused.
    reason
        Why there is none; empty where there is one.
    criterion
        What was minimised.
    points
        The data.
    constant
        Whether an irreducible loss was asked for.
    laws
        The law as a batch of one.
    objective
        The least value of the criterion, summed over points.
    residual
        Fitted minus seen, logarithms or losses as the criterion says, shape (n_points,).
    covariance
        Of logarithms of the coefficients, exponents, and irreducible loss, in this order.
    resampled
        Laws of resampled models; None without a bootstrap.
    resamples
        How many were drawn.
    notes
        Remarks on the data and on decisions that were taken.
    """

    law: LossLaw | None
    reason: str
    criterion: LossCriterion
    points: LossPoints = field(repr=False)
    constant: bool
    laws: LossLaws | None = field(default=None, repr=False)
    objective: float = math.nan
    residual: Array = field(default_factory=lambda: np.empty(0), repr=False)
    covariance: Array = field(default_factory=lambda: np.empty((0, 0)), repr=False)
    resampled: LossLaws | None = field(default=None, repr=False)
    resamples: int = 0
    notes: tuple[Note, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether the data do not allow a law."""
        return self.law is None

    def fitted_law(self) -> LossLaw:
        """Return the law.

        Raises
        ------
        InputError
            If there is none.
        """
        if self.law is None:
            raise InputError(f"no loss law could be fitted: {self.reason}")
        return self.law

    def batch(self) -> LossLaws:
        """Return the law as a batch of one, coefficients as logarithms.

        Raises
        ------
        InputError
            If there is none.
        """
        self.fitted_law()
        assert self.laws is not None
        return self.laws

    def predict(
        self,
        *,
        params: npt.ArrayLike | None = None,
        tokens: npt.ArrayLike | None = None,
        flops: npt.ArrayLike | None = None,
    ) -> Array:
        """Return the most likely loss [nats/token] at given scales."""
        return self.fitted_law().predict(params=params, tokens=tokens, flops=flops)

    def interval(
        self,
        *,
        params: npt.ArrayLike | None = None,
        tokens: npt.ArrayLike | None = None,
        flops: npt.ArrayLike | None = None,
        level: float = 0.9,
        new_model: bool = True,
    ) -> tuple[Array, Array]:
        """Return the interval of the loss [nats/token] at given scales.

        Parameters
        ----------
        params, tokens, flops
            The scales.
        level
            Of the interval, between 0 and 1.
        new_model
            Whether for the loss of a new model, which scatters around the law as the fitted ones
            do (every resampled law with every residual); else for the law itself.

        Raises
        ------
        InputError
            If there is no bootstrap.
        """
        law = self.fitted_law()
        if self.resampled is None or not len(self.resampled):
            raise InputError("intervals need a bootstrap", hint="fit with resamples")
        scales, shape = checked_scales(law.axes, params=params, tokens=tokens, flops=flops)
        draws = self.resampled.predict(scales)
        if new_model:
            n = len(self.residual)
            spread = self.residual * math.sqrt(n / (n - 2 * len(law.axes) - self.constant))
            if self.criterion.residual == "log":
                draws = draws[:, None] * np.exp(-spread)[:, None]
            else:
                draws = draws[:, None] - spread[:, None]
            draws = draws.reshape(-1, draws.shape[-1])
        edges = np.quantile(draws, [0.5 - level / 2.0, 0.5 + level / 2.0], axis=0)
        return edges[0].reshape(shape), edges[1].reshape(shape)

    def inverse(
        self, loss: npt.ArrayLike, unit: Axis = "params", rule: TokenRule | None = None
    ) -> Array:
        """Return the scale at which the law reaches a loss; infinite where it never does.

        Parameters
        ----------
        loss
            Losses [nats/token].
        unit
            ``params``, ``tokens`` or ``flops``.
        rule
            Tokens that go with the parameters; see :class:`~upswing.laws.loss.path.TokenRule`.
        """
        losses = np.asarray(loss, dtype=float)
        found = scale_of(self.batch(), losses.ravel(), unit, rule)[0]
        return np.asarray(found.reshape(losses.shape))

    @property
    def standard_errors(self) -> dict[str, float | None]:
        """Standard errors by the covariance, by name of the parameter; None where not known."""
        names = [f"log_coefficient_{axis}" for axis in self.points.axes]
        names += [f"exponent_{axis}" for axis in self.points.axes]
        names += ["irreducible"] if self.constant else []
        if self.law is None:
            return dict.fromkeys(names)
        variances = np.diag(self.covariance).tolist()
        return {
            name: math.sqrt(value) if value >= 0.0 else None
            for name, value in zip(names, variances, strict=True)
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the fit as plain values; what is not known is null."""
        return {
            "refused": self.refused,
            "reason": self.reason,
            "law": None if self.law is None else self.law.to_dict(),
            "criterion": self.criterion.name,
            "objective": None if self.law is None else self.objective,
            "points": len(self.points),
            "models": int(self.points.model.max()) + 1 if len(self.points) else 0,
            "largest": dict(self.points.largest),
            "standard_errors": self.standard_errors,
            "bootstrap": self._bootstrap(),
            "notes": [note.to_dict() for note in self.notes],
        }

    def to_json(self) -> str:
        """Return the fit as JSON."""
        return msgspec.json.format(msgspec.json.encode(self.to_dict()), indent=1).decode()

    def _bootstrap(self) -> dict[str, Any] | None:
        if self.resampled is None:
            return None
        found: dict[str, Any] = {"resamples": self.resamples, "fitted": len(self.resampled)}
        columns = {
            f"exponent_{a}": self.resampled.exponent[:, k] for k, a in enumerate(self.points.axes)
        }
        if self.constant:
            columns["irreducible"] = self.resampled.irreducible
        for name, values in columns.items():
            found[name] = {
                quantile: float(np.quantile(values, share)) if len(values) else None
                for quantile, share in _QUANTILES.items()
            }
        return found
