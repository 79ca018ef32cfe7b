"""Training a stack of models of one shape from scratch, with checkpoints along the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from upswing.errors import ExperimentError
from upswing.lab.alphabet import SYMBOLS, Tokens
from upswing.lab.mixture import CONTEXT
from upswing.lab.model_shape import ModelShape
from upswing.lab.transformer import initial_weights, logits

_EMA = 0.99
_BETAS = (0.9, 0.99)
_WEIGHT_DECAY = 0.05
_LONGEST_GRADIENT = 1.0
_WARM_UP = 100
_COOL_DOWN = 0.2
_CHECKED_EVERY = 20


@dataclass(frozen=True)
class Training:
    """How long and how fast.

    Attributes
    ----------
    steps
        Optimiser steps.
    rows
        Rows of 64 characters in a batch.
    learning_rate
        Its level after the warm-up of 100 steps (a tenth of a short run) and before the last fifth
        of the steps, over which it falls to zero.
    """

    steps: int
    rows: int = 32
    learning_rate: float = 4e-3

    def rate(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        warm_up = min(_WARM_UP, max(1, self.steps // 10))
        cool_down = max(1.0, self.steps * _COOL_DOWN)
        return self.learning_rate * min(1.0, (step + 1) / warm_up, (self.steps - step) / cool_down)

    def tokens(self, step: int) -> int:
        """Return the characters read after a number of steps."""
        return step * self.rows * CONTEXT


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A stack of models after some steps.

    Attributes
    ----------
    step
        Steps taken.
    weights
        The moving average of the weights, each with a leading axis of models.
    losses
        Loss of each model on held-out text [nats/character], shape (n_models,).
    """

    step: int
    weights: Mapping[str, Tensor]
    losses: Tensor


def pretrain(
    shape: ModelShape,
    training: Training,
    seeds: Sequence[int],
    batches: Sequence[Iterator[Tokens]],
    held_out: Tokens,
    checkpoints: Sequence[int],
    progress: Callable[[float], None] = lambda done: None,
) -> Iterator[Checkpoint]:
    """Train one model per seed and yield its checkpoints.

    AdamW (0.9, 0.99) with weight decay 0.05 on the matrices and the gradient of each model clipped
    to length 1. A checkpoint holds the exponential moving average of the weights (0.99), which
    makes curves along the steps smooth. A model does not depend on which others are in its stack,
    up to the order of sums.

    Parameters
    ----------
    shape
        Shape of the models.
    training
        Steps and learning rate.
    seeds
        Seed of each model's first weights.
    batches
        What each model reads: an iterator of (rows, context + 1) for each.
    held_out
        Text that is never trained on, shape (n_windows, context + 1).
    checkpoints
        Steps after which to stop for a checkpoint.
    progress
        Told the share that is done.

    Raises
    ------
    ExperimentError
        If a loss is not finite.
    """
    weights = initial_weights(shape, list(seeds))
    average = {name: weight.clone() for name, weight in weights.items()}
    for weight in weights.values():
        weight.requires_grad_()
    optimizer = adamw(weights, training.learning_rate, _WEIGHT_DECAY)
    wanted = set(checkpoints)
    for step in range(training.steps):
        tokens = torch.from_numpy(np.stack([next(stream) for stream in batches])).long()
        scores = logits(weights, shape, tokens[..., :-1])
        losses = token_losses(scores, tokens[..., 1:]).mean(dim=(1, 2))
        torch.autograd.backward(losses.sum())
        clip(weights)
        for group in optimizer.param_groups:
            group["lr"] = training.rate(step)
        optimizer.step()
        optimizer.zero_grad()
        decay = min(_EMA, (1 + step) / (10 + step))
        with torch.no_grad():
            for name, weight in weights.items():
                average[name].lerp_(weight, 1.0 - decay)
        if step % _CHECKED_EVERY == 0 or step + 1 in wanted:
            check_finite(losses, f"{shape.name} after {step + 1} steps", training.learning_rate)
            progress((step + 1) / training.steps)
        if step + 1 in wanted:
            copies = {name: weight.clone() for name, weight in average.items()}
            held_out_losses = text_losses(copies, shape, held_out)
            check_finite(
                held_out_losses, f"{shape.name} after {step + 1} steps", training.learning_rate
            )
            yield Checkpoint(step + 1, copies, held_out_losses)


def adamw(
    weights: Mapping[str, Tensor], learning_rate: float, weight_decay: float
) -> torch.optim.Optimizer:
    """Return AdamW for a stack; weights of norms do not decay."""
    matrices = [weight for weight in weights.values() if weight.dim() > 2]
    norms = [weight for weight in weights.values() if weight.dim() <= 2]
    groups = [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": norms, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=learning_rate, betas=_BETAS, fused=True)


def token_losses(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the cross-entropy of each token [nats], in the shape of the targets."""
    flat = functional.cross_entropy(
        scores.reshape(-1, len(SYMBOLS)), targets.reshape(-1), reduction="none"
    )
    return flat.view(targets.shape)


def clip(weights: Mapping[str, Tensor], longest: float = _LONGEST_GRADIENT) -> None:
    """Shorten the gradient of each model of a stack to a length, in place."""
    gradients = [weight.grad for weight in weights.values() if weight.grad is not None]
    squares = torch.stack([g.flatten(1).square().sum(dim=1) for g in gradients]).sum(dim=0)
    scale = (longest / (squares.sqrt() + 1e-6)).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(scale.view(-1, *[1] * (gradient.dim() - 1)))


def check_finite(losses: Tensor, what: str, learning_rate: float) -> None:
    """Refuse losses that are not finite.

    Raises
    ------
    ExperimentError
        If there is one.
    """
    if not torch.isfinite(losses).all():
        raise ExperimentError(
            f"the loss of {what} is not finite",
            hint=f"the learning rate is {learning_rate:g}; try a smaller one",
        )


@torch.no_grad()
def text_losses(weights: Mapping[str, Tensor], shape: ModelShape, windows: Tokens) -> Tensor:
    """Return each model's mean loss on windows of text [nats/character], shape (n_models,)."""
    models = next(iter(weights.values())).shape[0]
    totals = torch.zeros(models, dtype=torch.float64)
    for part in np.array_split(windows, max(1, len(windows) // 64)):
        tokens = torch.from_numpy(part).long().expand(models, -1, -1)
        losses = token_losses(logits(weights, shape, tokens[..., :-1]), tokens[..., 1:])
        totals += losses.double().sum(dim=(1, 2))
    mean: Tensor = totals / (windows.shape[0] * (windows.shape[1] - 1))
    return mean
