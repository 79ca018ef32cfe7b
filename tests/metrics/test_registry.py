"""Names of metrics, what is known of each, and metrics that users bring."""

from __future__ import annotations

import sys

import polars as pl
import pytest

from upswing.errors import InputError, UnknownNameError
from upswing.metrics import registry
from upswing.metrics.item_values import item_values
from upswing.metrics.metric import Metric
from upswing.metrics.registry import (
    METRICS,
    find_metric,
    known_metric,
    metric_rows,
    near_names,
    register_metric,
)
from upswing.tables.schemas import ITEMS


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    monkeypatch.setattr(registry, "_registered", {})


def test_no_name_is_given_twice():
    names = [name for metric in METRICS for name in (metric.name, *metric.aliases)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("name", "bounds", "higher", "shape", "proportion"),
    [
        ("accuracy", (0, 1), True, "discontinuous", True),
        ("acc_mutual_info", (0, 1), True, "discontinuous", True),
        ("acc_bytes", (0, 1), True, "discontinuous", True),
        ("pass@1", (0, 1), True, "nonlinear", True),
        ("brier", (0, 2), False, "nonlinear", False),
        ("ppl", (1, None), False, "nonlinear", False),
        ("word_perplexity", (1, None), False, "nonlinear", False),
        ("byte_perplexity", (1, None), False, "nonlinear", False),
        ("bits_per_byte", (0, None), False, "linear", False),
        ("pct_stereotype", (0, 1), False, "discontinuous", True),
        ("mcc", (-1, 1), True, "discontinuous", False),
    ],
)
def test_what_logs_call_a_metric(name, bounds, higher, shape, proportion):
    metric = known_metric(name)
    assert (metric.minimum, metric.maximum) == bounds
    assert (metric.higher_is_better, metric.shape) == (higher, shape)
    assert metric.proportion == proportion


def test_which_are_no_means_over_questions():
    assert {metric.name for metric in METRICS if not metric.mean} == {
        "bits_per_byte",
        "perplexity",
        "token_perplexity",
        "byte_perplexity",
        "word_perplexity",
        "bleu",
        "chrf",
        "f1",
        "mcc",
        "NoAns_exact",
        "top_choice_confidence_auroc",
    }
    assert all(metric.mean == (metric.corpus is None) for metric in METRICS if metric.computable)


@pytest.mark.parametrize("metric", [m for m in METRICS if m.computable], ids=lambda m: m.name)
def test_every_computed_metric_is_described(metric):
    assert metric.needs
    assert {name for names in metric.needs for name in names} <= set(ITEMS.polars)
    assert metric.reference
    assert not (metric.proportion and metric.continuous)
    assert len(item_values(ITEMS.empty(), metric)) == 0


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("brier", "did you mean brier_score"),
        ("accuracy", "did you mean acc"),
        ("targt_logprob", "target_logprob"),
        ("xyzzy", "upswing rescore --list"),
        ("pass@0", "upswing rescore --list|pass@1"),
    ],
)
def test_an_unknown_name_is_told_with_near_ones(name, hint):
    with pytest.raises(UnknownNameError, match=hint):
        find_metric(name)


def test_a_metric_of_logs_cannot_be_computed():
    with pytest.raises(InputError, match="read from logs"):
        find_metric("mcc")
    with pytest.raises(InputError, match="read from logs"):
        item_values(ITEMS.empty(), known_metric("mcc"))


def _constant(name="always_half", **more):
    return Metric(
        name,
        "one half",
        0,
        1,
        True,
        "linear",
        needs=(("output",),),
        per_question=lambda items: pl.repeat(0.5, len(items), eager=True),
        **more,
    )


def test_a_registered_metric_is_known():
    metric = register_metric(_constant(aliases=("half",)))
    assert known_metric("half") is metric
    assert find_metric("always_half") is metric
    assert "always_half" in {row["name"] for row in metric_rows()}
    assert near_names("alway_half") == ["always_half"]
    register_metric(metric)


@pytest.mark.parametrize("more", [{"name": "acc"}, {"aliases": ("em",)}, {"name": "pass@7"}])
def test_a_name_belongs_to_one_metric(more):
    with pytest.raises(InputError, match="belongs to"):
        register_metric(_constant(**more))


MODULE = """
import polars as pl
from upswing.metrics.metric import Metric

SEVEN = Metric("seven_{0}", "seven", None, None, True, "linear", needs=(("output",),),
               per_question=lambda items: pl.repeat(7.0, len(items), eager=True))
BARE = Metric("bare", "nothing to compute", None, None, True, "linear")
"""


def test_a_metric_by_module_and_object(tmp_path, monkeypatch):
    (tmp_path / "my_metrics_here.py").write_text(MODULE.format("here"))
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    metric = find_metric("my_metrics_here:SEVEN")
    assert sys.path == before
    assert item_values(pl.DataFrame({"output": ["a", "b"]}), metric).to_list() == [7.0, 7.0]
    assert find_metric("seven_here") is metric
    for name in ("my_metrics_here:EIGHT", "my_metrics_here:pl", "my_metrics_here:BARE", "nope:X"):
        with pytest.raises(UnknownNameError, match=name.split(":")[0]):
            find_metric(name)


def test_a_metric_must_give_a_value_per_row():
    metric = Metric("short", "", 0, 1, True, "linear", per_question=lambda items: pl.Series([1.0]))
    with pytest.raises(ValueError, match="1 values for 2 rows"):
        item_values(pl.DataFrame({"output": ["a", "b"]}), metric)
