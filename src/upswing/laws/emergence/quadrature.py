"""The log posterior of an emergence law with random shifts, over cells and nuisance nodes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from upswing.laws.emergence.cells import Cells
from upswing.laws.emergence.fit import EmergenceMle
from upswing.laws.emergence.law import Array
from upswing.laws.emergence.objective import ABOVE, BELOW
from upswing.laws.emergence.prior import EmergencePrior, exponent
from upswing.laws.emergence.rows import EmergenceRows, Indices, one_hot
from upswing.laws.emergence.tables import ElbowTables, Nuisance, question_variance, shift_kernel

SUBSET_SDS = np.array(
    [0.0, 0.004, 0.008, 0.014, 0.022, 0.032, 0.045, 0.06, 0.08, 0.105, 0.14, 0.2, 0.3]
)
"""Standard deviations of the shift per subset that are integrated over [nats/token]."""

_FLOOR_NODES = 1.2 * np.arange(-2, 3)
_RESOLVED, _STEEPEST = 1.5, 0.1
_SPARSE = 32
_RUN_SD = 0.1
_STEEP_RAMP, _QUIETER = 0.25, 0.2
_LEAST_NOISE = 1e-3


@dataclass(frozen=True)
class Coordinates:
    """Which nuisance parameters are free, and the axes on which they are searched.

    Slope, ramp and shift per run are searched on a log scale; cap, base and noise as they are, the
    sign of the noise being of no account, so that its posterior is smooth at 0. Bases per amount of
    data are no coordinates: they are integrated one by one.

    Attributes
    ----------
    cap, base, runs
        Whether there is a cap (and its ramp), one base, and a shift per run.
    """

    cap: bool
    base: bool
    runs: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Names in the order of the columns."""
        names = ["top", "noise"]
        names += ["base"] if self.base else []
        names += ["ramp"] if self.cap else []
        return (*names, "run_sd") if self.runs else tuple(names)

    def psi(self, value: dict[str, float]) -> Array:
        """Return the coordinates of parameters given by name."""
        plain = ("base", "noise", "top") if self.cap else ("base", "noise")
        return np.array(
            [value[name] if name in plain else np.log(value[name]) for name in self.names]
        )

    def nodes(self, psi: Array, base: float) -> Nuisance:
        """Return the parameters at coordinates of shape (n_nodes, n_coordinates)."""
        column = dict(zip(self.names, psi.T, strict=True))
        return Nuisance(
            column["top"] if self.cap else np.exp(column["top"]),
            column.get("base", np.full(len(psi), base)),
            np.abs(column["noise"]),
            np.exp(column["ramp"]) if self.cap else np.ones(len(psi)),
            np.exp(column["run_sd"]) if self.runs else np.zeros(len(psi)),
        )


