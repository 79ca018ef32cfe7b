"""What a stack of models answers: log-likelihoods of options, and greedy decoding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from upswing.lab.model_shape import ModelShape
from upswing.lab.questions import Questions
from upswing.lab.transformer import Cache, logits

_ROWS = 512
"""Rows of all models together that are read at once: larger batches leave the cache."""


class Answers(NamedTuple):
    """Answers of n_models models to n_questions questions.

    Attributes
    ----------
    option_logprobs
        Log-likelihood of each option [nats/answer], shape (n_models, n_questions, n_options).
    outputs
        Tokens that greedy decoding writes, as many as the right answer has, shape
        (n_models, n_questions, n_answer_tokens).
    """

    option_logprobs: np.ndarray[tuple[int, int, int], np.dtype[np.float64]]
    outputs: np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]


@torch.no_grad()
def answer(weights: Mapping[str, Tensor], shape: ModelShape, questions: Questions) -> Answers:
    """Ask every model of a stack every question.

    The prompt is read once; the options and the decoding go on from what is kept of it.
    """
    models = next(iter(weights.values())).shape[0]
    count = len(questions.prompts)
    parts = min(count, max(1, round(models * count / _ROWS)))
    logprobs, outputs = [], []
    for rows in np.array_split(np.arange(count), parts):
        prompts = torch.from_numpy(questions.prompts[rows]).long().expand(models, -1, -1)
        options = torch.from_numpy(questions.options[rows]).long().expand(models, -1, -1, -1)
        cache = Cache()
        first = logits(weights, shape, prompts, cache)[:, :, -1]
        logprobs.append(_option_logprobs(weights, shape, options, first, cache))
        outputs.append(_greedy(weights, shape, options.shape[-1], first, cache))
    return Answers(
        torch.cat(logprobs, dim=1).double().numpy(),
        torch.cat(outputs, dim=1).to(torch.uint8).numpy(),
    )


def _option_logprobs(
    weights: Mapping[str, Tensor], shape: ModelShape, options: Tensor, first: Tensor, cache: Cache
) -> Tensor:
    models, rows, choices, length = options.shape
    total = first.log_softmax(dim=-1).gather(2, options[..., 0])
    if length == 1:
        return total
    flat = options.reshape(models, rows * choices, length)
    scores = logits(weights, shape, flat[..., :-1], cache.repeated(choices))
    rest = scores.log_softmax(dim=-1).gather(3, flat[..., 1:].unsqueeze(-1)).squeeze(-1)
    return total + rest.sum(dim=-1).view(models, rows, choices)


def _greedy(
    weights: Mapping[str, Tensor], shape: ModelShape, length: int, first: Tensor, cache: Cache
) -> Tensor:
    written = [first.argmax(dim=-1)]
    while len(written) < length:
        scores = logits(weights, shape, written[-1].unsqueeze(-1), cache)
        written.append(scores[:, :, -1].argmax(dim=-1))
    return torch.stack(written, dim=-1)
