"""How often does each kind of world get which verdict? A confusion matrix with counts.

Every world is a probability of a right token over scale; models answer n questions of L tokens, and
the verdict is on exact match. Each answer is judged twice: with the edit distance of the same
answers stored beside it, and without.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from upswing.findings.detect import detect
from upswing.simulate import (
    World,
    falling_world,
    flat_world,
    simulate_answers,
    smooth_world,
    step_world,
    u_shaped_world,
)

Array = npt.NDArray[np.float64]

X = np.geomspace(1e8, 1e11, 10)
SIZES = (8, 50, 200, 1000)
TRIALS = 30
_EMERGENT = pl.col("verdict").str.starts_with("emergent")
LENGTHS = (1, 3, 5)
BETWEEN_MODELS = (0.0, 0.2)
"""Standard deviations between models on the logit scale, each as likely."""


@dataclass(frozen=True)
class Kind:
    """A kind of world.

    Attributes
    ----------
    make
        From a generator and the tokens of an answer to a true curve per token.
    emergent
        Whether the ability is one: p moves within one interval of scale.
    within
        Whether it counts for the error rates; the others show what lies beyond the assumptions.
    """

    make: Callable[[np.random.Generator, int], World]
    emergent: bool = False
    within: bool = True
    lengths: tuple[int, ...] = LENGTHS


def _smooth(exponent: float) -> Callable[[np.random.Generator, int], World]:
    return lambda rng, _: smooth_world(exponent, 10 ** rng.uniform(7.5, 11.0))


def _step(rng: np.random.Generator, length: int) -> World:
    onset, level = float(rng.choice(X[3:9])), rng.uniform(0.4, 0.8)
    before = rng.uniform(0.05, 0.3) if length > 1 else 0.0
    world = step_world(onset, level ** (1 / length), before, ramp=0.05)
    return World("step", world.truth, 0.0, onset)


def _drift_and_step(rng: np.random.Generator, length: int) -> World:
    onset = float(rng.choice(X[4:9]))

    def truth(x: Array) -> Array:
        decades = np.log10(x / X[0])
        return np.asarray(np.where(x < onset, 0.1 + 0.1 * decades, 0.85 + 0.02 * decades))

    return World("step", truth, 0.0, onset)


def _bend(rng: np.random.Generator, _: int) -> World:
    """Flat, then straight in log scale: gradual, with a bend long before answers are right."""
    elbow = rng.uniform(8.3, 9.3)

    def truth(x: Array) -> Array:
        return np.asarray(0.1 + 0.87 * np.clip((np.log10(x) - elbow) / (11.0 - elbow), 0.0, 1.0))

    return World("smooth", truth, 0.0)


def _format_and_step(rng: np.random.Generator, length: int) -> World:
    """Partial credit from learning the format of answers, then the ability at once."""
    onset = float(rng.choice(X[5:9]))

    def truth(x: Array) -> Array:
        learnt = np.clip(np.log10(x / X[0]) / np.log10(onset / X[0]), 0.0, 1.0)
        return np.asarray(np.where(x < onset, 0.05 + 0.45 * learnt, 0.93))

    return World("step", truth, 0.0, onset)


KINDS: dict[str, Kind] = {
    "smooth, |a| = .1": Kind(_smooth(0.1)),
    "smooth, |a| = .3": Kind(_smooth(0.3)),
    "smooth, |a| = .5": Kind(_smooth(0.5)),
    "early rise": Kind(lambda rng, _: smooth_world(0.3, 10 ** rng.uniform(6.0, 7.5))),
    "u-shaped": Kind(lambda rng, _: u_shaped_world(10 ** rng.uniform(8.5, 10.5), 0.3, 0.6)),
    "falling": Kind(lambda rng, _: falling_world(0.9, rng.uniform(0.1, 0.25), 0.0, 1e8)),
    "flat": Kind(lambda rng, _: flat_world(rng.uniform(0.05, 0.4), 0.0)),
    "step": Kind(_step, emergent=True),
    "steeper than the bound, |a| = 1": Kind(
        lambda rng, _: smooth_world(1.0, 10 ** rng.uniform(8.0, 10.0)),
        within=False,
        lengths=(3, 5, 10),
    ),
    "a bend, ten tokens": Kind(_bend, within=False, lengths=(10,)),
    "format learnt, then a step": Kind(_format_and_step, emergent=True, within=False, lengths=(5,)),
    "drift, then a step": Kind(_drift_and_step, emergent=True, within=False, lengths=(5,)),
}


def confusion(trials: int = TRIALS, sizes: tuple[int, ...] = SIZES) -> pl.DataFrame:
    """Return how many worlds of each kind got which verdict.

    Parameters
    ----------
    trials
        Worlds of each kind and number of questions.
    sizes
        Numbers of questions.

    Returns
    -------
    polars.DataFrame
        Columns ``world``, ``emergent_world``, ``within``, ``n``, ``continuous`` (whether the edit
        distance was stored too), ``verdict`` (with the cause where it is emergent), ``count``.
    """
    rows = []
    for name, kind in KINDS.items():
        for n in sizes:
            rng = np.random.default_rng([n, zlib.crc32(name.encode())])
            words: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
            for trial in range(trials):
                length = int(rng.choice(kind.lengths))
                sd = float(rng.choice(BETWEEN_MODELS))
                world = kind.make(rng, length)
                task = f"{name} {n} {trial}"
                both = simulate_answers(world, X, n, length, rng, sd, task=task)
                for stored in (True, False):
                    given = [both.exact_match, both.edit_distance] if stored else both.exact_match
                    found = next(f for f in detect(given) if f.curve.metric == "exact_match")
                    word = found.verdict.word
                    cause = f" ({found.verdict.cause})" if word == "emergent" else ""
                    words[stored][word + cause] += 1
            rows += [
                {
                    "world": name,
                    "emergent_world": kind.emergent,
                    "within": kind.within,
                    "n": n,
                    "continuous": stored,
                    "verdict": word,
                    "count": count,
                }
                for stored, counts in words.items()
                for word, count in counts.most_common()
            ]
    return pl.DataFrame(rows)


def false_rate(table: pl.DataFrame, continuous: bool) -> tuple[int, int, float]:
    """Return false ``emergent``, worlds without a step, and 5 % plus two standard errors."""
    none = table.filter(~pl.col("emergent_world"), "within", pl.col("continuous") == continuous)
    trials = int(none["count"].sum())
    false = int(none.filter(_EMERGENT)["count"].sum())
    return false, trials, 0.05 + 2 * float(np.sqrt(0.05 * 0.95 / trials))


def detection_rate(table: pl.DataFrame, continuous: bool) -> tuple[int, int]:
    """Return how many steps were found, of how many, with at least 200 questions."""
    steps = table.filter("emergent_world", "within", pl.col("n") >= 200, continuous=continuous)
    return int(steps.filter(_EMERGENT)["count"].sum()), int(steps["count"].sum())


def worst_cell(table: pl.DataFrame, continuous: bool) -> tuple[str, int, int, int]:
    """Return the kind and number of questions with most false ``emergent``: name, n, false, of."""
    cells = (
        table.filter(~pl.col("emergent_world"), "within", pl.col("continuous") == continuous)
        .group_by("world", "n", maintain_order=True)
        .agg(
            pl.col("count").filter(_EMERGENT).sum().alias("false"),
            pl.col("count").sum().alias("of"),
        )
    )
    return cells.sort("false", descending=True, maintain_order=True).row(0)


def run() -> Iterator[str]:
    """Print, for each world and number of questions, how many of the trials got which word."""
    table = confusion()
    for (name, n, stored), cell in table.group_by("world", "n", "continuous", maintain_order=True):
        counts = ", ".join(f"{c} {v}" for v, c in cell.select("verdict", "count").iter_rows())
        with_what = "edit distance stored" if stored else "exact match alone"
        yield f"{name:32} n = {n:5}   {with_what:20}   {counts}"
    for stored in (True, False):
        with_what = "edit distance stored" if stored else "exact match alone"
        false, trials, limit = false_rate(table, stored)
        found, steps = detection_rate(table, stored)
        yield (
            f"{with_what}: false emergent {false} of {trials} = {false / trials:.3f} (at most "
            f"{limit:.3f}: 5 % and two standard errors); steps found with n >= 200: {found} of "
            f"{steps} = {found / steps:.2f}"
        )
        name, n, false, trials = worst_cell(table, stored)
        yield f"  most in one cell: {false} of {trials}, {name}, n = {n}"
