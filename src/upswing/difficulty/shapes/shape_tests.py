"""Which shape has a curve over many models: flat, monotone, U, inverted U, with a rise after it?

A shape with turns has to pass two tests that look at it in different ways: the two-lines test
(:mod:`upswing.difficulty.shapes.two_lines`: each arm is significant) and a likelihood ratio under
shape constraints (:mod:`upswing.difficulty.shapes.shape_likelihood`: no simpler shape explains the
curve). Both
take the models of a family as one cluster. The p-value is the larger of the two, doubled (at most
1), since shapes of both ways up are looked for.

These tests say what a curve looks like. They cannot tell what made it: sorting questions by
difficulty bends the curves of the groups with no ability behind it. For groups the null of
:mod:`upswing.difficulty.shapes.drifting_null` decides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from upswing.difficulty.shapes.arms import SIGNS, ArmLines, Shape, arm_lines, arms
from upswing.difficulty.shapes.shape_likelihood import DRAWS, likelihood_ratio_p
from upswing.difficulty.shapes.two_lines import Line, clusters, fit_line, two_lines
from upswing.errors import InputError

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

ALPHA = 0.05

_WAYS = 2


@dataclass(frozen=True)
class ShapeTest:
    """The shape of a curve, and how sure it is.

    Attributes
    ----------
    shape
        The richest shape whose p-value is at most alpha: inverted-u-then-rise, u-then-rise,
        u-shaped, inverted-u, rising, falling; else flat, which also stands for undecided.
    p_value
        Of that shape; for ``flat``, the smallest of all.
    p_two_lines, p_likelihood
        Of a shape with turns, its two parts before doubling; else None. The second is computed, and
        counts, only where the first is small enough.
    turns
        Places among the models, by scale, at which the second and the third line begin.
    lines
        One line for each arm of the shape, for ``flat`` one through all models.
    p_values
        The p-value of every shape that was tested.
    """

    shape: Shape
    p_value: float
    p_two_lines: float | None
    p_likelihood: float | None
    turns: tuple[int, ...]
    lines: tuple[Line, ...]
    p_values: dict[Shape, float]


@dataclass(frozen=True)
class _Candidate:
    p_lines: float
    turns: tuple[int, ...]
    lines: tuple[Line, ...]
    p_likelihood: float | None = None

    @property
    def p_value(self) -> float:
        return min(_WAYS * max(self.p_lines, self.p_likelihood or 0.0), 1.0)


_IMPOSSIBLE = _Candidate(1.0, (), ())


def shape_test(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    family: npt.ArrayLike | None = None,
    *,
    alpha: float = ALPHA,
    draws: int = DRAWS,
    seed: int = 0,
) -> ShapeTest:
    """Test a curve for a U, an inverted U, and both with a rise after it.

    Parameters
    ----------
    x
        log10 of training compute [FLOP], or another scale, ascending or not, shape (n_models,).
    y
        Scores, higher is better, shape (n_models,).
    family
        Family of each model; where there is one only, every model stands for itself.
    alpha
        Level at which a shape counts.
    draws
        Bootstrap draws of the likelihood ratio.
    seed
        Their seed.

    Raises
    ------
    InputError
        If x and y differ in length or hold NaN or infinities.

    Examples
    --------
    >>> x = np.linspace(20, 24, 40)
    >>> dip = (x - 21.5) ** 2 + 0.2 * np.random.default_rng(0).standard_normal(40)
    >>> shape_test(x, dip).shape
    'u-then-rise'
    """
    place, score = checked(x, y)
    order = np.argsort(place, kind="stable")
    cluster = clusters(family, len(place))[order]
    lines = arm_lines(place[order])
    return shape_of_sorted(place[order], score[order], cluster, lines, alpha, draws, seed)


def shape_of_sorted(
    x: Array,
    y: Array,
    cluster: Whole,
    lines: ArmLines,
    alpha: float = ALPHA,
    draws: int = DRAWS,
    seed: int = 0,
) -> ShapeTest:
    """Return :func:`shape_test` of models in the order of scale, whose lines are known."""
    rng = np.random.default_rng(seed)
    found: dict[Shape, _Candidate] = {
        "inverted-u-then-rise": _wave(x, y, cluster, lines),
        "u-shaped": _bend(x, y, cluster, lines.least, "u-shaped"),
        "inverted-u": _bend(x, y, cluster, lines.least, "inverted-u"),
    }
    for shape, one in found.items():
        if one.p_value <= alpha:
            p = likelihood_ratio_p(x, y, cluster, shape, rng, draws)
            found[shape] = replace(one, p_likelihood=p)
    found["u-then-rise"] = _ends_higher(found["u-shaped"])
    line = fit_line(x, y, cluster)
    for shape, sign in (("rising", 1), ("falling", -1)):
        found[shape] = _Candidate(line.p_value(sign), (), (line,))
    p_values: dict[Shape, float] = {shape: one.p_value for shape, one in found.items()}
    richest_first: tuple[Shape, ...] = (
        "inverted-u-then-rise",
        "u-then-rise",
        "u-shaped",
        "inverted-u",
        "rising",
        "falling",
    )
    for shape in richest_first:
        one = found[shape]
        if one.p_value <= alpha:
            bent = len(SIGNS[shape]) > 1
            return ShapeTest(
                shape,
                one.p_value,
                one.p_lines if bent else None,
                one.p_likelihood if bent else None,
                one.turns,
                one.lines,
                p_values,
            )
    return ShapeTest("flat", min(p_values.values()), None, None, (), (line,), p_values)


def checked(x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Array, Array]:
    """Return positions and scores as arrays.

    Raises
    ------
    InputError
        If they differ in length, are empty, or hold NaN or infinities.
    """
    place, score = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if place.ndim != 1 or place.shape != score.shape or not len(place):
        raise InputError(f"x has shape {place.shape} and y {score.shape}: they must agree")
    if not (np.isfinite(place).all() and np.isfinite(score).all()):
        raise InputError("a curve has NaN or infinities", hint="leave those models out")
    return place, score


def _bend(x: Array, y: Array, cluster: Whole, least: int, shape: Shape) -> _Candidate:
    test = two_lines(x, y, cluster, SIGNS[shape][-1], least)
    return _Candidate(test.p_value, (test.turn,), test.lines) if test.lines else _IMPOSSIBLE


def _ends_higher(u: _Candidate) -> _Candidate:
    """Return the test of a U whose second line ends above the beginning of the first."""
    from scipy.special import stdtr

    if not u.lines:
        return u
    before, after = u.lines
    net = after.last - before.first
    error = float(np.hypot(before.first_stderr, after.last_stderr))
    degrees = min(before.degrees, after.degrees)
    p = float(stdtr(degrees, -net / error)) if error > 0 else float(net <= 0)
    return replace(u, p_lines=max(u.p_lines, p))


def _wave(x: Array, y: Array, cluster: Whole, lines: ArmLines) -> _Candidate:
    """Return the test of a curve that rises, falls and rises: three lines, three slopes."""
    shape: Shape = "inverted-u-then-rise"
    found = arms(lines, y[None, :], shape)
    if found is None:
        return _IMPOSSIBLE
    turns = tuple(int(turn) for turn in found.turns[0])
    edges = (0, *turns, len(x))
    parts = [slice(i, j) for i, j in pairwise(edges)]
    fitted = tuple(fit_line(x[part], y[part], cluster[part]) for part in parts)
    p = max(line.p_value(sign) for line, sign in zip(fitted, SIGNS[shape], strict=True))
    return _Candidate(p, turns, fitted)
