"""Fit, posterior and bootstrap of an emergence law against SciPy from many starts and emcee."""

from __future__ import annotations

import time
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from upswing.forecast.finetuning.table import finetune_table
from upswing.laws.emergence.bootstrap import bootstrap_emergence
from upswing.laws.emergence.fit import EmergenceMle, fit_emergence
from upswing.laws.emergence.hierarchy import hierarchical_posterior
from upswing.laws.emergence.rows import EmergenceRows
from upswing.laws.emergence.tables import question_variance
from upswing.simulate.finetuning import FinetuningWorld, simulate_finetuning

Array = npt.NDArray[np.float64]

RESAMPLES = 1000
STARTS = 20
REFITTED = 20
WALKERS, STEPS, BATCHES = 64, 18_000, 6


def run() -> Iterator[str]:
    """Time both ways on 24 checkpoints, six amounts of data, two draws: seconds of one core."""
    with threadpool_limits(1, "blas"):
        yield from _run()


def _run() -> Iterator[str]:
    world = FinetuningWorld(draws=2, subset_sd=0.02)
    frame = simulate_finetuning(world, np.random.default_rng(0), gap=None)
    rows = finetune_table(frame).rows(world.d0)
    from scipy.stats import t as student_t

    fit_emergence(rows)  # SciPy is imported once

    started = time.process_time()
    mle = fit_emergence(rows)
    fitted = time.process_time() - started
    posterior = hierarchical_posterior(rows, mle)
    both = time.process_time() - started
    bootstrap = bootstrap_emergence(rows, mle, np.random.default_rng(0), resamples=RESAMPLES)
    total = time.process_time() - started
    low, high = posterior.quantile(np.array([0.05, 0.95]))
    yield f"{len(rows)} rows; most likely law {fitted:.2f} s, rss {mle.rss:.8f}"
    yield (
        f"with hierarchical posterior {both:.2f} s ({_met(both, 1)}), 90 % {low:.3f} to {high:.3f}"
    )
    yield (
        f"with {RESAMPLES} resamples of subsets {total:.2f} s ({_met(total, 5)}), "
        f"{len(bootstrap.forecast)} fitted"
    )

    started = time.process_time()
    rss, _ = _many_starts(rows, STARTS, np.random.default_rng(0))
    plain_fit = time.process_time() - started
    yield f"SciPy from {STARTS} random starts {plain_fit:.2f} s, rss {rss:.8f}"
    started = time.process_time()
    chain = _chain(rows, mle)
    if chain is None:
        yield "emcee is not installed: no comparison with a Markov chain"
        plain_chain = float("nan")
    else:
        plain_chain = time.process_time() - started
        theirs = np.quantile(chain, [0.05, 0.95])
        yield (
            f"emcee, {WALKERS} walkers x {STEPS} steps over the same model, vectorised "
            f"{plain_chain:.1f} s, 90 % {theirs[0]:.3f} to {theirs[1]:.3f}"
        )
        # neighbouring steps are alike, so the error comes from batches of them
        batches = [np.quantile(part, [0.05, 0.95]) for part in np.array_split(chain, BATCHES)]
        error = np.std(batches, axis=0, ddof=1) / np.sqrt(BATCHES)
        apart = np.array([low, high]) - theirs
        agree = bool(np.all(np.abs(apart) <= student_t.ppf(0.995, BATCHES - 1) * error))
        yield (
            f"ends of the two intervals are {apart[0]:+.4f} and {apart[1]:+.4f} nats apart; Monte "
            f"Carlo errors of emcee {error[0]:.4f} and {error[1]:.4f}: "
            + ("no difference at 1 %" if agree else "DIFFERENT at 1 %")
        )
    rng = np.random.default_rng(0)
    started = time.process_time()
    for _ in range(REFITTED):
        _many_starts(_resampled(rows, rng), STARTS, rng)
    plain_bootstrap = (time.process_time() - started) / REFITTED * RESAMPLES
    yield (
        f"{RESAMPLES} resamples in the same way {plain_bootstrap:.0f} s, from {REFITTED} of them"
    )
    plain = plain_fit + plain_bootstrap + (0.0 if np.isnan(plain_chain) else plain_chain)
    yield f"all three {plain:.0f} s: {plain / total:.0f} times as long"


def _met(seconds: float, aim: float) -> str:
    return f"aim < {aim:g} s: {'met' if seconds < aim else 'MISSED'}"


