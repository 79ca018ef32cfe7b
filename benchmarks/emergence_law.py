"""The emergence law in worlds whose truth is known: recovery, baselines, intervals, calibration."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from upswing.forecast.finetuning.emergence_forecast import EmergenceForecast
from upswing.forecast.finetuning.emergence_law import EmergenceLaw
from upswing.forecast.finetuning.scores import CRITERION, baselines, interval_score
from upswing.forecast.finetuning.table import finetune_table
from upswing.laws.emergence.evidence import emerging_amounts
from upswing.laws.emergence.fit import fit_emergence
from upswing.laws.emergence.posterior import independent_posterior
from upswing.simulate.finetuning import FinetuningWorld, simulate_finetuning

Array = npt.NDArray[np.float64]

WORLDS = 200
LEVEL = 0.9
GAPS = (0.0, 0.03, 0.06, 0.09, 0.12, 0.15, 0.18)
SCENARIOS: dict[str, tuple[FinetuningWorld, float]] = {
    "clean": (FinetuningWorld(), 0.0),
    "gap .09": (FinetuningWorld(), 0.09),
    "subset shifts .03, 2 draws": (FinetuningWorld(subset_sd=0.03, draws=2), 0.0),
    "subset shifts .03, 4 draws": (FinetuningWorld(subset_sd=0.03, draws=4), 0.0),
    "soft elbow .02": (FinetuningWorld(softness=0.02), 0.0),
    "saturation at .35, cap fitted": (FinetuningWorld(cap=0.35), 0.0),
    "run shifts .05, 2 seeds": (FinetuningWorld(run_sd=0.05, seeds=2), 0.0),
    "alpha .5": (FinetuningWorld(alpha=0.5), 0.0),
    "alpha 5": (FinetuningWorld(alpha=5.0), 0.0),
}
"""Worlds and how far their elbow is beyond the best model used [nats/token]."""


def run() -> Iterator[str]:
    """Simulate, with one BLAS thread."""
    with threadpool_limits(1, "blas"):
        for part in (_recovery, _gaps, _intervals, _calibration):
            yield from part()


def _recovery() -> Iterator[str]:
    yield "noise-free: error of E(D0) [nats]"
    for alpha in (0.5, 1.0, 2.0, 3.0, 5.0):
        world = FinetuningWorld(alpha=alpha, noise=0.0)
        found = _fit(world, 0, resamples=0).elbow["mle"]
        yield f"  alpha {alpha:3}   {_number(found) - world.elbow:+.1e}"


def _gaps() -> Iterator[str]:
    yield f"share within {CRITERION} nats, and median error, over {WORLDS} worlds, noise .01"
    for gap in GAPS:
        errors: dict[str, list[float]] = {}
        refused = 0
        for seed in range(WORLDS):
            world = FinetuningWorld()
            frame = simulate_finetuning(world, np.random.default_rng(seed), gap)
            rows = finetune_table(frame).rows(world.d0)
            mle = fit_emergence(rows)
            refused += bool(emerging_amounts(rows, mle).reason)
            smallest = mle.curves.elbows.lowest
            median = float(independent_posterior(rows, mle).quantile(0.5))
            own = {"law, most likely": mle.forecast, "law, median": median}
            for name, elbow in {**own, **baselines(float(rows.loss.min()), smallest)}.items():
                errors.setdefault(name, []).append(abs(elbow - world.elbow))
        text = "; ".join(
            f"{name} {np.mean(np.array(found) <= CRITERION):.2f} ({np.median(found):.3f})"
            for name, found in errors.items()
        )
        yield f"  gap {gap:4}   {text}" + (f"; refused {refused}" if refused else "")


def _intervals() -> Iterator[str]:
    from scipy.stats import binom

    yield f"90 % intervals over {WORLDS} worlds: coverage, mean width, mean interval score [nats]"
    for name, (world, gap) in SCENARIOS.items():
        found: dict[str, list[tuple[float, float]]] = {}
        refused = 0
        for seed in range(WORLDS):
            fitted = _fit(world, seed, gap, resamples=400)
            if fitted.refused:
                refused += 1
                continue
            assert fitted.mle is not None
            independent = independent_posterior(fitted.rows, fitted.mle).quantile(
                np.array([0.05, 0.95])
            )
            ends = {
                "hierarchical": (fitted.elbow["q05"], fitted.elbow["q95"]),
                "i.i.d.": tuple(independent),
                "bootstrap of subsets": (fitted.bootstrap["q05"], fitted.bootstrap["q95"]),
            }
            for kind, (low, high) in ends.items():
                found.setdefault(kind, []).append((_number(low), _number(high)))
        yield f"  {name}" + (f" ({refused} refused)" if refused else "")
        for kind, pairs in found.items():
            low, high = np.array(pairs).T
            inside = int(np.sum((low <= world.elbow) & (world.elbow <= high)))
            score = np.mean([interval_score(a, b, world.elbow, LEVEL) for a, b in pairs])
            p = float(binom.cdf(inside, len(pairs), LEVEL))
            verdict = "" if p > 0.05 else f"   below 90 % (p = {p:.1g})"
            yield (
                f"    {kind:20}  {inside / len(pairs):.3f}   width {np.mean(high - low):.3f}   "
                f"score {score:.3f}{verdict}"
            )


def _calibration() -> Iterator[str]:
    """Draw worlds from the prior: the truth's place in its posterior is then uniform."""
    from scipy.stats import kstest

    ranks: list[float] = []
    refused = seed = 0
    while len(ranks) < WORLDS:
        rng = np.random.default_rng(10_000 + seed)
        seed += 1
        world = _world_of_prior(rng)
        frame = simulate_finetuning(world, rng, gap=None)
        fitted = EmergenceLaw(resamples=0, cap=False, irreducible=-np.inf).fit(frame)
        if fitted.posterior is None:
            refused += 1
            continue
        ranks.append(float(fitted.posterior.cdf(world.elbow)))
    places = np.array(ranks)
    yield (
        f"calibration, {WORLDS} worlds drawn from the prior ({refused} refused): place of the "
        f"truth in its posterior, tenths: "
        + " ".join(str(n) for n in np.histogram(places, np.linspace(0, 1, 11))[0])
    )
    coverage = ", ".join(
        f"{level:.0%} {np.mean(np.abs(places - 0.5) <= level / 2):.2f}" for level in (0.5, 0.8, 0.9)
    )
    yield f"  Kolmogorov-Smirnov p = {kstest(places, 'uniform').pvalue:.2f}; coverage: {coverage}"


