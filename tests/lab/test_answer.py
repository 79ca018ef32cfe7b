"""Answers with a cache: as a plain pass over prompt and option gives them, and as generation."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from lab.small_models import ALPHABET, SMALL, alphabet_models  # noqa: E402
from upswing.lab import answer as answer_module  # noqa: E402
from upswing.lab.answer import answer  # noqa: E402
from upswing.lab.questions import Questions, ask  # noqa: E402
from upswing.lab.tasks import TASKS  # noqa: E402
from upswing.lab.transformer import initial_weights, logits  # noqa: E402


def asked(task=ALPHABET, count=60, shots=0, seed=0) -> Questions:
    return ask(task, count, shots, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def models():
    return alphabet_models()


def plain(weights, questions, endings):
    """Return scores of the ending's tokens from one pass over prompt and ending, no cache."""
    prompts = torch.from_numpy(questions.prompts).long()
    rows = torch.cat([prompts, torch.from_numpy(endings).long()], dim=-1)
    count = len(next(iter(weights.values())))
    scores = logits(weights, SMALL, rows[:, :-1].expand(count, -1, -1))
    return scores[:, :, questions.prompts.shape[1] - 1 :]


def right_answers(questions):
    return questions.options[np.arange(len(questions.targets)), questions.targets]


@pytest.mark.parametrize(("name", "shots"), [("alphabet", 0), ("alphabet", 2), ("lookup", 1)])
def test_log_likelihoods_are_those_of_a_plain_pass_per_option(models, name, shots):
    questions = asked({**TASKS, "alphabet": ALPHABET}[name], 20, shots)
    found = answer(models, SMALL, questions).option_logprobs
    assert found.shape == (3, 20, 4)
    for choice in range(4):
        option = questions.options[:, choice]
        scores = plain(models, questions, option).double().log_softmax(dim=-1)
        tokens = torch.from_numpy(option).long().expand(3, -1, -1).unsqueeze(-1)
        expected = scores.gather(3, tokens).squeeze(-1).sum(dim=-1).numpy()
        assert np.allclose(found[:, :, choice], expected, atol=1e-4)


@pytest.mark.parametrize("shots", [0, 1])
def test_teacher_forced_exact_match_is_greedy_decoding(models, shots):
    """The right answer is the greedy one if and only if each of its tokens is the likeliest."""
    questions = asked(count=200, shots=shots)
    targets = right_answers(questions)
    forced = (plain(models, questions, targets).argmax(dim=-1).numpy() == targets).all(axis=-1)
    written = (answer(models, SMALL, questions).outputs == targets).all(axis=-1)
    assert np.array_equal(forced, written)
    if not shots:  # what the models were trained on
        fresh, half, whole = written.mean(axis=1)
        assert fresh < 0.1
        assert 0.1 < half < 0.9
        assert whole > 0.95


def test_greedy_decoding_writes_the_likeliest_symbol_each_time(models):
    questions = asked(count=30)
    found = answer(models, SMALL, questions).outputs
    written = np.zeros((3, 30, 0), dtype=np.uint8)
    for _ in range(3):
        step = []
        for i in range(3):
            one = {name: weight[i : i + 1] for name, weight in models.items()}
            and_one_more = np.pad(written[i], ((0, 0), (0, 1)))
            step.append(plain(one, questions, and_one_more)[0, :, -1].argmax(dim=-1).numpy())
        written = np.concatenate([written, np.stack(step)[..., None].astype(np.uint8)], axis=2)
    assert np.array_equal(found, written)


def test_a_model_answers_in_a_stack_as_alone(models):
    questions = asked(count=40)
    together = answer(models, SMALL, questions)
    for i in range(3):
        alone = answer({n: w[i : i + 1] for n, w in models.items()}, SMALL, questions)
        assert np.allclose(together.option_logprobs[i], alone.option_logprobs[0], atol=1e-4)
        assert np.array_equal(together.outputs[i], alone.outputs[0])


@pytest.mark.parametrize("rows", [1, 7, 50, 10**6])
def test_how_many_are_read_at_once_changes_nothing(models, monkeypatch, rows):
    questions = asked(count=23)
    expected = answer(models, SMALL, questions)
    monkeypatch.setattr(answer_module, "_ROWS", rows)
    found = answer(models, SMALL, questions)
    assert np.allclose(found.option_logprobs, expected.option_logprobs, atol=1e-4)
    assert np.array_equal(found.outputs, expected.outputs)


def test_answers_of_one_token():
    questions = asked(TASKS["modular-addition"], 5)
    one = Questions(
        questions.task,
        0,
        questions.problems,
        questions.prompts,
        questions.options[..., :1],
        questions.option_texts,
        questions.targets,
    )
    weights = initial_weights(SMALL, [0])
    found = answer(weights, SMALL, one)
    scores = plain(weights, one, one.options[:, 0]).log_softmax(dim=-1)[0, :, 0]
    expected = np.take_along_axis(scores.numpy(), one.options[..., 0].astype(int), axis=1)
    assert np.allclose(found.option_logprobs[0], expected, atol=1e-5)
    assert np.array_equal(found.outputs[0, :, 0], scores.argmax(dim=-1).numpy())
