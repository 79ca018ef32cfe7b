"""A short ``quick`` grid that is killed at twenty random moments and goes on every time."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

KILLS = 20
STEPS = 200
TOLERANCE = 1e-4
"""Scores of two runs with the same seeds may differ by this: sums in another order."""


def run() -> Iterator[str]:
    """Kill the parent or a worker again and again; then compare with an undisturbed run."""
    import upswing

    generator = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        disturbed, calm = Path(folder, "disturbed"), Path(folder, "calm")
        lost, done, parents = 0, set[str](), 0
        for _ in range(KILLS):
            process = _start(disturbed)
            time.sleep(generator.uniform(2.0, 14.0))
            workers = _children(process.pid)
            is_parent = generator.random() < 0.5 or not workers
            parents += is_parent
            victim = process.pid if is_parent else generator.choice(workers)
            with suppress(ProcessLookupError):
                _kill(victim)
            time.sleep(1.0)
            process.terminate()
            process.wait()
            now = _finished(disturbed)
            lost += len(done - now)
            done = now
            if done:
                upswing.read(disturbed)
        resumed = _start(disturbed).wait()
        undisturbed = _start(calm).wait()
        worst = _difference(upswing.read(disturbed), upswing.read(calm))
        same = _finished(disturbed) == _finished(calm)
    yield (
        f"{KILLS} SIGKILLs ({parents} of the parent, {KILLS - parents} of a worker): {lost} "
        f"finished jobs lost; resumed: exit {resumed}, undisturbed: exit {undisturbed}; "
        f"same jobs: {same}; largest difference of a value {worst:.2g} (tolerance {TOLERANCE:g})"
    )


def _start(store: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "benchmarks.lab_kills", str(store)])


def _kill(process: int) -> None:
    import os

    os.kill(process, signal.SIGKILL)


def _children(process: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if fields[0] != "Z" and int(fields[1]) == process:
                found.append(int(path.parent.name))
    return found


def _finished(store: Path) -> set[str]:
    return {path.parent.name for path in store.glob("jobs/*/record.json")}


def _difference(one: Any, other: Any) -> float:
    """Return the largest difference of a value; infinite if the rows are others."""
    worst = 0.0
    for name, value in (("scores", "value"), ("scales", "loss"), ("finetunes", "value")):
        a, b = getattr(one, name), getattr(other, name)
        key = [c for c in a.columns if c in ("model", "revision", "task", "metric", "method")]
        key += [c for c in ("elicitation", "d", "draw", "seed") if c in a.columns]
        if len(a) != len(b):
            return float("inf")
        pair = a.select(*key, value).join(
            b.select(*key, pl.col(value).alias("other")), on=key, nulls_equal=True
        )
        if len(pair) != len(a):
            return float("inf")
        worst = max(worst, float((pair[value] - pair["other"]).abs().max() or 0.0))
    return worst


def _short_grid(store: Path) -> None:
    from upswing.lab.corpus import read_corpus
    from upswing.lab.experiment import run_experiment
    from upswing.lab.presets import QUICK

    corpus = read_corpus()
    short = replace(
        QUICK,
        ladders=tuple(plan.changed(None, STEPS, 1, None) for plan in QUICK.ladders),
        evaluation=replace(QUICK.evaluation, questions=50),
        finetunes=tuple(
            replace(plan, steps=16, checkpoints=("*-d32L3@step200",)) for plan in QUICK.finetunes
        ),
    )
    run_experiment(short.jobs(corpus, 0), store, corpus).check()


if __name__ == "__main__":
    _short_grid(Path(sys.argv[1]))