def _residual(rows: EmergenceRows, p: Array) -> Array:
    """Return residuals of the law in slope, base, elbows and exponent, written out."""
    slope, base, low, high, alpha = p
    u, ends = np.log(rows.amount), np.log(rows.amounts[[0, -1]])
    share = (u**alpha - ends[0] ** alpha) / (ends[1] ** alpha - ends[0] ** alpha)
    elbow = low + (high - low) * share
    return np.asarray(base + slope * np.maximum(elbow - rows.loss, 0.0) - rows.value)


def _many_starts(rows: EmergenceRows, starts: int, rng: np.random.Generator) -> tuple[float, Any]:
    """Fit by SciPy's least squares from random starts with elbows inside the losses."""
    from scipy.optimize import least_squares

    low, high = rows.loss.min(), rows.loss.max()
    bounds = ([0.0, -1.0, low - 0.6, low - 0.6, 0.25], [50.0, 2.0, high + 0.3, high + 0.3, 8.0])
    best: tuple[float, Any] = (np.inf, None)
    for _ in range(starts):
        first, last = np.sort(rng.uniform(low, high, 2))
        start = np.array(
            [rng.uniform(0.1, 2.0), rows.value.min(), first, last, rng.uniform(0.5, 4)]
        )
        found = least_squares(lambda p: _residual(rows, p), start, bounds=bounds)
        if 2.0 * found.cost < best[0]:
            best = (2.0 * float(found.cost), found.x)
    return best


def _resampled(rows: EmergenceRows, rng: np.random.Generator) -> EmergenceRows:
    count = int(rows.subset.max()) + 1
    drawn = rng.integers(0, count, count)
    return rows.where(np.concatenate([np.flatnonzero(rows.subset == k) for k in drawn]))


def _chain(rows: EmergenceRows, mle: EmergenceMle) -> Array | None:
    """Sample the hierarchical model, shifts as parameters; forecasts, (n_steps, n_walkers)."""
    if find_spec("emcee") is None:
        return None
    emcee: Any = import_module("emcee")
    rng = np.random.default_rng(0)
    variance, scale = question_variance(rows, mle.fitted), float(np.ptp(rows.value))
    subsets = int(rows.subset.max()) + 1
    low_edge, high_edge = rows.loss.min() - 0.6, rows.loss.max() + 0.3

    def log_density(x: Array) -> Array:
        low, high, root, log_slope, base, log_noise, sd = x[:, :7].T
        inside = (root >= 0.5) & (root <= np.sqrt(8.0)) & (low <= high) & (sd > 0)
        inside &= (low >= low_edge) & (high <= high_edge)
        positions = rows.positions(np.clip(root, 0.5, 3.0) ** 2, mle.form)
        elbows = low[:, None] + (high - low)[:, None] * positions
        shifted = elbows[:, rows.level] + sd[:, None] * x[:, 7:][:, rows.subset]
        rise = np.exp(log_slope)[:, None] * np.maximum(shifted - rows.loss, 0.0)
        noise = np.exp(log_noise)
        total = variance + noise[:, None] ** 2
        miss = rows.value - base[:, None] - rise
        value = -0.5 * np.sum(miss**2 / total + np.log(total), axis=1)
        value += log_slope + log_noise - np.log1p((noise / (0.05 * scale)) ** 2)
        value -= 0.5 * (sd / 0.05) ** 2 + 0.5 * np.sum(x[:, 7:] ** 2, axis=1)
        return np.asarray(np.where(inside, value, -np.inf))

    curves = mle.curves
    slope = np.log(max(curves.slope or 0.0, 1e-3))
    centre = [*mle.theta[:2], mle.theta[2] ** 0.5, slope, curves.base, -6.0, 0.02]
    spread = np.array([0.005, 0.005, 0.05, 0.02, 0.001, 0.3, 0.004] + [0.5] * subsets)
    start = np.concatenate([centre, np.zeros(subsets)]) + spread * rng.standard_normal(
        (WALKERS, 7 + subsets)
    )
    start[:, 2], start[:, 6] = np.clip(start[:, 2], 0.51, 2.8), np.abs(start[:, 6])
    start[:, 1] = np.maximum(start[:, 0] + 0.01, start[:, 1])
    sampler = emcee.EnsembleSampler(WALKERS, 7 + subsets, log_density, vectorize=True)
    sampler.random_state = np.random.RandomState(0).get_state()
    sampler.run_mcmc(start, STEPS)
    samples = sampler.get_chain(discard=STEPS // 3)
    d0 = rows.positions(samples[..., 2] ** 2, mle.form)[..., -1]
    return np.asarray(samples[..., 0] + (samples[..., 1] - samples[..., 0]) * d0)


if __name__ == "__main__":
    for line in run():
        print(line, flush=True)
