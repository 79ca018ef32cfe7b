"""Finetuning one checkpoint many times at once: amounts of data, draws and seeds are a stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from upswing.errors import InputError
from upswing.lab.alphabet import Tokens, encode
from upswing.lab.lora import adapted, initial_factors
from upswing.lab.model_shape import ModelShape
from upswing.lab.pretrain import adamw, check_finite, clip, token_losses
from upswing.lab.tasks.task import Problem, Task
from upswing.lab.transformer import Weights, logits

FULL = "full"
"""Method that changes all weights."""

_WIDTH_OF_RATE = 64
_LORA_RATE = 3.0
_VALIDATED_EVERY = 32
_PATIENCE = 5


class Run(NamedTuple):
    """One finetuning of a checkpoint.

    Attributes
    ----------
    d
        Examples.
    draw
        Which random order of the pool; a run takes its first ``d``.
    seed
        Order of the batches, and of LoRA's first factors.
    learning_rate
        At its peak, for a model of width 64; see :class:`Finetuning`.
    """

    d: int
    draw: int
    seed: int
    learning_rate: float


@dataclass(frozen=True)
class Finetuning:
    """How checkpoints are finetuned.

    Attributes
    ----------
    task
        Task of the examples. They stand without shots, and only the answer's tokens are learnt.
    method
        ``full``, or ``lora-RANK`` for low-rank updates of all linear maps.
    steps
        Optimiser steps at most. The learning rate falls to zero over them. It is multiplied by
        √(64/width), and by 3 for LoRA.
    rows
        Examples in a batch.
    validation
        Validation problems, at most. Every 32 steps the loss on them is measured; the best weights
        are kept, and a run ends after five measurements without a better one.
    """

    task: Task
    method: str = FULL
    steps: int = 640
    rows: int = 32
    validation: int = 128

    @property
    def rank(self) -> int | None:
        """Rank of the low-rank updates; None for full finetuning.

        Raises
        ------
        InputError
            If the method is neither.
        """
        if self.method == FULL:
            return None
        name, _, rank = self.method.partition("-")
        if name != "lora" or not rank.isdecimal() or int(rank) < 1:
            raise InputError(f"no method {self.method!r}", hint="choose full, lora-1, lora-4, …")
        return int(rank)


class Finetuned(NamedTuple):
    """The stack after finetuning.

    Attributes
    ----------
    weights
        Best weights of each run, with a leading axis of runs.
    losses
        Their loss on the validation problems [nats/character], shape (n_runs,).
    steps
        Steps after which they were found, shape (n_runs,).
    """

    weights: dict[str, Tensor]
    losses: Tensor
    steps: Tensor


def finetune(
    weights: Weights,
    shape: ModelShape,
    finetuning: Finetuning,
    runs: Sequence[Run],
    pool_seed: int,
    progress: Callable[[float], None] = lambda done: None,
    may_diverge: bool = False,
) -> Finetuned:
    """Finetune one checkpoint once per run, all at once.

    Parameters
    ----------
    weights
        A stack of one model.
    shape
        Its shape.
    finetuning
        Task, method and length.
    runs
        What to do.
    pool_seed
        Seed of the pools: the same for every checkpoint, so that all see the same subsets.
    progress
        Told the share that is done.
    may_diverge
        Whether a run whose loss is no longer finite ends, instead of raising; the loss of one that
        never had a finite one is infinite.

    Raises
    ------
    InputError
        If the task has fewer training problems than a run asks for, or it asks for none.
    ExperimentError
        If a loss is not finite.
    """
    task, count = finetuning.task, len(runs)
    if any(run.d < 1 for run in runs):
        raise InputError("finetuning needs at least one example")
    pools = {
        draw: _encoded(task.draw("train", most, np.random.default_rng([pool_seed, draw])))
        for draw in {run.draw for run in runs}
        for most in [max(run.d for run in runs if run.draw == draw)]
    }
    validation = _encoded(
        task.at_most("validation", finetuning.validation, np.random.default_rng([pool_seed, 2**31]))
    )
    prompt = len(task.problem(0).prompt)
    batches = [np.random.default_rng([pool_seed, run.draw, run.d, run.seed]) for run in runs]
    start = {name: weight.expand(count, *weight.shape[1:]) for name, weight in weights.items()}
    rank = finetuning.rank
    if rank is None:
        learnt = {name: weight.clone() for name, weight in start.items()}
    else:
        learnt = initial_factors(start, rank, [_factor_seed(pool_seed, run) for run in runs])

    def whole(parts: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        models = next(iter(parts.values())).shape[0]
        return parts if rank is None else adapted({k: v[:models] for k, v in start.items()}, parts)

    rates = torch.tensor([run.learning_rate for run in runs])
    rates *= (_WIDTH_OF_RATE / shape.width) ** 0.5 * (1.0 if rank is None else _LORA_RATE)
    stack = _Stack(learnt, rates)
    best = {name: weight.detach().clone() for name, weight in learnt.items()}
    best_loss, best_step = torch.full((count,), torch.inf), torch.zeros(count, dtype=torch.int64)
    for step in range(finetuning.steps):
        rows = [
            pools[runs[i].draw][batches[i].integers(runs[i].d, size=finetuning.rows)]
            for i in stack.members.tolist()
        ]
        losses = _answer_losses(whole(stack.weights), shape, np.stack(rows), prompt)
        torch.autograd.backward(losses.sum())
        stack.step(1.0 - step / finetuning.steps)
        if (step + 1) % _VALIDATED_EVERY and step + 1 < finetuning.steps:
            continue
        with torch.no_grad():
            same = np.broadcast_to(validation, (len(stack.members), *validation.shape))
            now = _answer_losses(whole(stack.weights), shape, same, prompt)
        finite = torch.isfinite(losses + now)
        if not may_diverge:
            what = f"{task.name} after {step + 1} steps of finetuning"
            check_finite(losses + now, what, float(rates.max()))
        better = finite & (now < best_loss[stack.members])
        winners = stack.members[better]
        best_loss[winners], best_step[winners] = now[better], step + 1
        for name, weight in stack.weights.items():
            best[name][winners] = weight.detach()[better]
        waited = step + 1 - best_step[stack.members]
        stack = stack.kept(finite & (waited < _PATIENCE * _VALIDATED_EVERY))
        progress((step + 1) / finetuning.steps)
        if not len(stack.members):
            break
    progress(1.0)
    return Finetuned(dict(whole(best)), best_loss, best_step)


class _Stack:
    """The runs that still go on, with their state of Adam."""

    def __init__(self, weights: Mapping[str, Tensor], rates: Tensor) -> None:
        self.members = torch.arange(len(rates))
        self.rates = rates
        self.weights = {name: weight.requires_grad_() for name, weight in weights.items()}
        # Adam does not feel the size of a gradient, so one optimiser serves all runs: it moves by a
        # rate of one, and what it moved is scaled to each run's own rate.
        self._optimizer = adamw(self.weights, 1.0, 0.0)

    def step(self, share: float) -> None:
        clip(self.weights)
        before = {name: weight.detach().clone() for name, weight in self.weights.items()}
        self._optimizer.step()
        self._optimizer.zero_grad()
        with torch.no_grad():
            for name, weight in self.weights.items():
                rate = (share * self.rates).view(-1, *[1] * (weight.dim() - 1))
                weight.copy_(torch.lerp(before[name], weight, rate))

    def kept(self, stay: Tensor) -> _Stack:
        if bool(stay.all()):
            return self
        weights = {name: weight.detach()[stay].clone() for name, weight in self.weights.items()}
        smaller = _Stack(weights, self.rates[stay])
        smaller.members = self.members[stay]
        for name, weight in smaller.weights.items():
            state = self._optimizer.state[self.weights[name]]
            smaller._optimizer.state[weight] = {
                key: value[stay].clone() if value.dim() else value.clone()
                for key, value in state.items()
            }
        return smaller


def _factor_seed(pool_seed: int, run: Run) -> int:
    """Return a seed of LoRA's first factors that no other run shares, but those of other rates."""
    return int(np.random.SeedSequence([pool_seed, run.d, run.draw, run.seed]).generate_state(1)[0])


def _encoded(problems: Sequence[Problem]) -> Tokens:
    return np.stack([encode(problem.prompt + problem.answer) for problem in problems])


def _answer_losses(weights: Weights, shape: ModelShape, tokens: Tokens, prompt: int) -> Tensor:
    """Return each model's mean loss on the tokens of the answers [nats/character]."""
    rows = torch.from_numpy(np.array(tokens)).long()
    scores = logits(weights, shape, rows[..., :-1])[:, :, prompt - 1 :]
    return token_losses(scores, rows[..., prompt:]).mean(dim=(1, 2))
