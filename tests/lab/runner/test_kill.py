"""Killed at any moment, a grid keeps what it finished and a second run completes it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from lab.runner import toy_jobs
from lab.runner.test_local import leftovers, same_tables
from lab.runner.toy_jobs import KINDS, grid
from upswing import read
from upswing.lab.runner.local import is_finished, output_folder, read_record, run_jobs
from upswing.tables.bundle import Tables

TESTS = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Tables:
    store = tmp_path_factory.mktemp("undisturbed")
    run_jobs(grid(), store, kinds=KINDS).check()
    return read(store)


def start(store: Path) -> subprocess.Popen[bytes]:
    """Run the toy grid in a process that can be killed."""
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    return subprocess.Popen(
        [sys.executable, "-m", "lab.runner.toy_jobs", str(store)], env=environment
    )


def children(process: int) -> list[int]:
    """Return the living children of a process."""
    processes = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
    return [child for child in processes if parent_of(child) == process]


def parent_of(process: int) -> int | None:
    """Return the parent of a process, or None where that has ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[1])


def is_alive(process: int) -> bool:
    return parent_of(process) is not None


def check_finished(store: Path) -> set[str]:
    """Check that every job that counts as finished is whole; return their keys."""
    keys = {job.key for job in grid() if is_finished(store, job.key)}
    for job in grid():
        if job.key in keys:
            assert read_record(store, job.key).config == job.config
            if job.kind == "make":
                content = (output_folder(store, job.key) / "deep" / "weights").read_bytes()
                assert content == toy_jobs.weights(job.config["seed"])
    return keys


def wait_until(condition, seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def test_workers_end_soon_after_their_parent(tmp_path):
    process = start(tmp_path)
    assert wait_until(lambda: len(children(process.pid)) == 2)
    workers = children(process.pid)
    process.kill()
    process.wait()
    assert wait_until(lambda: not any(map(is_alive, workers)), 5.0)


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(20))
def test_killed_at_a_random_moment(tmp_path, undisturbed, moment):
    generator = random.Random(moment)
    is_parent = moment % 2 == 0
    process = start(tmp_path)
    assert wait_until(lambda: len(children(process.pid)) == 2)
    workers = children(process.pid)
    finished = generator.randrange(len(grid()) - 1)
    wait_until(lambda: len(list((tmp_path / "jobs").glob("*/record.json"))) >= finished)
    time.sleep(generator.uniform(0.0, 2 * toy_jobs.SECONDS))
    with suppress(ProcessLookupError):  # on a fast machine it has just ended
        os.kill(process.pid if is_parent else generator.choice(workers), signal.SIGKILL)
    status = process.wait(60)
    if is_parent:
        assert status in (0, -signal.SIGKILL)
        assert wait_until(lambda: not any(map(is_alive, workers)), 5.0)
    else:
        assert status == 0  # the grid went on
    kept = check_finished(tmp_path)
    if kept:
        read(tmp_path)  # whole, if not complete
    result = run_jobs(grid(), tmp_path, kinds=KINDS)
    result.check()
    assert {job.key for job in result.skipped} == kept
    assert not kept & {job.key for job in result.done}
    assert check_finished(tmp_path) == {job.key for job in grid()}
    assert not leftovers(tmp_path)
    assert not list((tmp_path / "jobs").glob("*.failed.json"))
    assert same_tables(read(tmp_path), undisturbed)


@pytest.mark.slow
def test_two_runs_of_one_grid_at_the_same_time_give_its_tables(tmp_path, undisturbed):
    processes = [start(tmp_path), start(tmp_path)]
    assert [process.wait(60) for process in processes] == [0, 0]
    assert check_finished(tmp_path) == {job.key for job in grid()}
    assert not leftovers(tmp_path)
    assert same_tables(read(tmp_path), undisturbed)
