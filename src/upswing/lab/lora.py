r"""Low-rank adaptation of a stack of models (Hu et al. 2021, arXiv:2106.09685).

Every matrix W of attention and feed-forward layers becomes W + (α/r) B A with A of r rows, B = 0 at
the start, and α = r: the update is not scaled.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from upswing.lab.transformer import Weights


def is_adapted(name: str) -> bool:
    """Tell whether a weight gets a low-rank update: all linear maps inside the layers."""
    return name.endswith("_proj.weight")


def initial_factors(weights: Weights, rank: int, seeds: list[int]) -> dict[str, Tensor]:
    """Return A (uniform, as in the paper's code) and B (zero) for each adapted weight.

    Parameters
    ----------
    weights
        Weights of a stack, one model per seed.
    rank
        Rank of the update, at least 1.
    seeds
        Seeds of A.
    """
    factors = {}
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    for name in filter(is_adapted, weights):
        models, rows, columns = weights[name].shape
        bound = 1.0 / math.sqrt(columns)
        drawn = [torch.rand(rank, columns, generator=generator) for generator in generators]
        factors[f"{name}.A"] = (2.0 * torch.stack(drawn) - 1.0) * bound
        factors[f"{name}.B"] = torch.zeros(models, rows, rank)
    return factors


def adapted(weights: Weights, factors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights with their updates added."""
    return {
        name: weight + torch.bmm(factors[f"{name}.B"], factors[f"{name}.A"])
        if is_adapted(name)
        else weight
        for name, weight in weights.items()
    }
