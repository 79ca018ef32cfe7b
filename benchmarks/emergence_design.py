"""Plans of finetuning runs: expected widths against refits, and what following a plan gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from threadpoolctl import threadpool_limits

from upswing.forecast.finetuning.emergence_law import EmergenceLaw
from upswing.forecast.finetuning.scores import interval_score
from upswing.forecast.planning.cost import RunCost
from upswing.forecast.planning.design import EmergencePlan, plan_runs
from upswing.forecast.planning.expected_scores import PosteriorPoints, posterior_points
from upswing.laws.emergence.fit import fit_emergence
from upswing.laws.emergence.hierarchy import hierarchical_posterior
from upswing.laws.emergence.rows import EmergenceRows
from upswing.simulate.finetuning import LOSSES, FinetuningWorld, simulate_finetuning

Array = npt.NDArray[np.float64]
Candidate = dict[str, Any]

LAW = EmergenceLaw(resamples=0, cap=False, floors=False)
START = FinetuningWorld(questions=2000, subset_sd=0.02, amounts=(512, 2048, 8192))
SITUATIONS: dict[str, FinetuningWorld] = {
    "shifts .02, 1 draw": START,
    "shifts .03, 2 draws": replace(START, subset_sd=0.03, draws=2),
}
"""Seven checkpoints of one size that have not emerged, finetuned on three amounts of data."""

COMPARED = (0, 1, 2, 3, 5, 8, 14, 27)
"""Places, in order of the expected reduction, of the candidates that are compared: mostly those
that matter, since half of all candidates tell next to nothing, and their order is chance."""

OUTCOMES = 24
POINTS = 1500
WORLDS = 24
RUNS = 6
_ENDS = np.array([0.05, 0.5, 0.95])


def run() -> Iterator[str]:
    """Simulate, with one BLAS thread."""
    with threadpool_limits(1, "blas"):
        yield from _against_brute_force()
        yield from _followed()


def _against_brute_force() -> Iterator[str]:
    """Compare the expected reduction of candidates with refits to simulated outcomes."""
    yield (
        f"expected reduction of the 90 % width by one run [nats], and by refits to {OUTCOMES} "
        "simulated outcomes"
    )
    expected: list[float] = []
    refitted: list[float] = []
    linear: list[float] = []
    for name, world in SITUATIONS.items():
        frame = _start(world, 1)
        plan = plan_runs(frame, 1e6, LAW, cost=RunCost("runs"), most=1, scenarios=512)
        known, laws = _points(frame, POINTS), _points(frame, OUTCOMES)
        rows = LAW.fit(frame).rows
        rng = np.random.default_rng(2)
        lines = []
        for place in COMPARED:
            one = plan.candidates.row(place, named=True)
            outcomes = [_outcome(laws, i, one, rng) for i in range(OUTCOMES)]
            gains = [plan.width - _width(_with(rows, [one], [score])) for score in outcomes]
            expected.append(one["width_before"] - one["width_after"])
            refitted.append(float(np.mean(gains)))
            linear.append(_linear(known, one))
            error = np.std(gains, ddof=1) / np.sqrt(OUTCOMES)
            lines.append(
                f"    loss {one['loss']:.3f}, D {one['d']:5g}   expected {expected[-1]:+.3f}   "
                f"refits {refitted[-1]:+.3f} (standard error {error:.3f})"
            )
        here = slice(-len(COMPARED), None)
        yield (
            f"  {name}: width {plan.width:.3f}, rank correlation "
            f"{_rank(expected[here], refitted[here]):.2f}; linear Bayes "
            f"{_rank(linear[here], refitted[here]):.2f}"
        )
        yield from lines
    yield (
        f"  all: rank correlation {_rank(expected, refitted):.2f} (linear Bayes "
        f"{_rank(linear, refitted):.2f}); mean reduction expected {np.mean(expected):.3f}, by "
        f"refits {np.mean(refitted):.3f}"
    )


def _followed() -> Iterator[str]:
    """Do what a plan says in its world, beside runs chosen in other ways."""
    found: dict[str, list[tuple[float, float, float]]] = {}
    expected: list[float] = []
    for seed in range(WORLDS):
        frame = _start(START, 100 + seed)
        rows = LAW.fit(frame).rows
        plan = plan_runs(frame, RUNS, LAW, cost=RunCost("runs"), most=RUNS, seed=seed)
        expected.append(plan.expected_width)
        rng = np.random.default_rng(seed)
        found.setdefault("no further run", []).append(_ends(rows))
        for name, chosen in _choices(plan, rng).items():
            scores = [_true_score(START, one, rng) for one in chosen]
            found.setdefault(name, []).append(_ends(_with(rows, chosen, scores)))
    yield f"{RUNS} more runs in {WORLDS} worlds (shifts .02, one draw of three amounts before)"
    for name, ends in found.items():
        low, median, high = np.array(ends).T
        truth = START.elbow
        score = np.mean([interval_score(a, b, truth) for a, b in zip(low, high, strict=True)])
        yield (
            f"  {name:34} width {np.mean(high - low):.3f}   median error "
            f"{np.median(np.abs(median - truth)):.3f}   interval score {score:.3f}   coverage "
            f"{np.mean((low <= truth) & (truth <= high)):.2f}"
        )
    yield f"  width that the plans expected: {np.mean(expected):.3f}"


def _choices(plan: EmergencePlan, rng: np.random.Generator) -> dict[str, list[Candidate]]:
    """Return the plan's runs, and as many chosen in other ways."""
    grid = plan.candidates
    planned = plan.steps.to_dicts()
    planned += planned[-1:] * (RUNS - len(planned))
    best = grid.filter(loss=float(grid["loss"].to_numpy().min()))
    largest, smallest = (best.filter(d=float(value)) for value in _span(best))
    return {
        "planned": planned,
        "at random": [grid.row(int(i), named=True) for i in rng.integers(len(grid), size=RUNS)],
        "best model, largest amount": largest.to_dicts() * RUNS,
        "best model, smallest amount": smallest.to_dicts() * RUNS,
        "best model, amounts in turn": (best.sort("d").to_dicts() * RUNS)[:RUNS],
    }


