"""Simulated models with a known loss law."""

from __future__ import annotations

import numpy as np
import polars as pl

from upswing.laws.loss.law import LossLaw

CHINCHILLA = LossLaw(("params", "tokens"), 1.69, (406.4, 410.7), (0.34, 0.28))


def table_of(seed=0, sizes=7, token_counts=6, noise=0.01, outliers=0.0, law=CHINCHILLA):
    """Return models on a grid of sizes and tokens, with noise of the logarithm and outliers."""
    rng = np.random.default_rng(seed)
    params = np.repeat(np.geomspace(5e7, 1e10, sizes), token_counts)
    tokens = np.tile(np.geomspace(1e9, 3e11, token_counts), sizes)
    error = noise * rng.standard_normal(len(params))
    far = rng.random(len(params)) < outliers
    error += far * rng.choice([-1.0, 1.0], len(params)) * rng.uniform(0.05, 0.3, len(params))
    loss = law.predict(params=params, tokens=tokens) * np.exp(error)
    return pl.DataFrame({"params": params, "tokens": tokens, "loss": loss})
