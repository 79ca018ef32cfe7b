"""The precedence table, row by row, and the check cases on real data."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from upswing import Curve, detect, read, read_published
from upswing.findings.verdict import TABLE
from upswing.simulate import (
    falling_world,
    flat_world,
    simulate_curve,
    smooth_world,
    step_world,
)

X = np.geomspace(1e8, 1e11, 10)


def _verdict(y, n=1000, chance=0.0, **options):
    curve = Curve(x=np.geomspace(1e8, 1e11, len(y)), y=y, n=n, chance=chance, axis="params")
    return detect(curve, require_scales=False, **options).findings[0].verdict


def test_emergent():
    verdict = _verdict([0.0, 0.01, 0.0, 0.0, 0.01, 0.0, 0.6, 0.7, 0.85, 0.9])
    assert verdict.word == "emergent"
    assert verdict.shape == "sharp"
    assert verdict.cause == "unknown"


def test_emergent_above_a_chance_level():
    assert _verdict([0.25] * 6 + [0.6, 0.7, 0.85, 0.9], 2000, chance=0.25).word == "emergent"


def test_emergent_need_not_be_monotone():
    assert _verdict([0.01] * 6 + [0.69, 0.48, 0.87, 0.8], 5000).word == "emergent"


def test_too_few_scales_or_no_chance_or_no_n_is_undecided():
    assert _verdict([0.0, 0.9]).word == "undecided"
    assert _verdict([0.0, 0.1, 0.9], chance=None).word == "undecided"
    assert _verdict([0.0, 0.1, 0.9], n=np.nan).word == "undecided"


def test_few_questions_are_under_resolved_whatever_the_curve():
    verdict = _verdict([0.0] * 6 + [0.8] * 4, n=8)
    assert (verdict.word, verdict.cause) == ("under-resolved", "resolution")


def test_a_gentle_rise_is_smooth():
    assert _verdict(smooth_world(0.2, 3e9).truth(X)).word == "smooth"


def test_a_rise_that_starts_above_chance_is_smooth():
    assert _verdict([0.5, 0.55, 0.6, 0.65, 0.7, 0.75], chance=0.25).word == "smooth"


def test_u_shaped_and_inverted():
    dip = [0.5, 0.44, 0.38, 0.32, 0.28, 0.28, 0.33, 0.4, 0.46, 0.52]
    found = _verdict(dip, 3000, chance=0.25)
    assert (found.word, found.shape) == ("u-shaped", "u-shaped")
    assert _verdict([0.8 - v for v in dip], 3000).word == "inverted-u"


def test_a_u_that_jumps_beyond_chance_is_still_emergent():
    y = [0.25, 0.25, 0.24, 0.22, 0.21, 0.22, 0.25, 0.7, 0.8, 0.85]
    assert _verdict(y, 3000, chance=0.25).word == "emergent"


def test_falling():
    assert _verdict(falling_world(0.9, 0.2, 0.0, 1e8).truth(X)).word == "falling"


def test_flat_at_chance_and_flat_elsewhere():
    at_chance = [0.25, 0.26, 0.25, 0.24, 0.25, 0.24, 0.25, 0.26]
    assert _verdict(at_chance, 2000, chance=0.25).word == "flat"
    assert _verdict([v + 0.4 for v in at_chance], 2000, chance=0.25).word == "flat"


def test_a_lower_is_better_metric_is_judged_by_its_gain():
    curve = Curve(
        x=X,
        y=[1.5] * 6 + [0.5, 0.4, 0.3, 0.2],
        n=1000,
        stderr=0.02,
        chance=1.5,
        axis="params",
        metric="brier_score",
        lowest=0.0,
        highest=2.0,
        higher_is_better=False,
        proportion=False,
    )
    assert detect(curve).findings[0].verdict.word == "emergent"


def test_the_published_rule():
    y = [0.0, 0.0, 0.0, 0.0, 0.002, 0.006, 0.02, 0.05, 0.1, 0.17]
    assert _verdict(y, rule="wei2022").word == "emergent"
    assert _verdict(y).word != "emergent"


def test_every_row_of_the_table_has_a_reason_of_its_own():
    assert len({row.reason for row in TABLE}) == len(TABLE)


def test_many_tasks_are_corrected_for():
    rng = np.random.default_rng(0)
    curves = [simulate_curve(flat_world(0.02, 0.0), X, 400, rng, task=f"t{i}") for i in range(20)]
    curves.append(simulate_curve(step_world(3e9, 0.7), X, 400, rng, task="real"))
    findings = {f.curve.task: f for f in detect(curves)}
    assert findings["real"].verdict.word == "emergent"
    assert findings["real"].q_value == pytest.approx(min(21 * findings["real"].p_verdict, 1))
    assert not [t for t, f in findings.items() if t != "real" and f.verdict.word == "emergent"]


@pytest.mark.slow
def test_smooth_worlds_are_seldom_called_emergent():
    rng = np.random.default_rng(5)
    trials = 150
    words = []
    for i in range(trials):
        world = smooth_world(
            float(rng.choice([0.1, 0.3, 0.5])),
            10 ** rng.uniform(8, 11.5),
            length=int(rng.choice([1, 3, 5])),
        )
        curve = simulate_curve(world, X, int(rng.choice([8, 50, 200, 1000])), rng, task=f"t{i}")
        words.append(detect(curve, seed=i).findings[0].verdict.word)
    limit = 0.05 + 2 * np.sqrt(0.05 * 0.95 / trials)
    assert np.mean([word == "emergent" for word in words]) <= limit


@pytest.mark.slow
def test_steps_are_found():
    rng = np.random.default_rng(6)
    words = []
    for i in range(60):
        world = step_world(float(rng.choice(X[3:9])), rng.uniform(0.5, 0.8), ramp=0.1)
        curve = simulate_curve(world, X, int(rng.choice([200, 1000])), rng, task=f"t{i}")
        words.append(detect(curve, seed=i).findings[0].verdict.word)
    assert np.mean([word == "emergent" for word in words]) >= 0.8


@pytest.mark.data
def test_pythia_addition_is_emergent_with_onset_at_2_8b(eleuther):
    detection = detect(read(eleuther / "pythia@a19eecb" / "evals" / "csv"), "params", n_shot=16)
    rows = {row["task"]: row for row in detection.to_frame().iter_rows(named=True)}
    addition = rows["num_reasoning_arithmetic_addition"]
    assert addition["verdict"] == "emergent"
    assert addition["n"] == 5000
    assert addition["onset"] == 2_775_208_960
    assert 1.0e9 <= addition["onset_low"] < addition["onset_high"] <= 2.8e9
    assert addition["emergence_score"] == pytest.approx(5.8, abs=0.05)
    assert rows["num_reasoning_arithmetic_multiplication"]["verdict"] != "emergent"


@pytest.mark.data
def test_lambada_piqa_sciq_are_not_emergent(eleuther):
    tables = read(eleuther / "pythia@a19eecb" / "evals" / "pythia-v1")
    for task in ("lambada_openai", "piqa", "sciq"):
        frame = detect(tables, "params", task=task, n_shot=0).to_frame()
        assert not (frame["verdict"] == "emergent").any(), task
        acc = frame.filter(pl.col("metric") == "acc").row(0, named=True)
        assert acc["verdict"] == "smooth", task


@pytest.mark.data
def test_no_mmlu_subject_of_pythia_survives_the_correction(eleuther):
    """57 subjects, two metrics, two numbers of shots; 45 subjects have fewer than 300 questions."""
    tables = read(eleuther / "pythia@a19eecb" / "evals" / "pythia-v1")
    frame = detect(tables, "params", task="hendrycksTest-*").to_frame()
    assert len(frame) == 57 * 4
    assert frame.filter(pl.col("n") < 300)["task"].n_unique() == 45
    assert (frame["q_value"] > 0.05).all()
    small = frame.filter(pl.col("n") < 300)["verdict"]
    assert set(small) <= {"under-resolved", "undecided"}


def test_fixed_tokens_give_the_same_word_over_compute_and_parameters():
    tables = read_published()
    over = {axis: detect(tables, axis).to_frame() for axis in ("params", "flops")}
    assert over["params"]["task"].to_list() == over["flops"]["task"].to_list()
    same = over["params"]["verdict"] == over["flops"]["verdict"]
    assert same.sum() >= len(same) - 1  # GPT-3's stated compute is not exactly 6ND
