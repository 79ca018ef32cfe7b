from __future__ import annotations

import numpy as np
import pytest

from upswing.charts.sandwich import sandwich
from upswing.charts.sandwich_robustness import sandwich_robustness
from upswing.charts.save import render_chart
from upswing.difficulty.groups.groups import to_flops
from upswing.difficulty.groups.source import AnswerGroups, group_source
from upswing.difficulty.sandwich.degree_robustness import degree_robustness
from upswing.difficulty.sandwich.slice_and_sandwich import Sandwich, slice_and_sandwich
from upswing.difficulty.sandwich.threshold_robustness import threshold_robustness
from upswing.simulate import MultipleChoiceWorld, simulate_multiple_choice


@pytest.fixture(scope="module")
def source() -> AnswerGroups:
    rng = np.random.default_rng(0)
    world = MultipleChoiceWorld(np.geomspace(1e20, 1e23, 20), rng.uniform(19, 23, 90))
    found = group_source(simulate_multiple_choice(world, rng))
    assert isinstance(found, AnswerGroups)
    return found


@pytest.fixture(scope="module")
def found(source: AnswerGroups) -> Sandwich:
    return slice_and_sandwich(source.groups(3, "brier", 1.0), 1.0)


def test_four_panels_with_the_numbers_of_the_tables(found: Sandwich) -> None:
    chart = sandwich(found.predictions, found.curves, threshold=float(to_flops(1.0)))
    spec = chart.to_dict()
    data = spec["datasets"]
    assert [panel["title"]["text"][:1] for panel in spec["concat"]] == ["1", "2", "3", "4"]
    truth = [value for row in data["accuracy"] for value in row["value"]]
    assert truth == found.predictions["acc"].to_list()
    lines = [row["value"] for row in data["accuracy_lines"] if row["series"] == "baseline"]
    assert lines[0][:-1] + lines[1] == found.curves["acc_baseline"].to_list()
    assert data["threshold"] == [{"x": float(to_flops(1.0))}]
    assert [(row["series"], row["split"]) for row in data["groups"]] == [
        (series, split)
        for series in ("easiest group", "hardest group")
        for split in ("train", "test")
    ]


def test_fitted_and_extrapolated_parts_meet(found: Sandwich) -> None:
    chart = sandwich(found.predictions, found.curves, threshold=float(to_flops(1.0)))
    rows = chart.to_dict()["datasets"]["score_lines"]
    fitted, beyond = (row["x"] for row in rows if row["series"] == "hard-lift")
    assert fitted[-1] == beyond[0]
    assert fitted[-2] < float(to_flops(1.0)) <= beyond[0]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_they_are_drawn_with_their_words(found: Sandwich, source: AnswerGroups, mode) -> None:
    chart = sandwich(found.predictions, found.curves, threshold=1e22, title="sums", mode=mode)
    svg = render_chart(chart, ".svg").decode()
    for words in ("sums", "Slice-and-Sandwich", "hard-lift", "oracle", "easiest group", "Accuracy"):
        assert words in svg
    degrees = degree_robustness(source.groups(3, "brier", 1.0), 1.0)
    spec = sandwich_robustness(degrees.lines, degrees.marks, mode=mode)
    svg = render_chart(spec, ".svg").decode()
    for words in ("Easiest group", "Hardest group", "degree 7", "degree 4"):
        assert words in svg


def test_one_panel_per_threshold(source: AnswerGroups) -> None:
    thresholds = threshold_robustness(source, [1.0, 0.6])
    spec = sandwich_robustness(thresholds.lines, thresholds.marks, title="sums").to_dict()
    heads = [panel["title"]["text"] for panel in spec["concat"]]
    assert heads == ["Accuracy, threshold 1", "Accuracy, threshold 0.6"]
    assert spec["datasets"]["threshold_1"][0]["x"] == pytest.approx(10**21.6)
    marks = [value for row in spec["datasets"]["marks_1"] for value in row["value"]]
    assert marks == thresholds.marks.filter(threshold=0.6)["value"].to_list()
    assert {row["degree"] for row in spec["datasets"]["lines_0"]} == {"degree 3", "degree 5"}
