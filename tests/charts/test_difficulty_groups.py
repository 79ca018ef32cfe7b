from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from upswing.charts.difficulty_groups import (
    difficulty_groups,
    rank_names,
    score_domain,
)
from upswing.charts.save import render_chart
from upswing.charts.theme import sequence
from upswing.difficulty.groups.group_curves import GroupCurves, group_curves
from upswing.difficulty.groups.source import group_source
from upswing.simulate import MultipleChoiceWorld, simulate_multiple_choice


@pytest.fixture(scope="module")
def found() -> GroupCurves:
    rng = np.random.default_rng(0)
    world = MultipleChoiceWorld(np.geomspace(1e20, 1e23, 12), rng.uniform(19, 23, 80))
    source = group_source(simulate_multiple_choice(world, rng, family="Org/<b>name</b>"))
    return group_curves(source.groups(4, "accuracy"), 2)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_points_bands_and_lines_are_those_of_the_tables(found: GroupCurves, mode) -> None:
    spec = difficulty_groups(found.points, found.curves, threshold=1e22, mode=mode).to_dict()
    data = spec["datasets"]
    for rank, name in enumerate(rank_names(4), start=1):
        (points,) = (row for row in data["points"] if row["difficulty"] == name)
        (curve,) = (row for row in data["curves"] if row["difficulty"] == name)
        own = found.points.filter(easiness_rank=rank)
        assert points["score"] == own["score"].to_list()
        assert points["x"] == own["flops"].to_list()
        assert curve["high"] == found.curves.filter(easiness_rank=rank)["high"].to_list()
    assert data["threshold"] == [{"x": 1e22}]
    colour = spec["layer"][0]["encoding"]["color"]
    assert colour["scale"]["domain"] == ["1 (easy)", "2", "3", "4 (hard)"]
    assert colour["scale"]["range"] == sequence(4, mode)


def test_easy_is_easy_also_where_the_hardest_group_comes_first(found: GroupCurves) -> None:
    data = difficulty_groups(found.points, found.curves).to_dict()["datasets"]
    mean = {row["difficulty"]: np.mean(row["score"]) for row in data["points"]}
    ordered = [mean[name] for name in rank_names(4)]
    assert ordered == sorted(ordered, reverse=True)


def test_it_is_drawn_with_its_words(found: GroupCurves) -> None:
    chart = difficulty_groups(found.points, found.curves, title="a \u202e task", threshold=1e22)
    svg = render_chart(chart, ".svg").decode()
    for words in ("Accuracy", "Training compute", "Groups of questions", "a � task", "4 (hard)"):
        assert words in svg


def test_one_group_and_no_curve(found: GroupCurves) -> None:
    points = found.points.filter(easiness_rank=1)
    spec = difficulty_groups(points, found.curves.clear()).to_dict()
    assert spec["layer"][0]["encoding"]["color"]["legend"] is None
    assert spec["datasets"]["curves"] == []
    assert spec["datasets"]["threshold"] == []


def test_polynomials_that_run_away_do_not_stretch_the_axis() -> None:
    assert score_domain(pl.DataFrame({"score": [0.0, 1.0]})) == pytest.approx([-0.06, 1.06])
    assert score_domain(pl.DataFrame({"score": [0.5]})) == pytest.approx([0.44, 0.56])
    assert score_domain(pl.DataFrame({"score": []}, schema={"score": pl.Float64})) == [0.0, 1.0]
