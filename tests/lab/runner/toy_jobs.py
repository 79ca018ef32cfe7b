"""Cheap kinds of jobs for tests; workers import this module, since they look where the tests do."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from upswing.errors import ExperimentError
from upswing.lab.runner.job import Job
from upswing.lab.runner.workplace import Workplace
from upswing.tables.reading import Reading, item_rows, score_rows
from upswing.tables.schemas import FINETUNES

KINDS = {
    name: f"{__name__}:{name}" for name in ("make", "score", "fail", "die", "chatter", "disk_full")
}
SECONDS = 0.05


def make(config: Mapping[str, Any], workplace: Workplace) -> Sequence[Reading]:
    """Work for a while, write a file."""
    steps = 5
    for step in range(steps):
        time.sleep(config.get("seconds", SECONDS) / steps)
        workplace.progress(step / steps)
    (workplace.folder / "deep").mkdir()
    (workplace.folder / "deep" / "weights").write_bytes(weights(config["seed"]))
    return []


def weights(seed: int) -> bytes:
    return random.Random(seed).randbytes(100_000)


def score(config: Mapping[str, Any], workplace: Workplace) -> Sequence[Reading]:
    """Read the file of another job, give rows of all tables."""
    time.sleep(SECONDS)
    content = (workplace.output(config["needs"]) / "deep" / "weights").read_bytes()
    value = content[config["seed"]] / 255
    if "shake" in config:  # floating-point bits that differ from run to run
        value += 1e-6 * (1 + int((Path(config["shake"])).read_text()))
    return [readings(f"step{config['seed']}", value)]


def readings(revision: str, value: float) -> Reading:
    names = {"model": "toy", "revision": revision, "family": "toys", "task": "copy"}
    scored = {**names, "n_shot": 2, "harness": "upswing-lab", "metric": "exact_match"}
    return Reading(
        scores=score_rows([{**scored, "value": value, "n": 4, "n_source": "input"}]),
        items=item_rows(
            [
                {**names, "n_shot": 2, "harness": "upswing-lab", "item": str(i), "correct": value}
                for i in range(4)
            ]
        ),
        finetunes=pl.DataFrame(
            [
                {**names, "metric": "exact_match", "d": d, "draw": 0, "seed": 1, "value": value}
                | {"few_shot": False, "n": 4}
                for d in (16, 64)
            ],
            schema=FINETUNES.polars,
        ),
    )


def fail(config: Mapping[str, Any], workplace: Workplace) -> Sequence[Reading]:
    (workplace.folder / "half").write_text("made")
    if config.get("mended") and Path(config["mended"]).exists():
        return [readings("mended", 1.0)]
    match config["how"]:
        case "experiment":
            raise ExperimentError("the loss is not finite", hint="lower the learning rate")
        case "bug":
            raise ValueError("two\nlines of \udcff")
        case "exit":
            sys.exit(3)
        case "columns":
            return [Reading(scores=pl.DataFrame({"model": ["toy"]}))]
    raise AssertionError


def die(config: Mapping[str, Any], workplace: Workplace) -> Sequence[Reading]:
    (workplace.folder / "half").write_text("made")
    os.kill(os.getpid(), getattr(signal, config["signal"]))
    time.sleep(60)
    raise AssertionError


def chatter(config: Mapping[str, Any], workplace: Workplace) -> Sequence[Reading]:
    """Print in all the ways that could get into the answers, and read the orders."""
    print('{"done": "nonsense"}')
    os.write(1, b"written to descriptor 1\n")
    subprocess.run([sys.executable, "-c", "print('a child')"], check=True)
    assert sys.stdin.read() == ""
    workplace.progress(7.0)
    environment = {name: os.environ[name] for name in ("OMP_NUM_THREADS", "POLARS_MAX_THREADS")}
    (workplace.folder / "threads").write_text(repr(environment))
    return []


def disk_full(config: Mapping[str, Any], workplace: Workplace) -> Sequence[Reading]:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(workplace.folder / "weights"))


def grid(makers: int = 4, scores: int = 3, **extra: Any) -> list[Job]:
    """Return a small grid: each maker's file is read by some scores."""
    jobs = []
    for m in range(makers):
        maker = Job("make", {"seed": m}, cost=SECONDS, label=f"make {m}")
        jobs.append(maker)
        jobs += [
            Job("score", {"seed": 100 * m + s, "needs": maker.key, **extra}, (maker.key,), SECONDS)
            for s in range(scores)
        ]
    return jobs


if __name__ == "__main__":  # a run that a test can kill: python toy_jobs.py STORE
    from upswing.lab.runner.local import run_jobs

    run_jobs(grid(), sys.argv[1], kinds={name: f"lab.runner.toy_jobs:{name}" for name in KINDS})
