r"""Arms of a curve: how far it falls and rises between its turns.

A U has two arms, a fall and a rise. The size of an arm is the change along a straight line fitted
to its models, in units of the score, so it does not depend on how noise is estimated. The turns are
placed where the arms are largest together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Shape = Literal[
    "flat", "rising", "falling", "u-shaped", "inverted-u", "u-then-rise", "inverted-u-then-rise"
]

SIGNS: dict[Shape, tuple[int, ...]] = {
    "flat": (),
    "rising": (1,),
    "falling": (-1,),
    "u-shaped": (-1, 1),
    "inverted-u": (1, -1),
    "u-then-rise": (-1, 1),
    "inverted-u-then-rise": (1, -1, 1),
}
"""Directions of the arms of each shape. A U-then-rise is a U that ends above its beginning."""

_CELLS = 4_000_000


class Arms(NamedTuple):
    """Arms of many curves.

    Attributes
    ----------
    sizes
        Change along each arm in its direction, positive where it goes there, shape (n_curves,
        n_arms); for a U-then-rise a last column holds the end minus the beginning.
    turns
        Position among the models at which each arm but the first begins, shape (n_curves,
        n_arms - 1).
    """

    sizes: Array
    turns: Whole


@dataclass(frozen=True, eq=False)
class ArmLines:
    """The lines of all arms that a row of models allows, as linear maps from scores.

    Attributes
    ----------
    change
        Change along the line of each stretch of models, shape (n_stretches, n_models).
    first, last
        Value of that line at its first and last model, same shape.
    stretches
        By number of arms: the stretches of every way to cut the models into arms, shape (n_ways,
        n_arms).
    turns
        By number of arms: the first model of every arm but the first, shape (n_ways, n_arms - 1).
    least
        Fewest models of an arm.
    """

    change: Array
    first: Array
    last: Array
    stretches: dict[int, Whole]
    turns: dict[int, Whole]
    least: int


def least_arm(models: int) -> int:
    """Return the fewest models of an arm: 3, and an eighth of all.

    >>> least_arm(7), least_arm(57)
    (3, 8)
    """
    return max(3, -(-models // 8))


def arm_lines(x: Array) -> ArmLines:
    """Return the lines of every stretch that can be an arm.

    Parameters
    ----------
    x
        Ascending positions of the models, shape (n_models,).
    """
    models, least = len(x), least_arm(len(x))
    begin, end = np.triu_indices(models + 1, k=least)
    varies = x[end - 1] > x[begin]
    begin, end = begin[varies], end[varies]
    place = np.arange(models)
    inside = (place >= begin[:, None]) & (place < end[:, None])
    mean = inside / (end - begin)[:, None]
    centred = (x - (mean @ x)[:, None]) * inside
    slope = centred / np.sum(centred**2, axis=1, keepdims=True)
    first = mean + slope * centred[np.arange(len(begin)), begin][:, None]
    last = mean + slope * centred[np.arange(len(begin)), end - 1][:, None]
    number = np.full((models + 1, models + 1), -1)
    number[begin, end] = np.arange(len(begin))
    stretches, turns = {}, {}
    for count in (1, 2, 3):
        cuts = list(combinations(range(models + 1), count - 1))
        inner = np.array(cuts, dtype=np.int64).reshape(len(cuts), count - 1)
        edges = np.pad(inner, ((0, 0), (1, 1)))
        edges[:, -1] = models
        rows = number[edges[:, :-1], edges[:, 1:]]
        possible = (rows >= 0).all(axis=1)
        stretches[count], turns[count] = rows[possible], edges[possible, 1:-1]
    return ArmLines(last - first, first, last, stretches, turns, least)


def arms(lines: ArmLines, curves: Array, shape: Shape) -> Arms | None:
    """Return the arms of curves as those of one shape; None where there are too few models.

    Parameters
    ----------
    lines
        Of the models, by :func:`arm_lines`.
    curves
        Scores by model, shape (n_curves, n_models).
    shape
        Whose arms; not ``flat``.

    Examples
    --------
    >>> found = arms(arm_lines(np.arange(8.0)), np.array([[3.0, 2, 1, 0, 0, 2, 4, 6]]), "u-shaped")
    >>> found.sizes.round(6).tolist(), found.turns.tolist()
    ([[3.0, 6.0]], [[4]])
    """
    signs = np.array(SIGNS[shape])
    ways = lines.stretches[len(signs)]
    if not len(ways):
        return None
    used, place = np.unique(ways, return_inverse=True)
    place = place.reshape(ways.shape)
    sizes, chosen = [], []
    for part in np.array_split(curves, max(1, len(curves) * ways.size // _CELLS)):
        change = part @ lines.change[used].T
        every = [sign * change[:, column] for sign, column in zip(signs, place.T, strict=True)]
        best = reduce(np.add, every).argmax(axis=1)
        found = [arm[np.arange(len(part)), best] for arm in every]
        if shape == "u-then-rise":
            net = lines.last[ways[best, -1]] - lines.first[ways[best, 0]]
            found.append(np.einsum("ij,ij->i", part, net))
        sizes.append(np.column_stack(found))
        chosen.append(lines.turns[len(signs)][best])
    return Arms(np.concatenate(sizes), np.concatenate(chosen))
