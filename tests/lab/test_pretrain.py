"""Pretraining: against a plain loop in PyTorch, in a stack and alone, and when it goes wrong."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from lab.small_models import SMALL, TINY  # noqa: E402
from upswing.errors import ExperimentError  # noqa: E402
from upswing.lab.alphabet import SYMBOLS  # noqa: E402
from upswing.lab.mixture import (  # noqa: E402
    CONTEXT,
    Mixture,
    held_out_windows,
    training_batches,
)
from upswing.lab.pretrain import Training, clip, pretrain, text_losses  # noqa: E402
from upswing.lab.transformer import initial_weights, logits  # noqa: E402

MIXTURE = Mixture("copies", 0.5, {"copy": 1.0})


def batches_of(corpus, seed, rows=4):
    return training_batches(MIXTURE, corpus, rows, np.random.default_rng([seed, 1]))


def trained(corpus, shape, training, seeds, checkpoints):
    streams = [batches_of(corpus, seed, training.rows) for seed in seeds]
    held_out = held_out_windows(corpus, 8)
    return list(pretrain(shape, training, seeds, streams, held_out, checkpoints))


def test_the_loss_on_held_out_text_falls(corpus):
    found = trained(corpus, SMALL, Training(120, rows=8), [0], [1, 20, 60, 120])
    losses = [float(checkpoint.losses[0]) for checkpoint in found]
    assert losses[0] == pytest.approx(math.log(len(SYMBOLS)), abs=0.05)
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] - 1.0


def test_checkpoints_come_after_the_steps_asked_for_and_are_told_of(corpus):
    streams, told = [batches_of(corpus, 0)], []
    run = pretrain(
        TINY,
        Training(45, rows=4),
        [0],
        streams,
        held_out_windows(corpus, 4),
        [45, 7, 1],
        told.append,
    )
    assert [checkpoint.step for checkpoint in run] == [1, 7, 45]
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_checkpoint_stays_as_it_is_when_training_goes_on(corpus):
    run = pretrain(
        TINY,
        Training(10, rows=4),
        [0],
        [batches_of(corpus, 0)],
        held_out_windows(corpus, 4),
        [5, 10],
    )
    first = next(run)
    before = {name: weight.clone() for name, weight in first.weights.items()}
    second = next(run)
    assert all(torch.equal(before[name], first.weights[name]) for name in before)
    assert any(not torch.equal(before[name], second.weights[name]) for name in before)
    assert not any(weight.requires_grad for weight in first.weights.values())


def test_a_run_with_fewer_steps_gets_no_further_than_asked(corpus):
    stream = batches_of(corpus, 0)
    list(pretrain(TINY, Training(3, rows=4), [0], [stream], held_out_windows(corpus, 4), [3]))
    fresh = batches_of(corpus, 0)
    fourth = next(itertools.islice(fresh, 3, None))
    assert np.array_equal(next(stream), fourth)


def test_a_stack_of_two_is_two_single_runs(corpus):
    training = Training(20, rows=4)
    together = trained(corpus, SMALL, training, [0, 1], [10, 20])
    for i, seed in enumerate((0, 1)):
        alone = trained(corpus, SMALL, training, [seed], [10, 20])
        for one, stack in zip(alone, together, strict=True):
            assert float(one.losses[0]) == pytest.approx(float(stack.losses[i]), abs=1e-4)
            for name, weight in one.weights.items():
                assert torch.allclose(weight[0], stack.weights[name][i], atol=1e-4), name


def test_the_same_seed_gives_the_same_model(corpus):
    first, second = (trained(corpus, TINY, Training(10, rows=4), [3], [10])[0] for _ in range(2))
    assert float(first.losses[0]) == pytest.approx(float(second.losses[0]), abs=1e-6)


def test_training_is_what_a_plain_loop_does(corpus):
    """AdamW, clipping and averaging of PyTorch, one model, with nothing of the stack's own."""
    training = Training(30, rows=4, learning_rate=4e-3)
    found = trained(corpus, SMALL, training, [5], [30])[0]

    weights = {n: w.requires_grad_() for n, w in initial_weights(SMALL, [5]).items()}
    norms = [weight for name, weight in weights.items() if "norm" in name]
    matrices = [weight for name, weight in weights.items() if "norm" not in name]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.05}, {"params": norms, "weight_decay": 0.0}],
        betas=(0.9, 0.99),
        foreach=False,
    )
    average = {name: weight.detach().clone() for name, weight in weights.items()}
    for step, batch in enumerate(itertools.islice(batches_of(corpus, 5), 30)):
        tokens = torch.from_numpy(batch).long()
        scores = logits(weights, SMALL, tokens[None, :, :-1])[0]
        torch.nn.functional.cross_entropy(scores.flatten(0, 1), tokens[:, 1:].flatten()).backward()
        torch.nn.utils.clip_grad_norm_(weights.values(), 1.0)
        # 30 steps: 3 of warm-up, and the last 6 down to zero.
        for group in optimizer.param_groups:
            group["lr"] = 4e-3 * min(1.0, (step + 1) / 3, (30 - step) / 6)
        optimizer.step()
        optimizer.zero_grad()
        decay = min(0.99, (1 + step) / (10 + step))
        for name, weight in weights.items():
            average[name] = decay * average[name] + (1 - decay) * weight.detach()
    for name, weight in average.items():
        assert torch.allclose(found.weights[name], weight, atol=1e-4), name
    raw = {name: weight.detach() for name, weight in weights.items()}
    assert any(not torch.allclose(found.weights[n], raw[n], atol=1e-3) for n in raw)


