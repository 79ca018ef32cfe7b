r"""Worlds of finetuned checkpoints whose elbows one has chosen.

The truth is an emergence law: :math:`y = B_D + A \max(0, E(D) + s - L)`, at most a cap, with
:math:`E(D) = k (\ln D)^\alpha + C`. What real finetuning does besides can be added: shifts
:math:`s` of the elbow per subset of examples and per run, an elbow that is soft, floors that rise
with the amount of data, and noise of questions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from upswing.laws.emergence.law import ElbowLaw, Shape, lowest_amount, position
from upswing.scales.compute import training_flops

Array = npt.NDArray[np.float64]

LOSSES = (
    (2.280, 2.202, 2.136, 2.079, 2.030, 1.989, 1.953, 1.923),
    (2.219, 2.141, 2.075, 2.018, 1.969, 1.928, 1.892, 1.862),
    (2.184, 2.106, 2.040, 1.983, 1.935, 1.893, 1.858, 1.827),
)
"""Losses of eight checkpoints of three sizes [nats/token]."""

PARAMS = (3.4e9, 6.7e9, 13e9)
"""Parameters of the three sizes."""

_FIRST_TOKENS = 25e9
_ROUNDING = 1e-9


@dataclass(frozen=True)
class FinetuningWorld:
    """A true emergence law, and how scores vary around it.

    Attributes
    ----------
    elbow, d0
        True elbow of prompted models, E(D0) [nats/token].
    highest
        Elbow at the largest amount of data [nats/token].
    alpha, shape
        Exponent and shape of the law.
    amounts
        Amounts of finetuning data [examples].
    draws, seeds
        Subsets of each size, and runs on each.
    slope, base
        A [score per nat] and B.
    delta
        Base of prompted models minus ``base``.
    cap
        Highest score; None for none.
    floor_rise
        Base at the largest amount of data minus that at the smallest; even steps in ln D.
    softness
        Width of the elbow [nats/token]: a softplus instead of a hinge.
    subset_sd, run_sd
        Standard deviation of the elbow between subsets, and between runs [nats/token].
    noise
        Standard deviation of Gaussian noise; ignored with ``questions``.
    questions
        Answers are right or wrong: binomial noise of so many questions.
    """

    elbow: float = 1.95
    d0: float = 5
    highest: float = 2.25
    alpha: float = 2.0
    shape: Shape = "log power law"
    amounts: tuple[int, ...] = (256, 512, 1024, 2048, 4096, 8192)
    draws: int = 1
    seeds: int = 1
    slope: float = 0.6
    base: float = 0.25
    delta: float = 0.0
    cap: float | None = None
    floor_rise: float = 0.0
    softness: float = 0.0
    subset_sd: float = 0.0
    run_sd: float = 0.0
    noise: float = 0.01
    questions: int | None = None

    @property
    def law(self) -> ElbowLaw:
        """How the elbow moves.

        Examples
        --------
        >>> FinetuningWorld().law.elbow([5, 256, 8192]).round(3)
        array([1.95 , 2.057, 2.25 ])
        """
        low, high = float(min(self.amounts)), float(max(self.amounts))
        place = lowest_amount(self.d0)
        share = float(position([place], self.alpha, low, high, self.shape)[0])
        lowest = (self.elbow - self.highest * share) / (1.0 - share)
        return ElbowLaw(lowest, self.highest, self.alpha, low, high, self.shape)

    @property
    def stated_questions(self) -> int | None:
        """Number of questions with as much noise as there is; None without noise."""
        if self.questions is not None:
            return self.questions
        if self.noise == 0.0:
            return None
        return max(1, round(self.base * (1.0 - self.base) / self.noise**2))

    def score(self, beyond: Array, base: npt.ArrayLike) -> Array:
        """Return expected scores for nats beyond the elbow."""
        if self.softness > 0:
            rise = self.softness * np.logaddexp(0.0, beyond / self.softness)
        else:
            rise = np.maximum(beyond, 0.0)
        curve = np.asarray(base) + self.slope * rise
        return np.asarray(curve if self.cap is None else np.minimum(curve, self.cap))


def simulate_finetuning(
    world: FinetuningWorld,
    rng: np.random.Generator,
    gap: float | None = 0.0,
    prompted: Literal["none", "used", "all"] = "none",
    losses: tuple[tuple[float, ...], ...] = LOSSES,
    task: str = "simulated",
) -> pl.DataFrame:
    """Finetune checkpoints in a world.

    Parameters
    ----------
    world
        The truth.
    rng
        Source of randomness.
    gap
        Only checkpoints with a loss at least this above the true elbow are finetuned
        [nats/token]: 0 for all that have not emerged; None for all.
    prompted
        Prompted scores: of no checkpoint, of the finetuned ones, or of all.
    losses
        Losses of each size's checkpoints, from the weakest [nats/token].
    task
        Its name.

    Returns
    -------
    polars.DataFrame
        ``model,params,tokens,flops,loss,task,d,draw,seed,metric,value,n,few_shot``, one row per
        run.

    Examples
    --------
    >>> frame = simulate_finetuning(FinetuningWorld(), np.random.default_rng(0))
    >>> frame.height, frame["loss"].min()  # 16 checkpoints have not emerged
    (96, 1.953)
    """
    checkpoints = _checkpoints(losses)
    used = checkpoints
    if gap is not None:
        used = checkpoints.filter(pl.col("loss") >= world.elbow + gap - _ROUNDING)
    grid = {"d": world.amounts, "draw": range(world.draws), "seed": range(world.seeds)}
    runs = used
    for name, values in grid.items():
        runs = runs.join(pl.DataFrame({name: list(values)}, {name: pl.Int64}), how="cross")
    runs = runs.sort("d", "draw", "seed", "checkpoint")
    d = runs["d"].to_numpy().astype(float)
    shift = rng.normal(0.0, 1.0, (len(world.amounts), world.draws)) * world.subset_sd
    place = np.searchsorted(np.sort(world.amounts), d)
    elbows = world.law.elbow(d) + shift[place, runs["draw"].to_numpy()]
    elbows = elbows + world.run_sd * rng.standard_normal(len(d))
    span = np.log(max(world.amounts) / min(world.amounts))
    floors = world.base + world.floor_rise * np.log(d / min(world.amounts)) / span
    value = _measured(world, world.score(elbows - runs["loss"].to_numpy(), floors), rng)
    frames = [runs.with_columns(pl.Series("value", value), pl.lit(False).alias("few_shot"))]
    if prompted != "none":
        asked = used if prompted == "used" else checkpoints
        expected = world.score(world.elbow - asked["loss"].to_numpy(), world.base + world.delta)
        absent = (pl.lit(None, pl.Int64).alias(name) for name in grid)
        measured = pl.Series("value", _measured(world, expected, rng))
        frames.append(asked.with_columns(*absent, measured, pl.lit(True).alias("few_shot")))
    return pl.concat(frames, how="diagonal").select(
        "model",
        "params",
        "tokens",
        "flops",
        "loss",
        pl.lit(task).alias("task"),
        "d",
        "draw",
        "seed",
        pl.lit("acc").alias("metric"),
        "value",
        pl.lit(world.stated_questions, pl.Int64).alias("n"),
        "few_shot",
    )


def _checkpoints(losses: tuple[tuple[float, ...], ...]) -> pl.DataFrame:
    rows: list[dict[str, float | str]] = []
    for i, path in enumerate(losses):
        params = PARAMS[i] if i < len(PARAMS) else PARAMS[-1] * 2.0 ** (i - len(PARAMS) + 1)
        for step, loss in enumerate(path):
            tokens = _FIRST_TOKENS * 2.0**step
            rows.append(
                {
                    "checkpoint": len(rows),
                    "model": f"size-{i + 1}",
                    "params": params,
                    "tokens": tokens,
                    "flops": float(training_flops(params, tokens)),
                    "loss": float(loss),
                }
            )
    return pl.DataFrame(rows)


def _measured(world: FinetuningWorld, expected: Array, rng: np.random.Generator) -> Array:
    if world.questions is not None:
        share = np.clip(expected, 0.0, 1.0)
        return np.asarray(rng.binomial(world.questions, share) / world.questions)
    return np.clip(expected + world.noise * rng.standard_normal(len(expected)), 0.0, 1.0)
