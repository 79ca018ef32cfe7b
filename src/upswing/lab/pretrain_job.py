"""The job ``pretrain``: models of one shape from scratch, with their checkpoints on the disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from upswing.lab.checkpoint import write_checkpoint
from upswing.lab.experiment_files import Trained, kept_corpus, write_list
from upswing.lab.mixture import CONTEXT, Mixture, held_out_windows, training_batches
from upswing.lab.model_shape import ModelShape
from upswing.lab.plans import family_name, model_name, revision_name
from upswing.lab.pretrain import Training, pretrain
from upswing.lab.runner.workplace import Workplace
from upswing.tables.reading import Reading, scale_rows


def run(config: Mapping[str, Any], workplace: Workplace) -> Sequence[Reading]:
    """Train a stack of models and keep its checkpoints.

    Parameters
    ----------
    config
        ``corpus`` and ``corpus_sha256``, ``mixture``, ``shape``, ``seeds``, ``steps``, ``rows``,
        ``learning_rate``, ``checkpoints``.
    workplace
        Gets one folder per checkpoint and the list of them.
    """
    corpus = kept_corpus(workplace.store, config["corpus"], config["corpus_sha256"])
    mixture, shape = Mixture(**config["mixture"]), ModelShape.named(config["shape"])
    training = Training(config["steps"], config["rows"], config["learning_rate"])
    seeds = config["seeds"]
    batches = [
        training_batches(mixture, corpus, training.rows, np.random.default_rng([seed, 1]))
        for seed in seeds
    ]
    family = family_name(mixture.name)
    models = [model_name(mixture.name, shape.name, seed) for seed in seeds]
    scales, trained = [], []
    for checkpoint in pretrain(
        shape,
        training,
        seeds,
        batches,
        held_out_windows(corpus),
        config["checkpoints"],
        workplace.progress,
    ):
        revision = revision_name(checkpoint.step)
        for i, model in enumerate(models):
            folder = f"{model}/{revision}"
            weights = {name: weight[i] for name, weight in checkpoint.weights.items()}
            metadata = {"model": model, "revision": revision, "source": workplace.source}
            write_checkpoint(workplace.folder / folder, shape, weights, metadata)
            trained.append(Trained(family, model, revision, folder))
            tokens = training.tokens(checkpoint.step)
            scales.append(
                {
                    "model": model,
                    "revision": revision,
                    "family": family,
                    "params": shape.params,
                    "params_nonembedding": shape.params_nonembedding,
                    "tokens": tokens,
                    "flops": 6.0 * shape.params * tokens,
                    "params_source": "input",
                    "tokens_source": "input",
                    "flops_source": "6ND",
                    "loss": float(checkpoint.losses[i]),
                    "loss_corpus": f"{corpus.name} {corpus.sha256[:12]}, held out",
                    "step": checkpoint.step,
                    "reference": f"upswing lab, {CONTEXT} characters a row",
                    "source": workplace.source,
                }
            )
    write_list(workplace.folder, trained)
    return [Reading(scales=scale_rows(scales))]
