"""Question difficulty: all published analyses of all tasks at hand, and groups from answers.

``python -m benchmarks.difficulty tables|figures FOLDER`` makes the first in one fresh process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from upswing import read, save_chart, write_store
from upswing.charts.difficulty_groups import difficulty_groups
from upswing.charts.sandwich import sandwich
from upswing.charts.sandwich_robustness import sandwich_robustness
from upswing.difficulty.analyses import DifficultyAnalyses, difficulty_analyses
from upswing.difficulty.groups.groups import to_flops
from upswing.difficulty.groups.source import group_source
from upswing.simulate import MultipleChoiceWorld, simulate_multiple_choice
from upswing.sources.wu_lo import TASKS

if TYPE_CHECKING:
    from altair import TopLevelMixin

_DATA = "tony10101105/ExpEmergence@288b731/data"
_MODELS, _QUESTIONS = 60, 14042


def run() -> Iterator[str]:
    """Time the published tables against single-task scripts, then recover groups from answers."""
    root = Path(os.environ.get("UPSWING_DATA_DIR") or Path.cwd().parent / "shared/data")
    if (root / _DATA).is_dir():
        yield from _published(root / _DATA)
    else:
        yield f"published tables: left out, {root / _DATA} is not at hand"
    yield from _answers()


def analyse(folder: Path) -> dict[str, DifficultyAnalyses]:
    """Return all analyses of all tasks of a folder of published tables."""
    tables = read(folder)
    found = {}
    for task in sorted(path.name for path in folder.iterdir() if path.is_dir()):
        constants = TASKS[task]
        found[task] = difficulty_analyses(
            group_source(tables, task),
            constants.threshold,
            constants.chance,
            degree=constants.picture_degree,
            thresholds=constants.thresholds,
        )
    return found


def draw(found: dict[str, DifficultyAnalyses], out: Path) -> int:
    """Draw every figure of the analyses and return how many."""
    count = 0
    for task, made in found.items():
        at = float(to_flops(TASKS[task].threshold))
        charts: list[TopLevelMixin] = [
            difficulty_groups(one.points, one.curves, threshold=at, title=task)
            for one in (made.overall_accuracy, made.overall_brier, made.by_brier, made.by_accuracy)
            if one is not None
        ]
        charts += [
            sandwich_robustness(one.lines, one.marks, title=task)
            for one in (made.degrees, made.thresholds)
            if one is not None
        ]
        if made.sandwich is not None:
            tables = made.sandwich
            charts.append(sandwich(tables.predictions, tables.curves, threshold=at, title=task))
        for chart in charts:
            save_chart(chart, out / f"{count}.svg")
            count += 1
    return count


def _published(folder: Path) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        for kind in ("tables", "figures"):
            own = _seconds([sys.executable, "-m", "benchmarks.difficulty", kind, str(folder), name])
            scripts = _scripts(folder, out if kind == "figures" else None)
            plain = sum(_seconds(command) for command in scripts)
            drawn = f", {len(list(out.glob('[0-9]*.svg')))} figures" if kind == "figures" else ""
            yield (
                f"all analyses of {len(list(folder.iterdir()))} tasks, {kind}{drawn}: one process "
                f"{own:.2f} s; {len(scripts)} plain scripts one by one {plain:.2f} s, "
                f"{plain / own:.1f} times as long"
            )


def _scripts(folder: Path, out: Path | None) -> list[list[str]]:
    """Return the commands of the single-task scripts, one per analysis and table."""
    script = str(Path(__file__).with_name("plain_difficulty.py"))
    commands: list[list[str]] = []
    for path in sorted(folder.glob("*/*.csv")):
        stem = path.stem.removeprefix("acc_")
        task, _, rest = stem.partition("_instance_brier_-1000_")
        limit, count, kind = rest.split("_")
        if kind == "undist":
            continue
        constants = TASKS[task]
        threshold = round(float(np.log10(float(limit))), 3)
        names = ["groups"] if count == "10" else ["thresholds"]
        if count == "3" and threshold == constants.threshold:
            names = ["overall_acc", "overall_brier", "sandwich", "degrees", *names]
        for name in names:
            numbers = [str(threshold), str(constants.chance), str(constants.picture_degree)]
            figure = [] if out is None else [str(out / f"plain-{len(commands)}.svg")]
            commands.append([sys.executable, script, name, str(path), *numbers, *figure])
    return commands


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def _answers() -> Iterator[str]:
    """Recover the difficulty of questions that sets in at a known compute."""
    rng = np.random.default_rng(0)
    true = rng.uniform(20.0, 23.5, _QUESTIONS)
    for shared in (0.0, 0.5):
        x = np.geomspace(1e20, 3e24, _MODELS)
        world = MultipleChoiceWorld(x, true, shared=shared)
        tables = simulate_multiple_choice(world, rng)
        with tempfile.TemporaryDirectory() as name:
            started = time.perf_counter()
            write_store(tables, Path(name) / "made.store")
            ingested = time.perf_counter()
            stored = read(Path(name) / "made.store")
            loaded = time.perf_counter()
        source = group_source(stored)
        matrix = time.perf_counter()
        yield (
            f"{_MODELS} models x {_QUESTIONS} questions, {shared:.0%} of option preferences "
            f"shared: ingest {ingested - started:.1f} s, read {loaded - ingested:.1f} s, answers "
            f"to a matrix {matrix - loaded:.1f} s"
        )
        for limit in (None, 1.5):
            start = time.perf_counter()
            groups = source.groups(3, limit=limit)
            taken = time.perf_counter() - start
            assert groups.questions is not None
            own = true[groups.questions["item"].cast(pl.Int64).to_numpy()]
            ranks = [pl.Series(v).rank() for v in (own, groups.questions["difficulty"].to_numpy())]
            rho = float(np.corrcoef(ranks[0], ranks[1])[0, 1])
            third = np.floor((ranks[0].to_numpy() - 1) * 3 / _QUESTIONS)
            right = float((third == groups.questions["group"].to_numpy()).mean())
            who = (
                "all models sort" if limit is None else f"models below 10^{21 + limit:g} FLOP sort"
            )
            yield (
                f"  {who}: groups in {taken:.2f} s, rank correlation of true and found difficulty "
                f"{rho:.3f}, in the right third {right:.1%} (33.3% by luck)"
            )


def main() -> None:
    """Make all analyses of a folder, with figures if asked for."""
    kind, folder, out = sys.argv[1:]
    found = analyse(Path(folder))
    if kind == "figures":
        draw(found, Path(out))


if __name__ == "__main__":
    main()