class Quadrature:
    """Log posterior mass of cells and nuisance nodes, all random shifts integrated.

    Parameters
    ----------
    rows
        The data.
    mle
        The most likely law.
    prior
        The priors.
    points
        How many elbows the tables have.
    """

    def __init__(
        self, rows: EmergenceRows, mle: EmergenceMle, prior: EmergencePrior, points: int
    ) -> None:
        self.rows, self.mle, self.prior = rows, mle, prior
        low, high = float(rows.loss.min()), float(rows.loss.max())
        self.grid = elbow_grid(low, high, max(high, float(mle.theta[1])), points)
        self.scale = max(float(np.ptp(rows.value)), 1e-9)
        self.tables = ElbowTables(
            rows, mle.form, mle.fitted, self.grid, prior.few_shot_base * self.scale
        )
        form = mle.form
        self.coordinates = Coordinates(form.cap, not form.floors, has_repeats(rows))
        self._step = float(self.grid[-1] - self.grid[-2])
        self._kernels: dict[int, Array] = {}
        self._floors = self._floor_nodes() if form.floors else None

    def starts(self) -> list[Array]:
        """Return coordinates from which the mode is searched.

        The first is the most likely law. Where runs scatter much, that law is a blur of steep
        curves that set in at different places, so there is a second one: steep, with little noise.
        """
        mle, curves = self.mle, self.mle.curves
        known = float(question_variance(self.rows, mle.fitted).mean())
        noise = max(mle.sigma**2 - known, (0.3 * mle.sigma) ** 2, (1e-3 * self.scale) ** 2)
        slope = max(curves.slope or 0.0, 1e-6)
        first = {
            "top": slope if curves.cap is None else curves.cap,
            "noise": np.sqrt(noise),
            "base": curves.base,
            "ramp": curves.ramp or 1.0,
            "run_sd": _RUN_SD,
        }
        ramp = _STEEP_RAMP * float(np.ptp(self.rows.loss))
        second = {
            "top": self.scale / ramp if curves.cap is None else float(np.max(self.rows.value)),
            "noise": _QUIETER * np.sqrt(noise),
            "base": float(np.quantile(self.rows.value, 0.1)),
            "ramp": ramp,
            "run_sd": 2.0 * _RUN_SD,
        }
        values = [first, second] if self.coordinates.runs else [first]
        return [self.coordinates.psi(value) for value in values]

    def first_steps(self) -> Array:
        """Return first distances for the search of the mode."""
        top = 0.05 * self.scale if self.coordinates.cap else 0.15
        noise = max(0.2 * self.mle.sigma, 1e-3 * self.scale)
        step = {"top": top, "noise": noise, "base": 0.02 * self.scale, "ramp": 0.2, "run_sd": 0.4}
        return np.array([step[name] for name in self.coordinates.names])

    def nodes(self, psi: Array) -> Nuisance:
        """Return the nuisance parameters at coordinates of shape (n_nodes, n_coordinates).

        The likelihood of a subset must not be narrower than the spacing of the tables, so noise
        that would make it so is raised. Nor are scores ever without noise: where the number of
        questions is unknown, that of the law would be the only one.
        """
        nodes = self.coordinates.nodes(psi, self.mle.curves.base)
        slope = (nodes.top - nodes.base) / nodes.ramp if self.coordinates.cap else nodes.top
        slope = np.clip(slope, 0.0, _STEEPEST * self.scale / self._step)
        narrow = np.maximum((_RESOLVED * self._step) ** 2 - nodes.run_sd**2, 0.0)
        least = np.maximum(slope * np.sqrt(narrow), _LEAST_NOISE * self.scale)
        return replace(nodes, noise=np.maximum(nodes.noise, least))

    def elbows(self, cells: Cells) -> Array:
        """Return E at every amount, and at D0 last, (n_cells, n_amounts + 1)."""
        alpha = exponent(cells.centre[:, 2], self.mle.form)
        positions = self.rows.positions(alpha, self.mle.form)
        low, high = cells.centre[:, :1], cells.centre[:, 1:2]
        return np.asarray(low + (high - low) * positions)

    def levels(self, nodes: Nuisance, sds: Indices, cells: Cells | None = None) -> Array:
        """Return log-likelihoods of each amount, shifts integrated, prompted models last.

        Parameters
        ----------
        nodes
            Nuisance parameters.
        sds
            Positions in :data:`SUBSET_SDS`.
        cells
            Where they are needed; elsewhere they are left at 0.

        Returns
        -------
        Array
            Shape (n_levels, n_elbows, n_sds * n_nodes).
        """
        windows = self._windows(cells)
        if self._floors is None:
            tuned = self._tuned(nodes, sds, windows)
        else:
            bases = (nodes.with_bases(floors) for floors in self._floors)
            each = np.stack([self._tuned(based, sds, windows) for based in bases])
            peak = each.max(axis=0)
            tuned = peak + np.log(np.exp(each - peak).sum(axis=0))
        if not self.tables.has_prompted:
            return tuned
        prompted = np.tile(self.tables.prompted(nodes), (1, len(sds)))
        return np.concatenate([tuned, prompted[None]])

    def _tuned(self, nodes: Nuisance, sds: Indices, windows: list[slice]) -> Array:
        log = self.tables.subsets(nodes)
        n_subsets, n_elbows, n_nodes = log.shape
        smoothing = self._smoothing(sds)
        peak = log.max(axis=1, keepdims=True)
        like = np.exp(log - peak)
        out = np.zeros((self.tables.levels, n_elbows, len(sds), n_nodes))
        for subset in range(n_subsets):
            level = self.tables.level_of_subset[subset]
            kernels = smoothing[:, windows[level]]
            mixed = kernels.reshape(-1, n_elbows) @ like[subset]
            log_mixed = np.log(np.maximum(mixed, 1e-300)).reshape(len(sds), -1, n_nodes)
            out[level, windows[level]] += log_mixed.transpose(1, 0, 2) + peak[subset]
        return out.reshape(self.tables.levels, n_elbows, -1)

    def _smoothing(self, sds: Indices) -> Array:
        """Return the kernels of shifts per subset, (n_sds, n_elbows, n_elbows)."""
        for sd in sds:
            if sd not in self._kernels:
                self._kernels[sd] = shift_kernel(self.grid, SUBSET_SDS[sd])
        return np.stack([self._kernels[sd] for sd in sds])

    def _windows(self, cells: Cells | None) -> list[slice]:
        """Return, for each amount, which elbows of the tables the cells need."""
        if cells is None:
            return [slice(None)] * self.tables.levels
        index = self._place(self.elbows(cells))[0][:, : self.tables.levels]
        ends = zip(index.min(axis=0), index.max(axis=0), strict=True)
        return [slice(int(first), int(last) + 2) for first, last in ends]

    def _place(self, elbows: Array) -> tuple[Indices, Array]:
        """Return the elbow of the tables below each elbow, and the share of the way to the next."""
        inside = np.clip(elbows, self.grid[0], self.grid[-1])
        index = np.clip(np.searchsorted(self.grid, inside) - 1, 0, len(self.grid) - 2)
        return index, (inside - self.grid[index]) / np.diff(self.grid)[index]

    def combine(self, cells: Cells, levels: Array, log_prior: Array) -> Array:
        """Return the log density of cells, (n_cells, n_combinations), up to a constant.

        Parameters
        ----------
        cells
            Cells.
        levels
            What :meth:`levels` returned, or some of its last axis.
        log_prior
            Log prior mass of each combination of shift and node.
        """
        from scipy.sparse import csr_array

        n_levels, n_elbows, _ = levels.shape
        index, share = self._place(self.elbows(cells)[:, :n_levels])
        near = index + n_elbows * np.arange(n_levels)
        column = np.stack([near, near + 1], axis=-1).ravel()
        weight = np.stack([1.0 - share, share], axis=-1).ravel()
        start = 2 * n_levels * np.arange(len(cells) + 1)
        shape = (len(cells), n_levels * n_elbows)
        onto = csr_array((weight, column, start), shape=shape)
        return np.asarray(onto @ levels.reshape(shape[1], -1) + log_prior)

    def log_prior(self, nodes: Nuisance, sds: Indices) -> Array:
        """Return the log prior mass of combinations of shift and node, (n_sds * n_nodes,)."""
        from scipy.special import erf

        edges = np.concatenate([[0.0], 0.5 * (SUBSET_SDS[1:] + SUBSET_SDS[:-1]), [np.inf]])
        mass = np.diff(erf(edges / (self.prior.subset_sd * np.sqrt(2.0))))
        shift = np.log(np.maximum(mass, 1e-300))
        noise = nodes.noise / (self.prior.noise * self.scale)
        value = -np.log1p(noise**2)
        if self.coordinates.cap:
            value = np.where(nodes.top > nodes.base, value, -np.inf)
        else:
            value = value + np.log(nodes.top)
        if self.coordinates.runs:
            run = nodes.run_sd / self.prior.run_sd
            value = value + np.log(nodes.run_sd) - 0.5 * run**2
        return np.asarray((shift[sds][:, None] + value).ravel())

    def _floor_nodes(self) -> Array:
        """Return bases per amount around the most likely ones, (n_nodes, n_amounts)."""
        tuned = self.rows.finetuned
        fitted = self.mle.fitted[~self.rows.few_shot]
        bases = np.array([self.mle.curves.bases[float(d)] for d in self.rows.amounts])
        close = np.abs(fitted - bases[tuned.level]) < 0.1 * self.scale
        count = np.maximum(close @ one_hot(tuned.level), 1.0)
        known = question_variance(tuned, fitted).mean()
        sd = 1.5 * np.sqrt(max(self.mle.sigma**2, known) / count)
        return np.asarray(bases + _FLOOR_NODES[:, None] * sd)


