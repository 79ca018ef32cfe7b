"""Finetuning in a stack: each run as if alone, on nested examples, ended and kept by validation."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from lab.small_models import ALPHABET, SMALL, TINY  # noqa: E402
from upswing.errors import ExperimentError, InputError  # noqa: E402
from upswing.lab import finetune as module  # noqa: E402
from upswing.lab.alphabet import decode, encode  # noqa: E402
from upswing.lab.finetune import Finetuning, Run, finetune  # noqa: E402
from upswing.lab.lora import adapted, initial_factors, is_adapted  # noqa: E402
from upswing.lab.tasks import TASKS  # noqa: E402
from upswing.lab.tasks.task import Problem  # noqa: E402
from upswing.lab.transformer import initial_weights, logits  # noqa: E402

TASK = TASKS["addition-2"]


@pytest.fixture
def often(monkeypatch):
    """Validate every 4 steps and stop after 2 measurements, so that short runs show it all."""
    monkeypatch.setattr(module, "_VALIDATED_EVERY", 4)
    monkeypatch.setattr(module, "_PATIENCE", 2)


@pytest.fixture
def read(monkeypatch):
    """Record what models read: lists of (is training, tokens of the stack)."""
    seen, losses = [], module._answer_losses

    def recording(weights, shape, tokens, prompt):
        seen.append((torch.is_grad_enabled(), np.array(tokens)))
        return losses(weights, shape, tokens, prompt)

    monkeypatch.setattr(module, "_answer_losses", recording)
    return seen


def validation_losses(weights, shape, task, count=128, pool_seed=0):
    """Return each run's mean loss on the answers' characters, computed afresh."""
    rng = np.random.default_rng([pool_seed, 2**31])
    problems = task.at_most("validation", count, rng)
    prompt = len(problems[0].prompt)
    tokens = torch.from_numpy(np.stack([encode("".join(problem)) for problem in problems])).long()
    runs = len(next(iter(weights.values())))
    scores = logits(weights, shape, tokens[:, :-1].expand(runs, -1, -1)).double()
    right = tokens[:, 1:].expand(runs, -1, -1).unsqueeze(-1)
    chances = scores.log_softmax(dim=-1).gather(3, right).squeeze(-1)
    return -chances[:, :, prompt - 1 :].mean(dim=(1, 2))


@pytest.mark.parametrize("method", ["full", "lora-2"])
def test_a_run_in_a_stack_is_the_run_alone(method):
    start, finetuning = initial_weights(SMALL, [0]), Finetuning(ALPHABET, method, steps=34)
    runs = [Run(16, 0, 0, 2e-3), Run(64, 0, 1, 6e-3), Run(64, 1, 0, 2e-3)]
    together = finetune(start, SMALL, finetuning, runs, 0)
    for i, run in enumerate(runs):
        alone = finetune(start, SMALL, finetuning, [run], 0)
        assert int(alone.steps[0]) == int(together.steps[i])
        assert float(alone.losses[0]) == pytest.approx(float(together.losses[i]), abs=1e-4)
        for name, weight in alone.weights.items():
            assert torch.allclose(weight[0], together.weights[name][i], atol=2e-4), name


@pytest.mark.parametrize("method", ["full", "lora-2"])
def test_a_run_does_not_feel_that_others_stop(often, read, method):
    """The first run gets no better and stops; the others go on as if it had never been."""
    start, finetuning = initial_weights(SMALL, [0]), Finetuning(ALPHABET, method, steps=32)
    runs = [Run(16, 0, 0, 0.0), Run(200, 0, 0, 5e-3), Run(200, 1, 0, 5e-3)]
    together = finetune(start, SMALL, finetuning, runs, 0)
    sizes = [len(tokens) for training, tokens in read if training]
    assert sizes[0] == 3
    assert sizes[-1] == 2
    assert len(sizes) == 32
    assert int(together.steps[0]) == 4
    assert sizes.count(3) == 4 + 2 * 4
    for i in (1, 2):
        alone = finetune(start, SMALL, finetuning, [runs[i]], 0)
        assert int(alone.steps[0]) == int(together.steps[i])
        assert float(alone.losses[0]) == pytest.approx(float(together.losses[i]), abs=1e-4)
        for name, weight in alone.weights.items():
            assert torch.allclose(weight[0], together.weights[name][i], atol=2e-4), name


@pytest.mark.parametrize("method", ["full", "lora-1"])
def test_the_best_weights_on_validation_are_kept(often, monkeypatch, method):
    start, finetuning = initial_weights(SMALL, [0]), Finetuning(ALPHABET, method, steps=40)
    runs = [Run(4, 0, 0, 2e-2), Run(200, 0, 0, 1e-2)]
    tuned = finetune(start, SMALL, finetuning, runs, 0)
    assert torch.allclose(
        validation_losses(tuned.weights, SMALL, ALPHABET).float(), tuned.losses, atol=1e-5
    )
    original, passed = module._Stack.step, []

    def recording(stack, share):
        original(stack, share)
        passed.append({name: weight.detach().clone() for name, weight in stack.weights.items()})

    monkeypatch.setattr(module._Stack, "step", recording)
    for i, run in enumerate(runs):
        passed.clear()
        finetune(start, SMALL, finetuning, [run], 0)
        measured = {}
        for step in range(4, len(passed) + 1, 4):
            weights = passed[step - 1] if method == "full" else adapted(start, passed[step - 1])
            measured[step] = float(validation_losses(weights, SMALL, ALPHABET)[0])
        best = int(tuned.steps[i])
        assert measured[best] == min(measured.values())
        assert float(tuned.losses[i]) == pytest.approx(measured[best], abs=1e-4)
        assert len(passed) == min(40, best + 2 * 4)
    # Four examples are soon learnt by heart: better weights than the last ones were kept.
    assert int(tuned.steps[0]) < int(tuned.steps[1])


def test_runs_end_after_their_patience(often, read):
    start = initial_weights(TINY, [0])
    tuned = finetune(start, TINY, Finetuning(ALPHABET, steps=400), [Run(4, 0, 0, 5e-2)], 0)
    steps = sum(training for training, _ in read)
    assert steps == int(tuned.steps[0]) + 2 * 4
    assert steps < 400


def test_examples_are_nested_in_a_draw_and_of_the_training_split(read):
    runs = [Run(d, draw, seed, 1e-3) for d in (4, 16, 64) for draw in (0, 1) for seed in (0, 1)]
    finetune(initial_weights(TINY, [0]), TINY, Finetuning(TASK, steps=40, rows=16), runs, 7)
    training = np.concatenate([tokens for is_training, tokens in read if is_training], axis=1)
    seen = {run: {decode(row) for row in training[i]} for i, run in enumerate(runs)}
    for d, draw, seed, rate in runs:
        pool = TASK.draw("train", 64, np.random.default_rng([7, draw]))[:d]
        assert seen[Run(d, draw, seed, rate)] == {"".join(problem) for problem in pool}
    validation = {decode(row) for is_training, t in read if not is_training for row in t[0]}
    assert len(validation) == 128
    for text in set.union(*seen.values()) | validation:
        problem = Problem(text[:6], text[6:])
        assert TASK.split(problem) == ("validation" if text in validation else "train")


def test_subsets_do_not_depend_on_what_else_is_run(read):
    start, finetuning = initial_weights(TINY, [0]), Finetuning(TASK, steps=2, rows=8)
    finetune(start, TINY, finetuning, [Run(32, 0, 0, 1e-3)], 0)
    finetune(start, TINY, finetuning, [Run(500, 0, 0, 1e-3), Run(32, 0, 0, 2e-3)], 0)
    training = [tokens for is_training, tokens in read if is_training]
    for alone, together in zip(training[:2], training[2:], strict=True):
        assert np.array_equal(alone[0], together[1])


def test_orders_differ_by_seed_and_subsets_by_draw(read):
    runs = [Run(64, 0, 0, 1e-3), Run(64, 0, 1, 1e-3), Run(64, 1, 0, 1e-3)]
    finetune(initial_weights(TINY, [0]), TINY, Finetuning(TASK, steps=1), runs, 0)
    first = next(tokens for is_training, tokens in read if is_training)
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first[0], first[2])


@pytest.mark.parametrize(("method", "factor"), [("full", 1.0), ("lora-4", 3.0)])
def test_each_run_has_its_own_learning_rate(method, factor):
    """Adam's first step moves by the rate, whatever the gradient; with a rate of 0 by nothing."""
    start = initial_weights(SMALL, [0])
    rates = [0.0, 1e-3, 5e-3]
    runs = [Run(16, 0, 0, rate) for rate in rates]
    tuned = finetune(start, SMALL, Finetuning(ALPHABET, method, steps=1), runs, 0)
    assert tuned.steps.tolist() == [1, 1, 1]
    if method == "full":
        for name, weight in tuned.weights.items():
            moved = (weight - start[name]).abs().flatten(1).amax(dim=1)
            expected = torch.tensor(rates) * (64 / SMALL.width) ** 0.5
            assert torch.allclose(moved, expected, rtol=1e-3, atol=1e-6), name
        return
    # Only B has a gradient while it is zero: row by row, B moves by plus or minus the rate.
    name = next(filter(is_adapted, tuned.weights))
    seeds = [module._factor_seed(0, run) for run in runs]
    factors = initial_factors({n: w.expand(3, *w.shape[1:]) for n, w in start.items()}, 4, seeds)
    update = tuned.weights[name] - start[name]
    moved = (update @ torch.linalg.pinv(factors[f"{name}.A"])).abs().flatten(1).amax(dim=1)
    expected = factor * torch.tensor(rates) * (64 / SMALL.width) ** 0.5
    assert torch.allclose(moved, expected, rtol=1e-2, atol=1e-5)


