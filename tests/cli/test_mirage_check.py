"""``upswing mirage check`` as a user calls it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from upswing import write_store
from upswing.cli import run
from upswing.metrics.registry import find_metric
from upswing.metrics.score_items import score_items
from upswing.simulate import GenerationWorld, simulate_generation
from upswing.tables.bundle import Tables


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    world = GenerationWorld(np.geomspace(1e20, 1e23, 8), np.ones(400), 10, exponent=1.0)
    tables = simulate_generation(world, np.random.default_rng(0), task="sums")
    scores = score_items(tables.items, [find_metric("exact_match")])
    path = tmp_path_factory.mktemp("store") / "my.store"
    write_store(Tables(items=tables.items, scores=scores, scales=tables.scales), path)
    return path


def test_json_has_the_fields_of_the_interface(store, capsys):
    assert run(["mirage", "check", str(store), "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert {
        "family",
        "task",
        "metric",
        "n_shot",
        "verdict",
        "shape",
        "cause",
        "emergence_score",
        "emergence_score_status",
        "p_test_size",
        "exponent_needed",
        "questions_needed",
        "alternatives",
        "notes",
    } <= set(row)
    assert (row["verdict"], row["cause"]) == ("metric artifact", "metric")
    names = {one["metric"]: one for one in row["alternatives"]}
    linear = names["character_edit_distance_norm"]
    assert linear["shape_class"] == "linear"
    assert set(linear) >= {"metric", "shape_class", "emergence_score", "sharpness"}


def test_the_table_says_what_a_continuous_metric_changes(store, capsys):
    assert run(["mirage", "check", str(store)]) == 0
    printed = capsys.readouterr().out
    assert "metric artifact" in printed
    assert "What a continuous metric of the same outputs changes" in printed
    assert "largest step" in printed
