"""The named alternative of the lab's benchmark: a Llama in plain PyTorch, one model at a time."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from upswing.lab.alphabet import SYMBOLS
from upswing.lab.model_shape import NORM_EPSILON, ROTARY_BASE, ModelShape


class PlainLlama(nn.Module):
    """What one would write first: ``nn.Linear``, ``nn.RMSNorm``, rotary positions, SwiGLU."""

    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(SYMBOLS), shape.width)
        self.layers = nn.ModuleList(_Layer(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.width, NORM_EPSILON)
        self.head = nn.Linear(shape.width, len(SYMBOLS), bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the scores of the next token, shape (rows, tokens, symbols)."""
        x = self.embedding(tokens)
        for layer in self.layers:
            x = layer(x)
        return self.head(self.norm(x))  # type: ignore[no-any-return]


class _Layer(nn.Module):
    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.before, self.after = (nn.RMSNorm(shape.width, NORM_EPSILON) for _ in range(2))
        self.query, self.key, self.value, self.out = (
            nn.Linear(shape.width, shape.width, bias=False) for _ in range(4)
        )
        self.gate, self.up = (nn.Linear(shape.width, shape.hidden, bias=False) for _ in range(2))
        self.down = nn.Linear(shape.hidden, shape.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        rows, length, width = x.shape
        y = self.before(x)
        query, key, value = (
            project(y).view(rows, length, self.heads, -1).transpose(1, 2)
            for project in (self.query, self.key, self.value)
        )
        mixed = functional.scaled_dot_product_attention(
            _rotated(query), _rotated(key), value, is_causal=True
        )
        x = x + self.out(mixed.transpose(1, 2).reshape(rows, length, width))
        y = self.after(x)
        return x + self.down(functional.silu(self.gate(y)) * self.up(y))  # type: ignore[no-any-return]


def _rotated(x: Tensor) -> Tensor:
    half = x.shape[-1] // 2
    frequency = ROTARY_BASE ** (-torch.arange(half) / half)
    angle = torch.arange(x.shape[-2]).unsqueeze(1) * frequency
    cosine, sine = torch.cat([angle.cos()] * 2, dim=1), torch.cat([angle.sin()] * 2, dim=1)
    first, second = x.chunk(2, dim=-1)
    return x * cosine + torch.cat([-second, first], dim=-1) * sine


def train_one(
    model: PlainLlama, optimizer: torch.optim.Optimizer, tokens: Tensor, answer_from: int
) -> float:
    """Take one step on the tokens from a position on; return the loss."""
    scores = model(tokens[:, :-1])[:, answer_from:]
    targets = tokens[:, 1 + answer_from :]
    loss = functional.cross_entropy(scores.reshape(-1, len(SYMBOLS)), targets.reshape(-1))
    optimizer.zero_grad()
    torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return float(loss.detach())