def test_the_checkpoint_stays_as_it_was():
    start = initial_weights(TINY, [0])
    before = {name: weight.clone() for name, weight in start.items()}
    tuned = finetune(start, TINY, Finetuning(ALPHABET, steps=8), [Run(16, 0, 0, 1e-2)] * 2, 0)
    assert all(torch.equal(start[name], before[name]) for name in start)
    assert not any(weight.requires_grad for weight in start.values())
    assert not any(weight.requires_grad for weight in tuned.weights.values())


def test_only_answers_are_learnt():
    """What a question looks like is nothing to learn: the loss is on the answer's characters."""
    start = initial_weights(SMALL, [0])
    tuned = finetune(start, SMALL, Finetuning(ALPHABET, steps=1), [Run(16, 0, 0, 0.0)], 0)
    expected = validation_losses(start, SMALL, ALPHABET)
    assert float(tuned.losses[0]) == pytest.approx(float(expected[0]), abs=1e-5)


def test_more_examples_than_there_are_are_refused():
    task = TASKS["addition-1"]
    there_are = sum(task.split(task.problem(i)) == "train" for i in range(100))
    with pytest.raises(InputError, match=f"addition-1 has {there_are} train problems, not 256"):
        finetune(
            initial_weights(TINY, [0]), TINY, Finetuning(task, steps=2), [Run(256, 0, 0, 1e-3)], 0
        )


