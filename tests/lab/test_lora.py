"""Low-rank updates: nothing at the start, of the rank asked for, and of nothing else."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from lab.small_models import ALPHABET, SMALL, TINY  # noqa: E402
from upswing.errors import InputError  # noqa: E402
from upswing.lab.finetune import Finetuning, Run, finetune  # noqa: E402
from upswing.lab.lora import adapted, initial_factors, is_adapted  # noqa: E402
from upswing.lab.transformer import initial_weights  # noqa: E402

LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def test_all_linear_maps_of_the_layers_are_adapted_and_nothing_else():
    names = {name for name in SMALL.tensors() if is_adapted(name)}
    assert names == {n for n in SMALL.tensors() if n.split(".")[-2] in LINEAR}
    assert len(names) == 7 * SMALL.layers


@pytest.mark.parametrize("rank", [1, 2, 4, 16])
def test_the_first_update_is_zero(rank):
    weights = initial_weights(SMALL, [0, 1])
    factors = initial_factors(weights, rank, [5, 6])
    for name, weight in adapted(weights, factors).items():
        assert torch.equal(weight, weights[name])
    for name, factor in factors.items():
        assert factor.shape[2 if name.endswith(".B") else 1] == rank
        if name.endswith(".A"):
            bound = factor.shape[2] ** -0.5
            assert 0.7 * bound < factor.abs().max() <= bound
            assert not torch.equal(factor[0], factor[1])


def test_factors_of_a_model_do_not_depend_on_the_stack():
    weights = initial_weights(SMALL, [0, 0])
    together = initial_factors(weights, 2, [5, 6])
    alone = initial_factors({n: w[:1] for n, w in weights.items()}, 2, [6])
    assert all(torch.equal(alone[name][0], together[name][1]) for name in alone)


def test_the_update_is_the_product_of_the_factors():
    weights = initial_weights(TINY, [0])
    factors = initial_factors(weights, 3, [1])
    name = "model.layers.0.mlp.down_proj.weight"
    factors[f"{name}.B"] = torch.randn(factors[f"{name}.B"].shape)
    product = factors[f"{name}.B"][0].numpy() @ factors[f"{name}.A"][0].numpy()
    update = (adapted(weights, factors)[name] - weights[name])[0].numpy()
    assert np.allclose(update, product, atol=1e-6)


@pytest.mark.parametrize("rank", [1, 2])
def test_finetuning_changes_by_the_rank_and_only_what_is_adapted(rank):
    weights = initial_weights(SMALL, [0])
    finetuning = Finetuning(ALPHABET, f"lora-{rank}", steps=64)
    runs = [Run(4, 0, 0, 1e-2), Run(8, 0, 1, 1e-2)]
    tuned = finetune(weights, SMALL, finetuning, runs, 0)
    for name, weight in tuned.weights.items():
        update = weight - weights[name]
        if is_adapted(name):
            assert (update.flatten(1).norm(dim=1) > 1e-3).all(), name
            ranks = torch.linalg.matrix_rank(update.double(), atol=1e-5)
            assert ranks.tolist() == [rank, rank], name
        else:
            assert (update == 0).all(), name


@pytest.mark.parametrize(
    "method", ["", "lora", "lora-", "lora-0", "lora--1", "lora-x", "Full", "qlora-4"]
)
def test_a_method_that_does_not_exist_is_refused(method):
    with pytest.raises(InputError, match="no method") as error:
        finetune(
            initial_weights(TINY, [0]), TINY, Finetuning(ALPHABET, method), [Run(4, 0, 0, 1e-2)], 0
        )
    assert "lora-4" in error.value.hint


def test_methods_give_their_rank():
    assert Finetuning(ALPHABET).rank is None
    assert Finetuning(ALPHABET, "lora-16").rank == 16