def _world_of_prior(rng: np.random.Generator) -> FinetuningWorld:
    """Draw elbows, exponent, shifts and noise from the prior; two draws of every amount."""
    losses = np.array([2.28, 1.827])
    low, high = losses.min() - 0.6, losses.max() + 0.3
    first, last = np.sort(rng.uniform(low, high, 2))
    alpha = float(rng.uniform(0.5, np.sqrt(8.0)) ** 2)
    start = FinetuningWorld(highest=float(last), alpha=alpha)
    place = (start.elbow - start.law.lowest) / (start.highest - start.law.lowest)
    slope = float(rng.uniform(0.2, 1.0))
    return replace(
        start,
        elbow=float(first + (last - first) * place),
        slope=slope,
        subset_sd=float(abs(rng.normal(0.0, 0.05))),
        draws=2,
        questions=2000,
    )


def _fit(
    world: FinetuningWorld,
    seed: int,
    gap: float = 0.0,
    resamples: int = 0,
    cap: bool | None = None,
) -> EmergenceForecast:
    frame = simulate_finetuning(world, np.random.default_rng(seed), gap)
    return EmergenceLaw(resamples=resamples, cap=cap).fit(frame)


def _number(value: float | None) -> float:
    assert value is not None
    return float(value)


if __name__ == "__main__":
    for line in run():
        print(line, flush=True)
        sys.stdout.flush()