def log_sum(log: Array, axis: int) -> Array:
    """Return the logarithm of the sum of exponentials along an axis."""
    peak = log.max(axis=axis, keepdims=True)
    possible = np.isfinite(peak)
    total = np.exp(log - np.where(possible, peak, 0.0)).sum(axis=axis, keepdims=True)
    return np.asarray(np.squeeze(np.log(np.where(possible, total, 1.0)) + peak, axis))


def elbow_grid(lowest: float, highest: float, top: float, points: int) -> Array:
    """Return elbows at which subsets are tabulated, ascending [nats/token].

    They are evenly spaced where there are losses, and beyond, as far as shifted subsets may be.
    Below the lowest loss a subset's own elbow leaves no trace, but the law's elbow does, since the
    subset may be shifted: there they become sparse.

    Parameters
    ----------
    lowest, highest
        Of the losses [nats/token].
    top
        Highest likely elbow of the law, not below ``highest`` [nats/token].
    points
        How many there would be up to ``highest`` + :data:`ABOVE`.
    """
    count = round(points * (top + ABOVE - lowest) / (highest + ABOVE - lowest))
    even = np.linspace(lowest, top + ABOVE, count)
    below = lowest - np.geomspace(even[1] - even[0], BELOW, _SPARSE)
    return np.concatenate([below[::-1], even])


def has_repeats(rows: EmergenceRows) -> bool:
    """Tell whether some model was finetuned several times on one subset: there are seeds."""
    tuned = rows.finetuned
    runs = np.stack([tuned.subset, tuned.checkpoint])
    return bool(np.unique(runs, axis=1).shape[1] < len(tuned))
