"""Several models of one shape as one: every weight has a leading axis, every product is a ``bmm``.

Small matrices leave a processor idle; a stack of models gives it enough to do. All functions take
weights as a mapping from names of :meth:`ModelShape.tensors` to tensors of shape
``(n_models, *shape)`` and tokens of shape ``(n_models, n_rows, n_tokens)``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from upswing.lab.model_shape import NORM_EPSILON, ROTARY_BASE, ModelShape

Weights = Mapping[str, Tensor]


@dataclass
class Cache:
    """Keys and values of the tokens read so far, per layer (models·rows, heads, tokens, head)."""

    keys: list[Tensor] = field(default_factory=list)
    values: list[Tensor] = field(default_factory=list)

    @property
    def length(self) -> int:
        """Tokens read so far."""
        return self.keys[0].shape[2] if self.keys else 0

    def repeated(self, times: int) -> Cache:
        """Return a cache in which each row stands ``times`` times in a row."""
        return Cache(
            [key.repeat_interleave(times, dim=0) for key in self.keys],
            [value.repeat_interleave(times, dim=0) for value in self.values],
        )


def initial_weights(shape: ModelShape, seeds: list[int]) -> dict[str, Tensor]:
    """Return fresh weights, one model per seed: normal with deviation 0.02, norms at 1.

    What writes to the residual stream is smaller by the square root of twice the layers.
    """
    models = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        weights = {}
        for name, size in shape.tensors().items():
            if len(size) == 1:
                weights[name] = torch.ones(size)
                continue
            deviation = (
                0.02
                if name in ("model.embed_tokens.weight", "lm_head.weight")
                else 1.0 / math.sqrt(size[1])
            )
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                deviation /= math.sqrt(2 * shape.layers)
            weights[name] = deviation * torch.randn(size, generator=generator)
        models.append(weights)
    return {name: torch.stack([model[name] for model in models]) for name in models[0]}


def logits(
    weights: Weights, shape: ModelShape, tokens: Tensor, cache: Cache | None = None
) -> Tensor:
    """Return the scores of the next token at every position.

    Parameters
    ----------
    weights
        Weights of the stack.
    shape
        The models' shape.
    tokens
        Token numbers, shape (n_models, n_rows, n_tokens).
    cache
        What stands before these tokens. It is extended in place.

    Returns
    -------
    Tensor
        Shape (n_models, n_rows, n_tokens, n_symbols).
    """
    models, rows, length = tokens.shape
    past = cache.length if cache is not None else 0
    embedding = weights["model.embed_tokens.weight"]
    offset = torch.arange(models).view(-1, 1) * embedding.shape[1]
    x = functional.embedding(
        tokens.reshape(models, -1) + offset, embedding.reshape(-1, shape.width)
    )
    rotation = _rotation(shape, past, length, rows)
    split = (models * rows, length, shape.heads, shape.width // shape.heads)
    for layer in range(shape.layers):
        prefix = f"model.layers.{layer}"
        norm = weights[f"{prefix}.input_layernorm.weight"]
        query, key, value = (weights[f"{prefix}.self_attn.{name}_proj.weight"] for name in "qkv")
        y = _normalised(x)
        mixed = _attention(
            _turned(y, query, norm, rotation, shape.heads).view(split),
            _turned(y, key, norm, rotation, shape.heads).view(split),
            _linear(y, value, norm).view(split),
            cache,
            layer,
        )
        x = x + _linear(mixed.view(x.shape), weights[f"{prefix}.self_attn.o_proj.weight"])
        norm = weights[f"{prefix}.post_attention_layernorm.weight"]
        y = _normalised(x)
        gate = functional.silu(_linear(y, weights[f"{prefix}.mlp.gate_proj.weight"], norm))
        up = _linear(y, weights[f"{prefix}.mlp.up_proj.weight"], norm)
        x = x + _linear(gate * up, weights[f"{prefix}.mlp.down_proj.weight"])
    scores = _linear(_normalised(x), weights["lm_head.weight"], weights["model.norm.weight"])
    return scores.view(models, rows, length, -1)


def _linear(x: Tensor, weight: Tensor, norm: Tensor | None = None) -> Tensor:
    """Multiply by weights; a norm's own weights go with them, for they are fewer than x."""
    if norm is not None:
        weight = weight * norm.unsqueeze(1)
    return torch.bmm(x, weight.mT)


def _normalised(x: Tensor) -> Tensor:
    return functional.rms_norm(x, (x.shape[-1],), eps=NORM_EPSILON)


def _rotation(shape: ModelShape, past: int, length: int, rows: int) -> tuple[Tensor, Tensor]:
    """Return cosine and sine of the rotary angles, shape (rows·n_tokens, width)."""
    half = shape.width // shape.heads // 2
    frequency = ROTARY_BASE ** (-torch.arange(half) / half)
    angle = torch.arange(past, past + length).unsqueeze(1) * frequency
    angle = angle.repeat(rows, 2 * shape.heads)
    return angle.cos(), angle.sin()


def _turned(
    x: Tensor, weight: Tensor, norm: Tensor, rotation: tuple[Tensor, Tensor], heads: int
) -> Tensor:
    """Return queries or keys, turned by the angle of their position.

    The quarter turn is taken of the weights, which are fewer than the tokens.
    """
    cosine, sine = rotation
    models, width, _ = weight.shape
    first, second = weight.view(models, heads, 2, width // heads // 2, width).unbind(2)
    quarter = torch.stack([-second, first], dim=2).view(weight.shape)
    return torch.addcmul(_linear(x, weight, norm) * cosine, _linear(x, quarter, norm), sine)


def _attention(
    query: Tensor, key: Tensor, value: Tensor, cache: Cache | None, layer: int
) -> Tensor:
    """Return what each token takes from those before it, shape (rows, n_tokens, heads, head)."""
    query, key, value = query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2)
    length, past = query.shape[2], 0
    if cache is not None and layer < len(cache.keys):
        past = cache.keys[layer].shape[2]
        key = cache.keys[layer] = torch.cat([cache.keys[layer], key], dim=2)
        value = cache.values[layer] = torch.cat([cache.values[layer], value], dim=2)
    elif cache is not None:
        cache.keys.append(key)
        cache.values.append(value)
    several = length > 1
    mask = torch.ones(length, past + length).tril(past).bool() if past and several else None
    mixed = functional.scaled_dot_product_attention(
        query, key, value, attn_mask=mask, is_causal=several and not past
    )
    return mixed.transpose(1, 2).contiguous()