def test_the_loss_is_the_mean_over_all_characters(corpus):
    windows, weights = held_out_windows(corpus, 150), initial_weights(TINY, [0, 1])
    found = text_losses(weights, TINY, windows)
    tokens = torch.from_numpy(windows).long().expand(2, -1, -1)
    chances = logits(weights, TINY, tokens[..., :-1]).double().softmax(dim=-1)
    expected = -chances.gather(3, tokens[..., 1:, None]).log().mean(dim=(1, 2, 3))
    assert found.shape == (2,)
    assert torch.allclose(found, expected, atol=1e-5)


def test_each_model_is_clipped_by_its_own_gradient():
    weights = {"a": torch.zeros(3, 4, 5), "b": torch.zeros(3, 6), "c": torch.zeros(3, 2)}
    generator = torch.Generator().manual_seed(0)
    for name in ("a", "b"):
        weights[name].grad = torch.randn(weights[name].shape, generator=generator)
        weights[name].grad[1] *= 1e-3
    before = {name: weights[name].grad.clone() for name in ("a", "b")}
    clip(weights)
    lengths = torch.cat([weights[n].grad.flatten(1) for n in ("a", "b")], dim=1).norm(dim=1)
    assert lengths[[0, 2]].tolist() == pytest.approx([1.0, 1.0], abs=1e-5)
    assert torch.equal(weights["a"].grad[1], before["a"][1])  # short ones stay
    shrunk = weights["a"].grad[0] / before["a"][0]
    assert torch.allclose(shrunk, shrunk[0, 0].expand_as(shrunk))


@pytest.mark.parametrize("steps", [5, 100, 1000, 4000])
def test_the_rate_warms_up_stays_and_falls_to_zero(steps):
    training = Training(steps, learning_rate=0.5)
    rates = [training.rate(step) for step in range(steps)]
    warm_up, cool_down = min(100, max(1, steps // 10)), max(1, steps // 5)
    assert rates[0] == pytest.approx(0.5 / warm_up)
    assert rates[:warm_up] == pytest.approx([0.5 * (i + 1) / warm_up for i in range(warm_up)])
    level = rates[warm_up : steps - cool_down]
    assert level == pytest.approx([0.5] * len(level))
    falling = rates[steps - cool_down :]
    assert falling == pytest.approx([0.5 * (cool_down - i) / cool_down for i in range(cool_down)])
    assert training.rate(steps) == 0.0


def test_characters_read_are_counted():
    assert Training(100, rows=32).tokens(10) == 10 * 32 * CONTEXT


@pytest.mark.parametrize("checkpoints", [[1, 50], [30, 50], [50]])
def test_a_loss_that_is_not_finite_is_told_with_step_and_rate(corpus, checkpoints):
    training = Training(50, rows=4, learning_rate=1e30)
    with pytest.raises(ExperimentError, match=r"the loss of d8L1 after \d+ steps is not") as error:
        trained(corpus, TINY, training, [0], checkpoints)
    assert "1e+30" in error.value.hint


def test_no_checkpoint_has_a_loss_that_is_not_finite(corpus, monkeypatch):
    """The step before a checkpoint can break a model whose loss was still finite."""
    import upswing.lab.pretrain as module

    step = torch.optim.AdamW.step
    monkeypatch.setattr(module, "_CHECKED_EVERY", 10**6)

    def breaking(optimizer, *arguments):
        step(optimizer, *arguments)
        with torch.no_grad():
            optimizer.param_groups[0]["params"][0].fill_(math.inf)

    monkeypatch.setattr(torch.optim.AdamW, "step", breaking)
    with pytest.raises(ExperimentError, match="d8L1 after 1 steps"):
        trained(corpus, TINY, Training(20, rows=4), [0], [1])
