"""The residual sum of squares of an emergence law over anchors and exponent, vectorised."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from upswing.laws.emergence.law import Array, EmergenceForm
from upswing.laws.emergence.rows import (
    EmergenceRows,
    LinearFit,
    block_sums,
    one_hot,
    regressors,
    solve,
)

BELOW, ABOVE = 0.6, 0.3
"""How far below the lowest and above the highest loss the anchors may lie [nats/token]."""

_BLOCK = 3_000_000
_ELBOWS = 16
_ALPHAS = 9
_RAMPS = 8
_NUDGE = 1e-5


@dataclass(frozen=True, eq=False)
class Box:
    """Where anchors, exponent and ramp may lie: columns of shape (n_parameters,)."""

    low: Array
    high: Array

    def clip(self, theta: Array) -> Array:
        """Move parameters (..., n_parameters) into the box, with E(D_max) not below E(D_min)."""
        clipped = np.clip(theta, self.low, self.high)
        clipped[..., 1] = np.maximum(clipped[..., 0], clipped[..., 1])
        return np.asarray(clipped)


class Objective:
    """Least squares of everything linear, for many anchors, exponents and ramps at once.

    Candidates ``theta`` have the columns E(D_min), E(D_max), alpha and, with a cap, the ramp.

    Parameters
    ----------
    rows
        The data.
    form
        The variant of the law.
    """

    def __init__(self, rows: EmergenceRows, form: EmergenceForm) -> None:
        self.rows, self.form = rows, form
        self.onto_block = one_hot(rows.block(form))
        self.flat = without_rise(rows.value, self.onto_block)
        low, high = float(rows.loss.min()), float(rows.loss.max())
        box = [(low - BELOW, high + ABOVE)] * 2 + [form.alphas]
        if form.cap:
            box.append((0.01 * (high - low), high - low + BELOW + ABOVE))
        self.box = Box(*(np.array(side) for side in zip(*box, strict=True)))

    def forecast(self, theta: Array) -> Array:
        """Return E(D0) of candidates, shape (n_candidates,)."""
        positions = self.rows.positions(theta[:, 2], self.form)[:, -1]
        return np.asarray(theta[:, 0] + (theta[:, 1] - theta[:, 0]) * positions)

    def regressors(self, theta: Array) -> tuple[Array, Array]:
        """Return the columns of base and slope (or cap), each (n_candidates, n_rows)."""
        positions = self.rows.positions(theta[:, 2], self.form)
        elbows = theta[:, :1] + (theta[:, 1] - theta[:, 0])[:, None] * positions
        beyond = elbows[:, self.rows.level] - self.rows.loss
        return regressors(beyond, theta[:, 3:] if self.form.cap else None)

    def linear(self, theta: Array) -> LinearFit:
        """Solve the linear part for candidates."""
        step = max(1, _BLOCK // len(self.rows))
        parts = [
            solve(
                block_sums(*self.regressors(theta[i : i + step]), self.rows.value, self.onto_block),
                *self.flat,
                self.form.cap,
            )
            for i in range(0, len(theta), step)
        ]
        return parts[0] if len(parts) == 1 else LinearFit.joined(parts)

    def rss(self, theta: Array) -> Array:
        """Return the residual sum of squares of candidates."""
        return self.linear(theta).rss

    def linear_each(self, theta: Array, weight: Array) -> LinearFit:
        """Solve the linear part for candidates that each have their own weights of the rows.

        ``weight`` has shape (n_candidates, n_rows).
        """
        base, rise = self.regressors(theta)
        value, onto = self.rows.value, self.onto_block
        sums = (
            (weight * base * base) @ onto,
            (weight * base * rise) @ onto,
            (weight * rise * rise) @ onto,
            (weight * base * value) @ onto,
            (weight * rise * value) @ onto,
            (weight * value * value) @ onto,
        )
        return solve(sums, *without_rise(value, onto, weight), self.form.cap)

    def fitted(self, theta: Array, linear: LinearFit) -> Array:
        """Return the fitted scores, shape (n_candidates, n_rows)."""
        base, rise = self.regressors(theta)
        return np.asarray(linear.bases @ self.onto_block.T * base + linear.top[:, None] * rise)

    def linearised(self, theta: Array, weight: Array | None) -> tuple[LinearFit, Array, Array]:
        """Return the linear part, the fitted scores, and their slopes in all parameters.

        The slopes, shape (n_candidates, n_rows, n_parameters), are in the columns of ``theta``,
        then in the slope (or cap), then in the bases.
        """
        linear = self.linear(theta) if weight is None else self.linear_each(theta, weight)
        base, rise = self.regressors(theta)
        onto = self.onto_block
        bases = linear.bases @ onto.T
        fitted = bases * base + linear.top[:, None] * rise
        columns = []
        for k in range(theta.shape[1]):
            moved = theta.copy()
            moved[:, k] += _NUDGE
            p, q = self.regressors(moved)
            columns.append((bases * p + linear.top[:, None] * q - fitted) / _NUDGE)
        columns.append(rise)
        nonlinear = np.stack(columns, axis=-1)
        return linear, fitted, np.concatenate([nonlinear, base[:, :, None] * onto], axis=-1)

    def grid(self) -> Array:
        """Return candidates that cover the losses, the exponents and the ramps."""
        low, high = float(self.rows.loss.min()), float(self.rows.loss.max())
        # Below the lowest loss an elbow leaves no trace, so one value stands for all of those.
        elbows = np.linspace(low - 0.05 * (high - low), self.box.high[0], _ELBOWS)
        first, second = np.triu_indices(_ELBOWS)
        axes = [np.arange(len(first), dtype=float), spread(*self.form.alphas, _ALPHAS)]
        if self.form.cap:
            axes.append(np.geomspace(self.box.low[3], self.box.high[3], _RAMPS))
        mesh = [axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")]
        pair = mesh[0].astype(np.int64)
        return np.column_stack([elbows[first[pair]], elbows[second[pair]], *mesh[1:]])

    @property
    def spacing(self) -> Array:
        """Distance between neighbours of the grid, as shares of its extent for the exponents."""
        elbow = (self.box.high[0] - self.box.low[0]) / _ELBOWS
        widths = self.box.high - self.box.low
        return np.array([elbow, elbow, *(0.3 * widths[2:])])


def spread(low: float, high: float, count: int) -> Array:
    """Return values from low to high, evenly on a log scale where both are positive."""
    return np.asarray(np.geomspace(low, high, count) if low > 0 else np.linspace(low, high, count))


def without_rise(
    value: Array, onto_block: Array, weight: Array | None = None
) -> tuple[Array, Array]:
    """Return residual sums (...,) and bases (..., n_blocks) of the fit without any rise.

    ``weight`` of the rows has shape (..., n_rows).
    """
    w = np.ones(len(value)) if weight is None else weight
    count, total = w @ onto_block, (w * value) @ onto_block
    bases = np.where(count > 0, total / np.maximum(count, 1e-12), 0.0)
    return np.asarray((w * value**2).sum(axis=-1) - (total * bases).sum(axis=-1)), bases