def _span(best: pl.DataFrame) -> tuple[float, float]:
    amounts = best["d"].to_numpy()
    return float(amounts.max()), float(amounts.min())


def _start(world: FinetuningWorld, seed: int) -> pl.DataFrame:
    return simulate_finetuning(world, np.random.default_rng(seed), 0.0, losses=(LOSSES[0],))


def _points(frame: pl.DataFrame, count: int) -> PosteriorPoints:
    known = LAW.fit(frame)
    assert known.mle is not None
    assert known.posterior is not None
    rng = np.random.default_rng(0)
    return posterior_points(known.rows, known.mle, known.posterior, count, rng)


def _outcome(laws: PosteriorPoints, i: int, one: Candidate, rng: np.random.Generator) -> float:
    """Score one run where law ``i`` is true."""
    elbow = laws.elbows(one["d"])[i] + laws.shift_sd * rng.standard_normal()
    expected = laws.bases[i, 0] + laws.top[i] * max(elbow - one["loss"], 0.0)
    share = np.clip(expected + laws.noise * rng.standard_normal(), 0.0, 1.0)
    return float(rng.binomial(int(one["n"]), share) / one["n"])


def _true_score(world: FinetuningWorld, one: Candidate, rng: np.random.Generator) -> float:
    elbow = world.law.elbow([one["d"]]) + world.subset_sd * rng.standard_normal(1)
    share = float(np.clip(world.score(elbow - one["loss"], world.base), 0.0, 1.0)[0])
    return float(rng.binomial(int(one["n"]), share) / one["n"])


def _with(rows: EmergenceRows, runs: Sequence[Candidate], scores: Sequence[float]) -> EmergenceRows:
    """Return the rows and further runs, each on a fresh subset."""
    loss = np.array([one["loss"] for one in runs])
    where = np.abs(rows.loss[:, None] - loss).argmin(axis=0)
    count = len(runs)
    return EmergenceRows(
        np.append(rows.loss, loss),
        np.append(rows.amount, [one["d"] for one in runs]),
        np.append(rows.few_shot, np.zeros(count, dtype=bool)),
        np.append(rows.draw, rows.draw.max() + 1 + np.arange(count)),
        np.append(rows.checkpoint, rows.checkpoint[where]),
        np.append(rows.value, scores),
        np.append(rows.questions, [one["n"] for one in runs]),
        rows.d0,
    )


def _ends(rows: EmergenceRows) -> tuple[float, float, float]:
    """Return 5, 50 and 95 % of E(D0)."""
    low, median, high = hierarchical_posterior(rows, fit_emergence(rows)).quantile(_ENDS)
    return float(low), float(median), float(high)


def _width(rows: EmergenceRows) -> float:
    low, _, high = _ends(rows)
    return high - low


def _linear(laws: PosteriorPoints, one: Candidate) -> float:
    """Return the reduction of the standard deviation by the best linear rule, as a width."""
    mean, variance = laws.scores(one["loss"], one["d"], one["draws"], one["n"])
    sd = float(laws.forecast.std())
    shared = float(np.cov(mean, laws.forecast, bias=True)[0, 1])
    explained = shared**2 / (float(mean.var()) + float(variance.mean())) / sd**2
    return 3.29 * sd * (1.0 - float(np.sqrt(max(1.0 - explained, 0.0))))


def _rank(one: list[float], other: list[float]) -> float:
    from scipy.stats import spearmanr

    return float(spearmanr(one, other).statistic)
