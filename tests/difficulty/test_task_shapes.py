"""The shape test of a task: what it says of its null, of models and of worlds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from difficulty.grouped import groups_by_hand, small_world
from upswing.difficulty.groups.groups import DifficultyGroups
from upswing.difficulty.groups.source import group_source
from upswing.difficulty.shapes.task_shapes import least_worlds, task_shapes
from upswing.errors import InputError

X = np.linspace(-1.0, 3.0, 16)


def rising(count: int = 2) -> DifficultyGroups:
    """Groups that rise by more than sorting makes."""
    scores = np.column_stack([-0.9 + 0.2 * (X + 1) - 0.001 * k for k in range(count)])
    return replace(groups_by_hand(X, scores, 0.3 + 0 * X), limit=1.0)


def codes(groups: DifficultyGroups, **more: object) -> list[str]:
    return [note.code for note in task_shapes(groups, **more).notes]


def test_too_few_worlds_are_told() -> None:
    """One world less than the fewest, and even the largest shape cannot be beyond sorting."""
    groups = rising()
    least = least_worlds(2)
    enough, few = (task_shapes(groups, worlds=worlds) for worlds in (least, least - 1))
    assert enough.notes == ()
    assert enough.table["beyond_sorting"].all()
    assert [(note.code, note.severity) for note in few.notes] == [("few-worlds", "warning")]
    assert not few.table["beyond_sorting"].any()


def test_the_null_does_not_know_scores_that_are_not_redistributed() -> None:
    source = group_source(small_world(models=8, questions=40))
    groups = source.groups(2, redistributed=False)
    assert codes(groups, worlds=39) == ["null-redistributed"]
    assert codes(source.groups(2), worlds=39) == []


def test_models_that_are_left_out_are_told() -> None:
    models = rising().models.with_columns(flops=np.where(X < 0, np.nan, 10.0**X * 1e21))
    (note,) = task_shapes(replace(rising(), models=models), worlds=39).notes
    assert note.details["models"] == ["m00", "m01", "m02", "m03"]


def test_options_have_to_be_possible() -> None:
    for options in (0, 1):
        with pytest.raises(InputError, match="there are two options or more"):
            task_shapes(rising(), options=options, worlds=39)
