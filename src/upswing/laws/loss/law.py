r"""Loss laws: loss as a sum of power laws of scale.

.. math:: L(x_1, \dots, x_K) = E + \sum_k A_k x_k^{-a_k}

with the scales parameters N, tokens D or training compute C: L(N), L(D), L(C), and the form of
Hoffmann et al., :math:`L(N, D) = E + A N^{-a} + B D^{-b}`. E [nats/token], the irreducible loss, is
what no model of this corpus gets below; it can be left out.

References: Kaplan et al. 2020, arXiv:2001.08361 (without E); Hoffmann et al. 2022,
arXiv:2203.15556, approach 3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from upswing.errors import InputError
from upswing.laws.loss.criterion import Array

Axis = Literal["params", "tokens", "flops"]
FormName = Literal["params", "tokens", "flops", "params-tokens"]

FORMS: Mapping[FormName, tuple[Axis, ...]] = {
    "params": ("params",),
    "tokens": ("tokens",),
    "flops": ("flops",),
    "params-tokens": ("params", "tokens"),
}
"""The scales that each form of the law has a term for."""

UNITS: Mapping[Axis, str] = {"params": "parameters", "tokens": "tokens", "flops": "FLOP"}
"""What each scale is counted in."""


def law_axes(form: str) -> tuple[Axis, ...]:
    """Return the scales of a form of the law.

    Raises
    ------
    InputError
        If there is no such form.
    """
    for name, axes in FORMS.items():
        if name == form:
            return axes
    raise InputError(f"no loss law {form!r}", hint=f"there are {', '.join(FORMS)}")


@dataclass(frozen=True, eq=False)
class LossLaws:
    """Many laws of one form: the resamples of a fit.

    Attributes
    ----------
    axes
        The scales that have a term.
    irreducible
        E of each law [nats/token], shape (n_laws,); 0 where the form has none.
    log_coefficient
        Natural logarithms of the coefficients, shape (n_laws, K).
    exponent
        Exponents, positive where the loss falls, shape (n_laws, K).
    """

    axes: tuple[Axis, ...]
    irreducible: Array
    log_coefficient: Array
    exponent: Array

    def __len__(self) -> int:
        return len(self.irreducible)

    def predict(self, scales: Mapping[Axis, Array]) -> Array:
        """Return losses [nats/token], shape (n_laws, n_points).

        Parameters
        ----------
        scales
            Of each axis, shapes (n_points,) or (n_laws, n_points).
        """
        total = self.irreducible[:, None]
        for k, axis in enumerate(self.axes):
            log = self.log_coefficient[:, k, None] - self.exponent[:, k, None] * np.log(
                np.atleast_2d(scales[axis])
            )
            total = total + np.exp(np.minimum(log, 500.0))
        return np.asarray(total)

    def where(self, kept: npt.NDArray[np.bool_]) -> LossLaws:
        """Return some of the laws."""
        return LossLaws(
            self.axes, self.irreducible[kept], self.log_coefficient[kept], self.exponent[kept]
        )


@dataclass(frozen=True)
class LossLaw:
    """One law.

    Attributes
    ----------
    axes
        The scales that have a term.
    irreducible
        E [nats/token].
    coefficients, exponents
        One of each per scale.

    Examples
    --------
    >>> law = LossLaw(("params", "tokens"), 1.69, (406.4, 410.7), (0.34, 0.28))
    >>> round(float(law.predict(params=70e9, tokens=1.4e12)), 3)
    1.937
    """

    axes: tuple[Axis, ...]
    irreducible: float
    coefficients: tuple[float, ...]
    exponents: tuple[float, ...]

    @property
    def batch(self) -> LossLaws:
        """The law as a batch of one."""
        with np.errstate(divide="ignore"):
            return LossLaws(
                self.axes,
                np.array([self.irreducible]),
                np.log(np.array([self.coefficients])),
                np.array([self.exponents]),
            )

    def predict(
        self,
        *,
        params: npt.ArrayLike | None = None,
        tokens: npt.ArrayLike | None = None,
        flops: npt.ArrayLike | None = None,
    ) -> Array:
        """Return the loss [nats/token] at given scales, in their shape.

        Raises
        ------
        InputError
            If a scale that the law has a term for is missing or not positive.
        """
        scales, shape = checked_scales(self.axes, params=params, tokens=tokens, flops=flops)
        return np.asarray(self.batch.predict(scales)[0].reshape(shape))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; a coefficient too large for a number is null."""
        return {
            "formula": self.formula,
            "irreducible": self.irreducible,
            "coefficients": {
                axis: value if math.isfinite(value) else None
                for axis, value in zip(self.axes, self.coefficients, strict=True)
            },
            "exponents": dict(zip(self.axes, self.exponents, strict=True)),
        }

    @property
    def formula(self) -> str:
        """The law in symbols."""
        symbols = {"params": ("A", "N", "a"), "tokens": ("B", "D", "b"), "flops": ("A", "C", "a")}
        terms = ["E"] if self.irreducible > 0 else []
        terms += ["{} {}^-{}".format(*symbols[axis]) for axis in self.axes]
        scales = ", ".join(symbols[axis][1] for axis in self.axes)
        return f"L({scales}) = {' + '.join(terms)}"


def checked_scales(
    axes: tuple[Axis, ...], **given: npt.ArrayLike | None
) -> tuple[dict[Axis, Array], tuple[int, ...]]:
    """Return the scales of a law as flat arrays of one length, and their shape.

    Raises
    ------
    InputError
        If one is missing or not positive.
    """
    for axis in axes:
        if given[axis] is None:
            raise InputError(f"the law needs {axis}", hint=f"give {' and '.join(axes)}")
    arrays = np.broadcast_arrays(*(np.asarray(given[axis], dtype=float) for axis in axes))
    for axis, values in zip(axes, arrays, strict=True):
        if not (values > 0).all():
            raise InputError(f"{axis} must be positive")
    shape = arrays[0].shape
    return {axis: values.ravel() for axis, values in zip(axes, arrays, strict=True)}, shape
