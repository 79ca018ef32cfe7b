"""A meta-analysis of 3,400 curves at once, against a plain loop over curves and draws."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from upswing.curves.curve import Curve
from upswing.detection.emergence_score import describe_emergence_score, emergence_score
from upswing.detection.gain import gain_of
from upswing.detection.resolution import smallest_detectable_gain
from upswing.mirage.meta.analysis import meta_analysis
from upswing.simulate import World, flat_world, simulate_curve, smooth_world, step_world

FAMILIES, TASKS = 34, 100
LOOP_SAMPLE = 40
METRICS = ("exact_match", "multiple_choice_grade", "acc", "acc_norm")


def make_curves(rng: np.random.Generator) -> list[Curve]:
    """Return 34 families of 5 to 12 models on 100 tasks under four metrics, of all kinds."""
    curves = []
    for family in range(FAMILIES):
        x = np.sort(10 ** rng.uniform(8, 11.5, size=int(rng.integers(5, 13))))
        middle = float(x[len(x) // 2])
        worlds: tuple[World, ...] = (
            step_world(middle, 0.7),
            smooth_world(0.3, middle, length=3),
            flat_world(0.02, 0.0),
        )
        for task in range(TASKS):
            world, n = worlds[int(rng.integers(3))], int(rng.choice([8, 50, 200, 1000]))
            curve = simulate_curve(world, x, n, rng, 0.2, task=f"t{task}")
            metric = METRICS[task % len(METRICS)]
            curves.append(replace(curve, family=f"f{family}", metric=metric))
    return curves


def _plain_loop(curves: Sequence[Curve], draws: int, rng: np.random.Generator) -> None:
    """Do the same one curve and one draw at a time, with SciPy's minimiser for the fits."""
    from scipy.optimize import minimize

    for curve in curves:
        describe_emergence_score(curve.y)
        gain = gain_of(curve)
        assert gain is not None
        smallest_detectable_gain(gain.chance + gain.delta, float(gain.n.min()), len(curve))
        n, u = np.asarray(curve.n), np.log(curve.x)

        def logistic(p: Any, u: Any = u) -> Any:
            return p[0] + (1 - p[0]) / (1 + np.exp(-np.clip(p[1] * (u - p[2]), -60, 60)))

        def power(p: Any, u: Any = u) -> Any:
            rate = np.exp(-np.clip(p[1] * (u - p[2]), -60, 60))
            return p[0] + (1 - p[0]) * np.exp(-np.log(2) * rate)

        fits = []
        for form in (logistic, power):

            def loss(p: Any, form: Any = form, y: Any = curve.y, n: Any = n) -> float:
                m = np.clip(form(p), 1e-4, 1 - 1e-4)
                return -float(np.sum(n * (y * np.log(m) + (1 - y) * np.log1p(-m))))

            bounds = [(0.0, 0.95), (0.06, 0.5), (u[0] - 8, u[-1] + 8)]
            starts = [(0.1, 0.2, middle) for middle in np.linspace(u[0], u[-1], 3)]
            found = [minimize(loss, start, bounds=bounds, method="L-BFGS-B") for start in starts]
            best = min(found, key=lambda fit: float(fit.fun))
            fits.append((float(best.fun), form(best.x)))
        smooth = np.clip(min(fits, key=lambda fit: fit[0])[1], 0, 1)
        level = np.full(len(curve), np.average(curve.y, weights=n))
        for mean in (level, smooth):
            for _ in range(draws):
                score = emergence_score(rng.binomial(n.astype(int), mean) / n)
                [score > cutoff for cutoff in (20, 50, 100)]


def run() -> Iterator[str]:
    """Time it with one BLAS thread, the best of three, after a call that loads what it needs."""
    rng = np.random.default_rng(0)
    curves = make_curves(rng)
    with threadpool_limits(1, "blas"):
        meta_analysis(curves[:10])
        times = []
        for _ in range(3):
            start = time.perf_counter()
            analysis = meta_analysis(curves)
            times.append(time.perf_counter() - start)
        ours = min(times)
        sample = curves[:: len(curves) // LOOP_SAMPLE][:LOOP_SAMPLE]
        start = time.perf_counter()
        _plain_loop(sample, analysis.draws, rng)
        loop = (time.perf_counter() - start) / len(sample) * len(curves)
    met = "met" if ours < 1 else "MISSED"
    drawn = 2 * analysis.draws * len(curves)
    yield f"meta-analysis of {len(curves)} curves   {ours:.2f} s  (aim < 1 s: {met})"
    yield f"  in it: scores, resolution, smooth fits, {drawn:,} redrawn curves, counts"
    yield (
        f"the same in a plain loop   {loop:.0f} s, from {len(sample)} of them: "
        f"{loop / ours:.0f} times as long"
    )
