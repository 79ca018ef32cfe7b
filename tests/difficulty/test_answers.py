"""Which answers enter the matrix: pooled tasks, repeats, revisions, gaps, ways of asking."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from difficulty.grouped import small_world
from upswing.difficulty.groups.answers import answer_matrix
from upswing.difficulty.groups.source import group_source
from upswing.errors import InputError, UnknownNameError
from upswing.tables.bundle import Tables
from upswing.tables.reading import item_rows


def bundle(rows: list[dict[str, object]], flops: dict[str, float] | None = None) -> Tables:
    models = {(row["model"], row.get("revision", "")) for row in rows}
    plain = {"family": "F", "task": "t", "option_logprobs": [-1.0, -2.0], "target_index": 0}
    known = flops or {}
    scales = pl.DataFrame(
        {
            "model": [name for name, _ in models],
            "revision": [revision for _, revision in models],
            "family": "F",
            "flops": [known.get(f"{n}@{r}" if r else n, 1e21) for n, r in models],
        }
    )
    return Tables(items=item_rows([plain | row for row in rows]), scales=scales)


def test_values_of_every_metric():
    options = [np.log(0.2), np.log(0.1), np.log(0.5)]
    rows = [{"model": "m", "item": "0", "option_logprobs": options, "target_index": 0}]
    answers = answer_matrix(bundle(rows))
    expected = {
        "tc_brier": (1 - 0.2 / 0.8) ** 2,
        "tc_brier_undistributed": 0.8**2,
        "acc": 0.0,
        "option_mass": 0.8,
    }
    assert {name: float(array[0, 0]) for name, array in answers.values.items()} == pytest.approx(
        expected
    )
    assert answers.chance == pytest.approx(1 / 3)


def test_questions_may_differ_in_their_options():
    rows = [
        {"model": "m", "item": str(i), "option_logprobs": [-1.0] * k, "target_index": 0}
        for i, k in enumerate((2, 4, 5))
    ]
    answers = answer_matrix(bundle(rows))
    assert answers.questions["options"].to_list() == [2, 4, 5]
    assert answers.chance == pytest.approx((1 / 2 + 1 / 4 + 1 / 5) / 3)
    assert answers.values["tc_brier"][0] == pytest.approx([0.25, 0.5625, 0.64])


def test_questions_stand_by_task_and_number():
    rows = [
        {"model": "m", "task": task, "item": item}
        for task, item in (("b", "1"), ("a", "10"), ("a", "2"), ("a", "x"))
    ]
    answers = answer_matrix(bundle(rows), "*")
    assert answers.questions.select("task", "item").rows() == [
        ("a", "2"), ("a", "10"), ("a", "x"), ("b", "1"),
    ]  # fmt: skip


def test_repeats_are_averaged():
    rows = [
        {"model": "m", "item": "0", "repeat": k, "target_index": target}
        for k, target in enumerate((0, 0, 0, 1))
    ]
    assert answer_matrix(bundle(rows)).values["acc"].tolist() == [[0.75]]


def test_models_stand_by_compute_whatever_their_family():
    rows = [
        {"model": name, "family": family, "item": "0"}
        for name, family in (("big", "A"), ("none", "B"), ("small", "B"))
    ]
    tables = bundle(rows, {"big": 1e23, "small": 1e20})
    unknown = pl.when(pl.col("model") != "none").then("flops").alias("flops")
    answers = answer_matrix(replace(tables, scales=tables.scales.with_columns(unknown)))
    assert answers.models.select("model", "family", "flops").rows() == [
        ("small", "B", 1e20), ("big", "A", 1e23), ("none", "B", None),
    ]  # fmt: skip


def test_the_last_revision_counts_unless_checkpoints_are_asked_for():
    rows = [{"model": "m", "revision": f"step{k}", "item": "0"} for k in (2, 10)]
    tables = bundle(rows, {"m@step2": 1e20, "m@step10": 1e21})
    assert answer_matrix(tables).models["revision"].to_list() == ["step10"]
    every = answer_matrix(tables, checkpoints=True)
    assert every.models["revision"].to_list() == ["step2", "step10"]
    assert [note.code for note in every.notes] == ["checkpoints-dependent"]


def test_gaps():
    """A model with few answers is left out; of the others only common questions count."""
    rows = [{"model": m, "item": str(i)} for m in "ab" for i in range(20) if (m, i) != ("b", 7)]
    rows += [{"model": "lazy", "item": "3"}]
    answers = answer_matrix(bundle(rows))
    assert answers.models["model"].to_list() == ["a", "b"]
    assert answers.questions["item"].to_list() == [str(i) for i in range(20) if i != 7]
    assert {note.code: note.severity for note in answers.notes} == {
        "models-left-out": "warning",
        "questions-left-out": "info",
    }


def test_clusters():
    rows = [
        {"model": "m", "item": str(i), "cluster": c} for i, c in enumerate(["x", None, "x", None])
    ]
    cluster = answer_matrix(bundle(rows)).cluster
    assert cluster[0] == cluster[2]
    assert len(set(cluster.tolist())) == 3
    assert answer_matrix(bundle([{"model": "m", "item": "0"}])).cluster is None


def test_free_text_answers_are_left_aside():
    rows = [
        {"model": "m", "item": "0", "elicitation": "multiple-choice"},
        {"model": "m", "item": "0", "option_logprobs": None, "target_index": None},
    ]
    assert len(answer_matrix(bundle(rows)).questions) == 1


def test_refusals():
    two_tasks = bundle([{"model": "m", "task": t, "item": "0"} for t in ("s", "t")])
    with pytest.raises(InputError, match="there are 2 tasks with answers: s, t"):
        answer_matrix(two_tasks)
    with pytest.raises(UnknownNameError, match=r"no task .* matches 'x'"):
        group_source(two_tasks, "x")
    shots = bundle([{"model": "m", "item": "0", "n_shot": k} for k in (0, 5)])
    with pytest.raises(InputError, match=r"several values of n_shot: 0, 5 \(choose one with"):
        answer_matrix(shots)
    assert len(answer_matrix(shots, n_shot=5).questions) == 1
    harnesses = bundle([{"model": "m", "item": "0", "harness": h} for h in ("a", "b")])
    with pytest.raises(InputError, match="m has answers to t from several harnesses"):
        answer_matrix(harnesses)
    apart = bundle([{"model": m, "item": i} for m, i in (("a", "0"), ("b", "1"))])
    with pytest.raises(InputError, match="no question of t was answered by all models"):
        answer_matrix(apart)


def test_the_same_from_a_store(tmp_path):
    from upswing import read, write_store

    tables = small_world()
    write_store(tables, tmp_path / "s.store")
    direct, stored = group_source(tables), group_source(read(tmp_path / "s.store"))
    one, other = direct.groups(3, limit=1.0), stored.groups(3, limit=1.0)
    assert one.scores("tc_brier", "acc").equals(other.scores("tc_brier", "acc"))


def test_models_without_options_are_told():
    """Their answers in words to the same questions cannot be sorted; other tasks do not count."""
    rows = [{"model": m, "item": "0"} for m in "ab"]
    words = {"option_logprobs": None, "target_index": None, "item": "0"}
    rows += [words | {"model": "c"}, words | {"model": "a"}, words | {"model": "d", "task": "s"}]
    answers = answer_matrix(bundle(rows), "t")
    assert answers.models["model"].to_list() == ["a", "b"]
    (note,) = answers.notes
    assert (note.code, note.severity) == ("models-without-options", "warning")
    assert note.details["models"] == ["c"]
    with pytest.raises(UnknownNameError):
        answer_matrix(bundle(rows), "s")


def test_versions_of_a_task_are_chosen_by_file():
    rows = [{"model": m, "item": "0", "task_version": m} for m in "ab"]
    with pytest.raises(InputError, match=r"values of task_version: a, b \(read the files of one\)"):
        answer_matrix(bundle(rows))
