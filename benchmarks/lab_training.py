"""Training a stack of models against a plain PyTorch loop, and what the lab's presets cost."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator

STEPS = 6
ROUNDS = 5
SHAPES = ("d16L2", "d24L2", "d32L3", "d48L3", "d64L4")
PRETRAINING = (4, 65, 0)
FINETUNING = (16, 10, 6)
"""Models in the stack, characters of a row, and from which on they are learnt."""


def run() -> Iterator[str]:
    """Print characters per second of one thread, the ratio, and CPU seconds of ``quick``."""
    import torch

    torch.set_num_threads(1)
    for name, setting in (("pretraining", PRETRAINING), ("finetuning", FINETUNING)):
        models, length, _ = setting
        yield f"{name}: {models} models, 32 rows of {length - 1} characters"
        for shape in SHAPES:
            ours, plain = _seconds(shape, *setting)
            characters = models * 32 * (length - 1) / 1e3
            yield (
                f"  {shape}: stack {characters / ours:,.0f}k characters/s, "
                f"plain loop {characters / plain:,.0f}k, ratio {plain / ours:.2f}"
            )
    yield from _presets()


def _seconds(name: str, models: int, length: int, answer_from: int) -> tuple[float, float]:
    """Return the median seconds of a joint step: the stack's, and the loop's over all models."""
    import torch

    from benchmarks.plain_llama import PlainLlama, train_one
    from upswing.lab.model_shape import ModelShape
    from upswing.lab.pretrain import adamw, clip, token_losses
    from upswing.lab.transformer import initial_weights, logits

    shape = ModelShape.named(name)
    tokens = torch.randint(0, 60, (models, 32, length), generator=torch.Generator().manual_seed(0))
    weights = initial_weights(shape, list(range(models)))
    for weight in weights.values():
        weight.requires_grad_()
    joint = adamw(weights, 1e-3, 0.05)

    def stack() -> None:
        scores = logits(weights, shape, tokens[..., :-1])[:, :, answer_from:]
        losses = token_losses(scores, tokens[..., 1 + answer_from :]).mean(dim=(1, 2))
        torch.autograd.backward(losses.sum())
        clip(weights)
        joint.step()
        joint.zero_grad()

    plain = [PlainLlama(shape) for _ in range(models)]
    optimizers = [
        torch.optim.AdamW(m.parameters(), 1e-3, betas=(0.9, 0.99), weight_decay=0.05) for m in plain
    ]

    def loop() -> None:
        for i, (model, optimizer) in enumerate(zip(plain, optimizers, strict=True)):
            train_one(model, optimizer, tokens[i], answer_from)

    return _medians(stack, loop)


def _medians(*functions: Callable[[], None]) -> tuple[float, float]:
    """Return the median time of a step of each; they take turns, so that both see the same load."""
    times: list[list[float]] = [[] for _ in functions]
    for function in functions:
        function()
    for _ in range(ROUNDS):
        for function, found in zip(functions, times, strict=True):
            began = time.process_time()
            for _ in range(STEPS):
                function()
            found.append((time.process_time() - began) / STEPS)
    first, second = (statistics.median(found) for found in times)
    return first, second


def _presets() -> Iterator[str]:
    """Run ``quick``; add up ``full`` from jobs of the shipped results, which share most of them."""
    from upswing.lab.corpus import read_corpus
    from upswing.lab.experiment import job_seconds, run_experiment
    from upswing.lab.presets import FULL, QUICK
    from upswing.lab.shipped import lab_jobs

    corpus = read_corpus()
    quick, full = QUICK.jobs(corpus, 0), FULL.jobs(corpus, 0)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        run_experiment(quick, folder, corpus).check()
        wall = time.perf_counter() - began
        cost = sum(job_seconds(folder)["cpu_seconds"].to_list())
    yield f"lab quick without its report: {cost:.0f} CPU seconds, {wall:.0f} s with two workers"
    known = {record.key: record.cpu_seconds for record in lab_jobs()}
    measured = sum(known[job.key] for job in full if job.key in known)
    ratio = cost / sum(job.cost for job in quick)
    estimated = ratio * sum(job.cost for job in full if job.key not in known)
    yield (
        f"lab full without its report: {measured + estimated:.0f} CPU seconds, {measured:.0f} of "
        f"them measured when the shipped results were made and {estimated:.0f} estimated"
    )
