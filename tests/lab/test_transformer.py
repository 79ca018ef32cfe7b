"""A stack of models computes what its models compute alone, with a cache and without."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from upswing.lab.alphabet import SYMBOLS  # noqa: E402
from upswing.lab.model_shape import ModelShape  # noqa: E402
from upswing.lab.transformer import Cache, initial_weights, logits  # noqa: E402

SHAPES = [ModelShape(8, 1), ModelShape(16, 2), ModelShape(48, 2)]
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)


def tokens_of(models: int, rows: int = 3, length: int = 11, seed: int = 0) -> torch.Tensor:
    drawn = np.random.default_rng(seed).integers(len(SYMBOLS), size=(models, rows, length))
    return torch.from_numpy(drawn)


def one_of(weights, i):
    return {name: weight[i : i + 1] for name, weight in weights.items()}


def lively(shape, seeds):
    """Return weights under which everything matters: large embeddings, norms that differ."""
    weights = initial_weights(shape, seeds)
    generator = torch.Generator().manual_seed(99)
    for name, weight in weights.items():
        if weight.dim() == 2:
            weight.mul_(0.5 + torch.rand(weight.shape, generator=generator))
        elif "embed" in name or "lm_head" in name:
            weight.mul_(20.0)
    return weights


@every_shape
def test_a_stack_is_its_models(shape):
    weights, tokens = lively(shape, [3, 4, 5]), tokens_of(3)
    together = logits(weights, shape, tokens)
    assert together.shape == (3, 3, 11, len(SYMBOLS))
    for i in range(3):
        alone = logits(one_of(weights, i), shape, tokens[i : i + 1])
        assert torch.allclose(together[i : i + 1], alone, atol=1e-6, rtol=1e-6)
    assert not torch.allclose(together[0], together[1], atol=0.1)


@every_shape
def test_rows_do_not_see_each_other(shape):
    weights, tokens = lively(shape, [1]), tokens_of(1)
    whole = logits(weights, shape, tokens)
    for row in range(3):
        alone = logits(weights, shape, tokens[:, row : row + 1])
        assert torch.allclose(whole[:, row : row + 1], alone, atol=1e-6, rtol=1e-6)


@every_shape
@pytest.mark.parametrize("parts", [[11], [1] * 11, [7, 4], [1, 9, 1], [4, 1, 3, 3]])
def test_the_cache_gives_what_a_full_pass_gives(shape, parts):
    weights, tokens = lively(shape, [0, 1]), tokens_of(2)
    cache, found = Cache(), []
    for part in torch.split(tokens, parts, dim=-1):
        before = cache.length
        found.append(logits(weights, shape, part, cache))
        assert cache.length == before + part.shape[-1]
    assert torch.allclose(
        torch.cat(found, dim=2), logits(weights, shape, tokens), atol=1e-5, rtol=1e-5
    )


@every_shape
def test_a_repeated_cache_goes_on_from_each_row_several_times(shape):
    weights, tokens, ends = lively(shape, [0, 1]), tokens_of(2, length=6), tokens_of(2, 12, 5, 1)
    cache = Cache()
    logits(weights, shape, tokens, cache)
    found = logits(weights, shape, ends, cache.repeated(4))
    assert cache.length == 6  # the copy was extended, not the cache itself
    whole = torch.cat([tokens.repeat_interleave(4, dim=1), ends], dim=2)
    expected = logits(weights, shape, whole)[:, :, 6:]
    assert torch.allclose(found, expected, atol=1e-5, rtol=1e-5)


@every_shape
@pytest.mark.parametrize("changed", [0, 5, 10])
def test_a_later_token_does_not_change_what_stands_before(shape, changed):
    weights, tokens = lively(shape, [2]), tokens_of(1)
    other = tokens.clone()
    other[..., changed] = (other[..., changed] + 1) % len(SYMBOLS)
    before, after = logits(weights, shape, tokens), logits(weights, shape, other)
    assert torch.allclose(before[:, :, :changed], after[:, :, :changed], atol=1e-6, rtol=1e-6)
    differences = (before - after).abs().amax(dim=(0, 1, 3))
    assert (differences[changed:] > 1e-4).all()  # and it does change all that follows


def test_positions_matter():
    """The same letters in another order give another answer: rotary positions are there."""
    shape = SHAPES[1]
    weights = lively(shape, [0])
    tokens = torch.tensor([[[2, 3, 4, 5, 9]]])
    swapped = torch.tensor([[[5, 4, 3, 2, 9]]])
    last = [logits(weights, shape, t)[0, 0, -1] for t in (tokens, swapped)]
    assert (last[0] - last[1]).abs().max() > 1e-2


@every_shape
def test_parameters_are_as_many_as_the_shape_says(shape):
    weights = initial_weights(shape, [0, 1])
    assert {name: tuple(w.shape[1:]) for name, w in weights.items()} == shape.tensors()
    assert sum(weight.numel() for weight in weights.values()) == 2 * shape.params
    assert all(weight.shape[0] == 2 for weight in weights.values())


def test_first_weights_depend_on_the_seed_only():
    shape = SHAPES[1]
    stack = initial_weights(shape, [7, 8])
    for i, seed in enumerate((7, 8)):
        alone = initial_weights(shape, [seed])
        assert all(torch.equal(stack[name][i], alone[name][0]) for name in stack)
    assert not torch.equal(stack["lm_head.weight"][0], stack["lm_head.weight"][1])


def test_first_models_know_nothing():
    shape = ModelShape(48, 3)
    scores = logits(initial_weights(shape, [0]), shape, tokens_of(1, rows=20, length=64))
    loss = -scores.log_softmax(dim=-1).mean()
    assert float(loss) == pytest.approx(np.log(len(SYMBOLS)), abs=0.05)


@every_shape
def test_gradients_stay_inside_their_model(shape):
    weights, tokens = lively(shape, [0, 1, 2]), tokens_of(3)
    for weight in weights.values():
        weight.requires_grad_()
    logits(weights, shape, tokens)[1].square().sum().backward()
    for name, weight in weights.items():
        assert weight.grad[1].abs().sum() > 0, name
        assert weight.grad[[0, 2]].abs().sum() == 0, name


@every_shape
def test_gradients_of_a_stack_are_those_of_its_models(shape):
    weights, tokens = lively(shape, [0, 1]), tokens_of(2)

    def gradients(some, read):
        leaves = {name: weight.clone().requires_grad_() for name, weight in some.items()}
        logits(leaves, shape, read).log_softmax(dim=-1)[..., 0].mean(dim=(1, 2)).sum().backward()
        return {name: leaf.grad for name, leaf in leaves.items()}

    together = gradients(weights, tokens)
    for i in range(2):
        for name, alone in gradients(one_of(weights, i), tokens[i : i + 1]).items():
            assert torch.allclose(together[name][i : i + 1], alone, atol=1e-6, rtol=1e-4), name
