"""Rows of answers: the items' schema, and scores that are worked out by hand from the answers."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from rapidfuzz.distance import Levenshtein

torch = pytest.importorskip("torch")

from lab.small_models import ALPHABET, SMALL, alphabet_models  # noqa: E402
from upswing.lab.alphabet import decode  # noqa: E402
from upswing.lab.answer import answer  # noqa: E402
from upswing.lab.answer_rows import (  # noqa: E402
    CHOSEN,
    HARNESS,
    MULTIPLE_CHOICE,
    WRITTEN,
    item_rows_of,
    scores_of,
)
from upswing.lab.questions import ask  # noqa: E402
from upswing.metrics.registry import find_metric  # noqa: E402
from upswing.tables.schemas import ITEMS, SCORES  # noqa: E402

MODELS = [("toys", "fresh", "step0"), ("toys", "half", "step32"), ("toys", "whole", "step64")]
COUNT = 50


@pytest.fixture(scope="module")
def asked():
    questions = ask(ALPHABET, COUNT, 0, np.random.default_rng(0))
    answers = answer(alphabet_models(), SMALL, questions)
    return questions, answers, item_rows_of(answers, questions, MODELS, "lab/evaluate/abc")


def test_rows_follow_the_schema_and_identify_themselves(asked):
    _, _, rows = asked
    assert rows.schema == pl.Schema(ITEMS.polars)
    assert ITEMS.conform(rows).equals(rows)
    assert len(rows) == 2 * len(MODELS) * COUNT
    assert rows.select(ITEMS.key).is_unique().all()
    assert rows["harness"].unique().to_list() == [HARNESS] == ["upswing-lab"]
    assert rows["source"].unique().to_list() == ["lab/evaluate/abc"]
    assert rows["n_shot"].unique().to_list() == [0]
    assert rows["task"].unique().to_list() == ["alphabet"]
    assert set(rows.select("family", "model", "revision").unique().iter_rows()) == set(MODELS)


def test_rows_hold_what_was_asked_and_answered(asked):
    questions, answers, rows = asked
    chosen = rows.filter(elicitation=MULTIPLE_CHOICE)
    written = rows.filter(pl.col("elicitation") != MULTIPLE_CHOICE)
    for i, (_, model, _) in enumerate(MODELS):
        mine, texts = chosen.filter(model=model), written.filter(model=model)
        prompts = [problem.prompt for problem in questions.problems]
        assert mine["item"].to_list() == texts["item"].to_list() == prompts
        assert mine["target_index"].to_list() == questions.targets.tolist()
        logprobs = np.array(mine["option_logprobs"].to_list())
        assert np.allclose(logprobs, answers.option_logprobs[i], atol=5e-5)
        assert texts["targets"].to_list() == [[p.answer] for p in questions.problems]
        assert texts["output"].to_list() == [decode(output) for output in answers.outputs[i]]
        right = logprobs[np.arange(COUNT), questions.targets]
        assert texts["target_logprob"].to_list() == right.tolist()
    assert chosen["option_tokens"].to_list() == [[3] * 4] * len(chosen)
    assert chosen["option_characters"].to_list() == [[3] * 4] * len(chosen)
    assert written["target_tokens"].unique().to_list() == [3]
    assert chosen["output"].null_count() == len(chosen)
    assert written["option_logprobs"].null_count() == len(written)


def test_scores_are_those_of_hand(asked):
    questions, answers, rows = asked
    scores = scores_of(rows)
    assert SCORES.conform(scores).equals(scores)
    targets = questions.options[np.arange(COUNT), questions.targets]
    found = {}
    for i, (_, model, _) in enumerate(MODELS):
        logprobs = answers.option_logprobs[i]
        outputs = [decode(output) for output in answers.outputs[i]]
        right = [problem.answer for problem in questions.problems]
        chances = np.exp(logprobs) / np.exp(logprobs).sum(axis=1, keepdims=True)
        of_target = np.arange(COUNT), questions.targets
        expected = {
            "acc": np.mean(logprobs.argmax(axis=1) == questions.targets),
            "target_probability": chances[of_target].mean(),
            "exact_match": np.mean((answers.outputs[i] == targets).all(axis=1)),
            "character_edit_distance_norm": np.mean(
                [
                    Levenshtein.normalized_distance(*pair)
                    for pair in zip(outputs, right, strict=True)
                ]
            ),
            "target_logprob_per_token": logprobs[of_target].mean() / 3,
        }
        mine = scores.filter(model=model)
        found[model] = dict(mine.select("metric", "value").iter_rows())
        assert found[model] == pytest.approx(expected, abs=1e-3)
        assert mine["n"].to_list() == [COUNT] * len(expected)
        accuracy = mine.filter(metric="acc").row(0, named=True)
        assert accuracy["chance"] == pytest.approx(0.25)
        if model == "fresh":
            p = accuracy["value"]
            assert accuracy["stderr"] == pytest.approx(np.sqrt(p * (1 - p) / COUNT), rel=0.05)
    assert found["fresh"]["exact_match"] < 0.1 < found["half"]["exact_match"] < 0.9
    assert found["whole"]["exact_match"] > 0.9


def test_each_kind_of_question_has_its_own_metrics(asked):
    scores = scores_of(asked[2])
    kinds = dict(scores.select("metric", "elicitation").unique().iter_rows())
    assert {m for m, kind in kinds.items() if kind == MULTIPLE_CHOICE} == set(CHOSEN)
    assert {m for m, kind in kinds.items() if kind != MULTIPLE_CHOICE} == set(WRITTEN)
    for name in CHOSEN + WRITTEN:
        assert find_metric(name).name == name