@pytest.mark.parametrize("name", ["addition-1", "modular-addition"])
def test_a_task_with_few_validation_problems_makes_do_with_them(read, name):
    finetune(
        initial_weights(TINY, [0]), TINY, Finetuning(TASKS[name], steps=2), [Run(8, 0, 0, 1e-3)], 0
    )
    validation = next(tokens for is_training, tokens in read if not is_training)
    task = TASKS[name]
    there_are = {p for p in map(task.problem, range(task.space)) if task.split(p) == "validation"}
    assert {decode(row) for row in validation[0]} == {"".join(problem) for problem in there_are}


def test_no_examples_are_refused():
    with pytest.raises(InputError, match="at least one example"):
        finetune(
            initial_weights(TINY, [0]), TINY, Finetuning(TASK, steps=2), [Run(0, 0, 0, 1e-3)], 0
        )


def test_a_loss_that_is_not_finite_is_told_with_step_and_rate():
    with pytest.raises(ExperimentError, match="addition-2 after 32 steps of finetuning") as error:
        finetune(
            initial_weights(TINY, [0]), TINY, Finetuning(TASK, steps=64), [Run(8, 0, 0, 1e30)], 0
        )
    assert "e+30" in error.value.hint


def test_a_last_step_that_breaks_the_weights_is_told():
    with pytest.raises(ExperimentError, match="after 1 steps of finetuning is not finite"):
        finetune(
            initial_weights(TINY, [0]), TINY, Finetuning(TASK, steps=1), [Run(8, 0, 0, 1e38)], 0
        )


def test_a_run_that_diverges_leaves_the_stack_where_that_is_allowed():
    shape, weights = SMALL, initial_weights(SMALL, [0])
    short = Finetuning(ALPHABET, steps=64, rows=8, validation=16)
    runs = [Run(16, 0, 0, 1e-3), Run(16, 0, 0, 1e30)]
    with pytest.raises(ExperimentError, match="not finite"):
        finetune(weights, shape, short, runs, 0)
    both = finetune(weights, shape, short, runs, 0, may_diverge=True)
    alone = finetune(weights, shape, short, runs[:1], 0)
    assert torch.isinf(both.losses[1])
    torch.testing.assert_close(both.losses[:1], alone.losses, rtol=1e-4, atol=1e-5)
