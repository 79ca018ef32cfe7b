"""Are groups of questions U-shaped? Error rates of the shape test, of naive tests, and power.

Worlds have 57 models of 20 families between 10^20 and 10^24 FLOP; those below 10^22.5 sort the
questions into three groups. In worlds without ability every U and inverted U is made by sorting.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from upswing.difficulty.groups.groups import By
from upswing.difficulty.shapes.curve_shape import curve_shape
from upswing.difficulty.shapes.drifting_null import (
    SETTINGS,
    Drift,
    NullGroups,
    drifting_answers,
    group_means,
    null_groups,
)
from upswing.difficulty.shapes.group_shapes import GroupShape, group_shapes
from upswing.difficulty.shapes.two_lines import clusters
from upswing.metrics.intervals import jeffreys_stderr
from upswing.simulate import (
    World,
    falling_world,
    flat_world,
    simulate_curve,
    smooth_world,
    step_world,
    u_shaped_world,
)

Array = npt.NDArray[np.float64]

ALPHA = 0.05
GROUPS = 3
SORTED_BELOW = 22.5
FAMILIES = (8, 7, 5, 5, 4, 4, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1)
NULL_WORLDS = 400
BETWEEN = (Drift(1.0, 0.7), Drift(1.0, 0.9), Drift(0.7, 0.7), Drift(1.5, 0.7))
OUTSIDE = (Drift(1.0, 0.7, scale=1.5), Drift(1.0, 0.7, scale=0.5), Drift(0.4, 0.9))
CURVES = 300


class Models(NamedTuple):
    """Where the models are, and of which family."""

    x: Array
    family: npt.NDArray[np.int64]


class Case(NamedTuple):
    """One kind of world: its drift, questions, scatter between families and models, and ability."""

    name: str
    drift: Drift
    trials: int
    questions: int = 3000
    by: By = "brier"
    scatter: float = 0.0
    dip: float = 0.0
    soar: float = 0.0


@dataclass
class Count:
    """How often a test rejected."""

    worlds: int = 0
    any_group: int = 0
    naive: int = 0
    quadratic: int = 0
    groups: Array = field(default_factory=lambda: np.zeros(GROUPS))
    u_shaped: Array = field(default_factory=lambda: np.zeros(GROUPS))
    any_u: int = 0

    def add(self, found: list[GroupShape], quadratic: bool) -> None:
        """Count one world."""
        self.worlds += 1
        self.groups += [one.p_value_null <= ALPHA for one in found]
        self.any_group += any(one.beyond_sorting for one in found)
        self.naive += any(len(one.test.turns) > 0 for one in found)
        self.quadratic += quadratic
        u = [one.beyond_sorting and one.shape in ("u-shaped", "u-then-rise") for one in found]
        self.u_shaped += u
        self.any_u += any(u)

    def line(self, name: str) -> str:
        """Return the shares as text."""
        of_groups = ", ".join(f"{share:.3f}" for share in self.groups / self.worlds)
        return (
            f"{name:46} {self.worlds:4} worlds   p_value_null <= .05 per group {of_groups}; "
            f"some group beyond sorting {self.any_group / self.worlds:.3f}; naive: two lines and "
            f"likelihood ratio {self.naive / self.worlds:.2f}, quadratic term "
            f"{self.quadratic / self.worlds:.2f}"
        )


def make_models(rng: np.random.Generator) -> Models:
    """Draw families whose models spread over up to two decades."""
    x, family = [], []
    for number, size in enumerate(FAMILIES):
        start = rng.uniform(20.0, 23.8 - 0.3 * size) if size < 8 else 20.0
        x += list(start + 0.3 * np.arange(size) + rng.uniform(0, 0.2, size))
        family += [number] * size
    return Models(np.array(x), np.array(family, dtype=np.int64))


def cases() -> list[Case]:
    """Return the worlds without ability."""
    found = [Case("at a setting", drift, 60) for drift in SETTINGS]
    found += [Case("between settings", drift, 40) for drift in BETWEEN]
    for questions in (300, 1000):
        found += [
            Case(f"{questions} questions", drift, 30, questions)
            for drift in (SETTINGS[1], BETWEEN[0])
        ]
    found += [Case("scatter .02 + .02", drift, 40, scatter=0.02) for drift in SETTINGS[:2]]
    found += [Case("sorted by accuracy", drift, 30, by="accuracy") for drift in SETTINGS[1:3]]
    return found


def run() -> Iterator[str]:
    """Print rejection rates without ability, power with a true U, and those of single curves."""
    with threadpool_limits(1, "blas"):
        yield from _groups()
        yield from _curves()


def _groups() -> Iterator[str]:
    models = make_models(np.random.default_rng(20))
    nulls: dict[tuple[int, By], NullGroups] = {}
    every = Count()
    for case in cases():
        count = _count(case, models, nulls)
        every = _sum(every, count)
        yield count.line(f"no ability, {case.name}, {_text(case.drift)}")
    yield every.line("no ability, all")
    limit = ALPHA + 2 * np.sqrt(ALPHA * (1 - ALPHA) / every.worlds)
    worst = max(float(every.groups.max()), float(every.any_group)) / every.worlds
    met = "met" if worst <= limit else "MISSED"
    yield f"largest of these rates {worst:.4f}, 5 % and two standard errors {limit:.4f}: {met}"
    for drift in OUTSIDE:
        yield _count(Case("", drift, 40), models, nulls).line(
            f"no ability, outside the settings, {_text(drift)}"
        )
    for dip, soar in ((0.5, 2.0), (1.0, 2.0), (1.5, 2.0), (1.0, 0.0), (1.5, 0.0)):
        powers = Count()
        for drift in SETTINGS:
            case = Case("", drift, 25, dip=dip, soar=soar)
            powers = _sum(powers, _count(case, models, nulls))
        u = ", ".join(f"{share:.2f}" for share in powers.u_shaped / powers.worlds)
        yield (
            f"true U: ability falls by {dip} nats around 10^21.8 and rises {soar} nats a decade "
            f"from 10^22.5: a group is a U beyond sorting in {powers.any_u / powers.worlds:.2f} of "
            f"{powers.worlds} worlds; from easy to hard {u}"
        )


def _text(drift: Drift) -> str:
    scale = "" if drift.scale == 1.0 else f", scale {drift.scale:g}"
    return f"length {drift.length:g}, shared {drift.shared:g}{scale}"


def _count(case: Case, models: Models, nulls: dict[tuple[int, By], NullGroups]) -> Count:
    sorts = models.x < SORTED_BELOW
    key = (case.questions, case.by)
    if key not in nulls:
        nulls[key] = null_groups(
            models.x, sorts, GROUPS, questions=case.questions, by=case.by, worlds=NULL_WORLDS
        )
    rng = np.random.default_rng([case.questions, round(100 * case.drift.length), case.trials])
    cluster = clusters(models.family, len(models.x))
    margin = case.soar * np.maximum(models.x - 22.5, 0.0) - case.dip * np.exp(
        -0.5 * ((models.x - 21.8) / 0.6) ** 2
    )
    count = Count()
    for trial in range(case.trials):
        answers = drifting_answers(
            models.x, case.drift, case.questions, rng, margin=margin[:, None]
        )
        scores = group_means(answers.gain(case.by), sorts, GROUPS, case.by).astype(float)
        family = rng.standard_normal(cluster.max() + 1)[cluster]
        scores += case.scatter * (family + rng.standard_normal(scores.shape))
        found = group_shapes(models.x, scores, nulls[key], models.family, seed=trial)
        count.add(found, _quadratic(models.x, scores))
    return count


def _quadratic(x: Array, scores: Array) -> bool:
    """Tell whether the quadratic term of some group is significant, by ordinary least squares."""
    from scipy.stats import t

    u = x - x.mean()
    design = np.column_stack([np.ones_like(u), u, u**2])
    inverse = np.linalg.inv(design.T @ design)
    coefficient = inverse @ design.T @ scores.T
    residual = scores.T - design @ coefficient
    degrees = len(x) - 3
    error = np.sqrt(inverse[2, 2] * np.sum(residual**2, axis=0) / degrees)
    return bool((2 * t.sf(np.abs(coefficient[2] / error), degrees) <= ALPHA).any())


def _sum(one: Count, other: Count) -> Count:
    return Count(
        one.worlds + other.worlds,
        one.any_group + other.any_group,
        one.naive + other.naive,
        one.quadratic + other.quadratic,
        one.groups + other.groups,
        one.u_shaped + other.u_shaped,
        one.any_u + other.any_u,
    )


def _curves() -> Iterator[str]:
    """Print how often single curves of few models are called a U or an inverted U."""
    hinge = World("smooth", lambda x: 0.25 + 0.4 * np.maximum(np.log10(x) - 10, 0.0), 0.25)
    worlds: dict[str, Callable[[np.random.Generator], World]] = {
        "flat at chance .25": lambda rng: flat_world(0.25, 0.25),
        "flat at .02": lambda rng: flat_world(0.02, 0.0),
        "smooth p^L": lambda rng: smooth_world(0.3, 10 ** rng.uniform(8.5, 11), 3),
        "flat, then a step": lambda rng: step_world(10 ** rng.uniform(8.5, 10.5), 0.7, 0.25, 0.1),
        "flat, then a hinge": lambda rng: hinge,
        "falling": lambda rng: falling_world(0.9, 0.2, 0.0, 1e8),
        "true U, depth .15": lambda rng: u_shaped_world(10 ** rng.uniform(9, 10), 0.15, 0.25, 0.6),
        "true U, depth .2": lambda rng: u_shaped_world(10 ** rng.uniform(9, 10), 0.2, 0.25, 0.6),
    }
    noises = ((200, 0.0), (1000, 0.2), (5000, 0.5))
    worst, asked, start = 0.0, 0, time.perf_counter()
    for name, make in worlds.items():
        shares = []
        for scales in (6, 8, 10, 12):
            x = np.geomspace(1e8, 1e11, scales)
            for n, sd in noises:
                rng = np.random.default_rng([scales, n])
                called = 0
                for _ in range(CURVES):
                    curve = simulate_curve(make(rng), x, n, rng, sd)
                    error = jeffreys_stderr(curve.y, np.full(scales, n))
                    called += curve_shape(np.log10(x), curve.y, error).shape != "no turn"
                    asked += 1
                shares.append(called / CURVES)
        if not name.startswith("true"):
            worst = max(worst, *shares)
        text = ", ".join(f"{share:.3f}" for share in shares)
        yield f"one curve, {name}: {text} (6, 8, 10, 12 scales x {noises} questions, sd)"
    each = 1e3 * (time.perf_counter() - start) / asked
    limit = ALPHA + 2 * np.sqrt(ALPHA * (1 - ALPHA) / CURVES)
    met = "met" if worst <= limit else "MISSED"
    yield (
        f"one curve, largest share without a U: {worst:.3f} (5 % and two errors {limit:.3f}: "
        f"{met}); {each:.1f} ms a curve, simulation included"
    )
