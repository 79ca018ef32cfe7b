"""The emergence law in worlds whose truth is known: recovery, baselines, intervals, calibration."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from upswing.forecast.finetuning.scores import CRITERION, baselines, interval_score
from upswing.forecast.finetuning.table import finetune_table
from upswing.laws.emergence.bootstrap import EmergenceBootstrap, bootstrap_emergence
from upswing.laws.emergence.choice import most_likely_form
from upswing.laws.emergence.evidence import emerging_amounts
from upswing.laws.emergence.fit import fit_emergence
from upswing.laws.emergence.hierarchy import hierarchical_posterior
from upswing.laws.emergence.objective import ABOVE, BELOW
from upswing.laws.emergence.posterior import EmergencePosterior, independent_posterior
from upswing.laws.emergence.prior import EmergencePrior
from upswing.laws.emergence.rows import EmergenceRows
from upswing.simulate.finetuning import FinetuningWorld, simulate_finetuning

Array = npt.NDArray[np.float64]

WORLDS = 200
RESAMPLES = 200
FIRST_SEED, FIRST_PRIOR_SEED = 1_000_000, 5_000_000
LEVEL = 0.9
GAPS = (0.0, 0.03, 0.06, 0.09, 0.12, 0.15, 0.18)
SCENARIOS: dict[str, tuple[FinetuningWorld, float]] = {
    "clean": (FinetuningWorld(), 0.0),
    "gap .09": (FinetuningWorld(), 0.09),
    "subset shifts .03, 2 draws": (FinetuningWorld(subset_sd=0.03, draws=2), 0.0),
    "subset shifts .03, 4 draws": (FinetuningWorld(subset_sd=0.03, draws=4), 0.0),
    "soft elbow .02": (FinetuningWorld(softness=0.02), 0.0),
    "saturation at .35": (FinetuningWorld(cap=0.35), 0.0),
}
"""Worlds and how far their elbow is beyond the best model used [nats/token]."""


def run() -> Iterator[str]:
    """Simulate, with one BLAS thread."""
    with threadpool_limits(1, "blas"):
        for part in (_recovery, _gaps, _calibration, _intervals):
            started = time.process_time()
            yield from part()
            yield f"  ({time.process_time() - started:.0f} s of one core)"


def _recovery() -> Iterator[str]:
    yield "noise-free: error of E(D0) [nats]"
    for alpha in (0.5, 1.0, 2.0, 3.0, 5.0):
        world = FinetuningWorld(alpha=alpha, noise=0.0)
        rows = _rows(world, np.random.default_rng(0), 0.0)
        yield f"  alpha {alpha:3}   {fit_emergence(rows).forecast - world.elbow:+.1e}"


def _gaps() -> Iterator[str]:
    yield f"share within {CRITERION} nats, and median error, over {WORLDS} worlds, noise .01"
    world = FinetuningWorld()
    for gap in GAPS:
        errors: dict[str, list[float]] = {}
        refused = 0
        for seed in range(FIRST_SEED, FIRST_SEED + WORLDS):
            rows = _rows(world, np.random.default_rng(seed), gap)
            mle = fit_emergence(rows)
            refused += bool(emerging_amounts(rows, mle).reason)
            smallest = mle.curves.elbows.lowest
            naive = baselines(float(rows.loss.min()), smallest)
            for name, elbow in {"law, most likely": mle.forecast, **naive}.items():
                errors.setdefault(name, []).append(abs(elbow - world.elbow))
        text = "; ".join(
            f"{name} {np.mean(np.array(found) <= CRITERION):.2f} ({np.median(found):.3f})"
            for name, found in errors.items()
        )
        yield f"  gap {gap:4}   {text}" + (f"; refused {refused}" if refused else "")


def _intervals() -> Iterator[str]:
    from scipy.stats import binom

    yield (
        f"90 % intervals over {WORLDS} worlds, cap and floors chosen by the law: coverage, mean "
        "width, mean interval score [nats]"
    )
    for name, (world, gap) in SCENARIOS.items():
        found: dict[str, list[Array]] = {}
        refused = caps = floors = 0
        for seed in range(FIRST_SEED, FIRST_SEED + WORLDS):
            rows = _rows(world, np.random.default_rng(seed), gap)
            mle = most_likely_form(rows)
            if emerging_amounts(rows, mle).reason:
                refused += 1
                continue
            caps, floors = caps + mle.form.cap, floors + mle.form.floors
            rng = np.random.default_rng(seed)
            distributions: dict[str, EmergencePosterior | EmergenceBootstrap] = {
                "hierarchical": hierarchical_posterior(rows, mle),
                "i.i.d.": independent_posterior(rows, mle),
                "bootstrap of subsets": bootstrap_emergence(rows, mle, rng, "subset", RESAMPLES),
            }
            for kind, distribution in distributions.items():
                ends = distribution.quantile(np.array([0.5 - LEVEL / 2, 0.5 + LEVEL / 2]))
                found.setdefault(kind, []).append(ends)
        yield f"  {name} (refused {refused}, cap fitted {caps}, floors fitted {floors})"
        for kind, pairs in found.items():
            low, high = np.array(pairs).T
            inside = int(np.sum((low <= world.elbow) & (world.elbow <= high)))
            score = np.mean([interval_score(a, b, world.elbow, LEVEL) for a, b in pairs])
            p = float(binom.cdf(inside, len(pairs), LEVEL))
            verdict = f"p = {p:.2g}" + ("" if p > 0.05 else ", BELOW 90 %")
            yield (
                f"    {kind:20}  {inside / len(pairs):.3f} ({verdict})   "
                f"width {np.mean(high - low):.3f}   score {score:.3f}"
            )


def _calibration() -> Iterator[str]:
    """Draw worlds from the prior: the truth's place in its posterior is then uniform."""
    from scipy.stats import kstest

    ranks: list[float] = []
    refused, seed = 0, FIRST_PRIOR_SEED
    while len(ranks) < WORLDS:
        rng = np.random.default_rng(seed)
        seed += 1
        world = _world_of_prior(rng)
        rows = _with_noise(_rows(world, rng, None), rng)
        mle = fit_emergence(rows)
        if emerging_amounts(rows, mle).reason:
            refused += 1
            continue
        ranks.append(float(hierarchical_posterior(rows, mle).cdf(world.elbow)))
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
    """Draw elbows, exponent, slope and shifts from the prior; two draws of every amount.

    The prior of the slope is flat and has no end. From 0 to 1, with so many questions, its end is
    where the data tell the slope anyway.
    """
    losses = np.array([2.28, 1.827])
    low, high = losses.min() - BELOW, losses.max() + ABOVE
    first, last = np.sort(rng.uniform(low, high, 2))
    alpha = float(rng.uniform(0.5, np.sqrt(8.0)) ** 2)
    start = FinetuningWorld(highest=float(last), alpha=alpha)
    place = (start.elbow - start.law.lowest) / (start.highest - start.law.lowest)
    return replace(
        start,
        elbow=float(first + (last - first) * place),
        base=0.05,
        slope=float(rng.uniform(0.0, 1.0)),
        subset_sd=float(abs(rng.normal(0.0, EmergencePrior().subset_sd))),
        draws=2,
        questions=8000,
    )


def _with_noise(rows: EmergenceRows, rng: np.random.Generator) -> EmergenceRows:
    """Add noise beyond that of the questions, its size drawn from the prior."""
    size = EmergencePrior().noise * np.ptp(rows.value) * abs(rng.standard_cauchy())
    return replace(rows, value=rows.value + size * rng.standard_normal(len(rows)))


def _rows(world: FinetuningWorld, rng: np.random.Generator, gap: float | None) -> EmergenceRows:
    return finetune_table(simulate_finetuning(world, rng, gap)).rows(world.d0)


if __name__ == "__main__":
    for line in run():
        print(line, flush=True)
