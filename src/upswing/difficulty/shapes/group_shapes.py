"""The shapes of difficulty groups: what they look like, and whether sorting alone explains it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from upswing.detection.significance import holm
from upswing.difficulty.shapes.arms import Shape, arm_lines
from upswing.difficulty.shapes.drifting_null import Drift, NullGroups
from upswing.difficulty.shapes.null_test import null_test
from upswing.difficulty.shapes.shape_tests import ALPHA, ShapeTest, checked, shape_of_sorted
from upswing.difficulty.shapes.two_lines import clusters
from upswing.errors import InputError

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class GroupShape:
    """The shape of one group.

    Attributes
    ----------
    group
        Its number, as in the scores.
    test
        What it looks like: see :class:`~upswing.difficulty.shapes.shape_tests.ShapeTest`.
    p_value_null
        Probability of such a shape where sorting alone makes it: the largest share, over arms and
        settings of the null, of worlds without ability in which the arm is at least as large.
    p_adjusted
        That p-value after Holm's correction over the groups.
    setting
        Setting of the null that gives it.
    arms
        Size of each arm, in units of the score; a U-then-rise has a last one, its end minus its
        beginning.
    p_arms
        The share for each.
    turns
        log10 of training compute [FLOP] between the models where a line of the test ends and the
        next begins.
    arm_turns
        The same for the arms that are compared with the null: where they are largest together.
    """

    group: int
    test: ShapeTest
    p_value_null: float
    p_adjusted: float
    setting: Drift
    arms: tuple[float, ...]
    p_arms: tuple[float, ...]
    turns: tuple[float, ...]
    arm_turns: tuple[float, ...]

    @property
    def shape(self) -> Shape:
        """The observed shape."""
        return self.test.shape

    @property
    def beyond_sorting(self) -> bool:
        """Whether the shape is significant, and not one that sorting alone makes."""
        return self.shape != "flat" and self.p_adjusted <= ALPHA

    def to_dict(self) -> dict[str, object]:
        """Return the results as plain values."""
        return {
            "group": self.group,
            "shape": self.shape,
            "p_value": self.test.p_value,
            "p_value_null": self.p_value_null,
            "p_value_null_holm": self.p_adjusted,
            "beyond_sorting": self.beyond_sorting,
            "turns": list(self.turns),
            "arms": list(self.arms),
            "arms_p_value_null": list(self.p_arms),
            "arms_turns": list(self.arm_turns),
            "p_two_lines": self.test.p_two_lines,
            "p_likelihood_ratio": self.test.p_likelihood,
            "null_length": self.setting.length,
            "null_shared": self.setting.shared,
        }


def group_shapes(
    x: npt.ArrayLike,
    scores: npt.ArrayLike,
    null: NullGroups,
    family: npt.ArrayLike | None = None,
    *,
    seed: int = 0,
) -> list[GroupShape]:
    """Test the shape of every group, and how probable it is where sorting alone made it.

    Parameters
    ----------
    x
        log10 of training compute [FLOP] of each model, shape (n_models,).
    scores
        Score of each model on each group, higher is better (minus TC Brier, or accuracy), shape
        (n_groups, n_models).
    null
        Worlds without ability for the same models, groups and way of sorting:
        :func:`~upswing.difficulty.shapes.drifting_null.null_groups`.
    family
        Family of each model; its models count as one cluster.
    seed
        Seed of both bootstraps.

    Raises
    ------
    InputError
        If shapes do not agree, or scores hold NaN.
    """
    table = np.atleast_2d(np.asarray(scores, dtype=float))
    if table.shape != null.scores.shape[2:]:
        raise InputError(
            f"scores have shape {table.shape}, those of the null {null.scores.shape[2:]}"
        )
    place, _ = checked(x, table[0])
    checked(table.ravel(), table.ravel())
    order = np.argsort(place, kind="stable")
    place, table = place[order], table[:, order]
    cluster = clusters(family, len(place))[order]
    lines = arm_lines(place)
    tests = [shape_of_sorted(place, row, cluster, lines, seed=seed) for row in table]
    against = []
    for group, (row, test) in enumerate(zip(table, tests, strict=True)):
        drawn = null.scores[:, :, group][..., order]
        rng = np.random.default_rng([seed, group])
        against.append(null_test(place, row, cluster, drawn, test.shape, lines, rng))
    adjusted = holm([one.p_value for one in against])
    return [
        GroupShape(
            group,
            test,
            one.p_value,
            float(p),
            null.settings[one.setting],
            one.arms,
            one.p_arms,
            _between(place, test.turns),
            _between(place, one.turns),
        )
        for group, (test, one, p) in enumerate(zip(tests, against, adjusted, strict=True))
    ]


def _between(x: Array, turns: tuple[int, ...]) -> tuple[float, ...]:
    return tuple(float(x[turn - 1] + x[turn]) / 2.0 for turn in turns)
