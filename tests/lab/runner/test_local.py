"""The local runner: everything that can run runs once, whatever happens to the rest."""

from __future__ import annotations

import json
import os
from pathlib import Path

import polars as pl
import pytest

from lab.runner import toy_jobs
from lab.runner.toy_jobs import KINDS, grid
from upswing import read
from upswing.errors import ExperimentError, InputError, OutputError, UnknownNameError
from upswing.lab.runner.grid import GridResult, GridState
from upswing.lab.runner.job import Job
from upswing.lab.runner.local import (
    LocalRunner,
    output_folder,
    plan,
    read_failure,
    read_record,
    run_jobs,
)
from upswing.lab.runner.process import WorkerProcess
from upswing.tables.bundle import Tables
from upswing.tables.store import StoreWriter, is_store


def run(jobs: list[Job], store: Path, **options) -> GridResult:
    return run_jobs(jobs, store, kinds=KINDS, **options)


def same_tables(one: Tables, other: Tables) -> bool:
    return all(
        getattr(one, name).equals(getattr(other, name))
        for name in ("scores", "items", "finetunes", "scales", "files")
    )


def leftovers(store: Path) -> list[Path]:
    return list((store / "jobs").glob(".*.making-*"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A store after an undisturbed run of the toy grid."""
    store = tmp_path_factory.mktemp("grid") / "store"
    result = run(grid(), store)
    assert len(result.done) == 16
    assert not result.failed
    return store


def test_a_grid_runs_and_its_rows_come_through_unchanged(finished):
    tables = read(finished)
    scores = [job for job in grid() if job.kind == "score"]
    assert set(tables.scores["source"]) == {job.source for job in scores}
    assert len(tables.items) == 4 * len(scores)
    expected = {
        f"step{job.config['seed']}": toy_jobs.weights(job.config["seed"] // 100)[job.config["seed"]]
        / 255
        for job in scores
    }
    assert dict(tables.scores.select("revision", "value").iter_rows()) == expected
    given = pl.concat(toy_jobs.readings(*pair).finetunes for pair in expected.items())
    found = tables.finetunes.drop("source").sort(pl.all())
    assert found.equals(given.drop("source").sort(pl.all()))


def test_every_row_names_a_job_whose_record_says_how_it_was_made(finished):
    tables = read(finished)
    files = {row["source"]: row for row in tables.files.iter_rows(named=True)}
    assert set(files) == {job.source for job in grid()}  # those without rows too
    for name in ("scores", "items", "finetunes"):
        assert set(getattr(tables, name)["source"]) <= set(files)
    job = next(job for job in grid() if job.kind == "score")
    row = files[job.source]
    assert (row["reader"], row["rows"]) == ("lab", 1 + 4 + 2)
    assert row["harness"].startswith("upswing-lab ")
    assert len(row["sha256"]) == 64
    record = read_record(finished, job.key)
    assert (record.kind, record.config, record.key) == (job.kind, job.config, job.key)
    assert record.rows == {"scores": 1, "scales": 0, "items": 4, "finetunes": 2}
    assert record.source == job.source
    assert {"polars", "numpy"} >= set(record.libraries) >= {"polars"}
    assert record.wall_seconds >= 0.0
    assert record.finished.endswith("+00:00")


def test_files_are_kept_and_nothing_else_is(finished):
    maker = grid()[0]
    content = output_folder(finished, maker.key) / "deep" / "weights"
    assert content.read_bytes() == toy_jobs.weights(0)
    assert not leftovers(finished)
    assert not list((finished / "jobs").glob("*.failed.json"))
    assert {path.name for path in (finished / "jobs").iterdir()} == {
        ".lock",
        *(job.key for job in grid()),
    }


def test_a_second_run_does_nothing(finished):
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*") if path.is_file()}
    result = run(grid(), finished)
    assert (len(result.done), len(result.skipped)) == (0, 16)
    result.check()
    after = {path: path.stat().st_mtime_ns for path in finished.rglob("*") if path.is_file()}
    assert after == before


def test_one_worker_gives_the_same_tables(finished, tmp_path):
    LocalRunner(workers=1, kinds=KINDS).run(grid(), tmp_path)
    assert same_tables(read(tmp_path), read(finished))


def test_a_larger_grid_runs_only_what_is_new(finished, tmp_path):
    run(grid(makers=1, scores=1), tmp_path)
    result = run(grid(makers=1), tmp_path)
    assert (len(result.done), len(result.skipped)) == (2, 2)
    new = Job("score", {"seed": 77, "needs": grid()[0].key}, (grid()[0].key,))
    assert len(run([new], tmp_path).done) == 1  # what it needs is there, though not in the grid


def test_the_plan_tells_what_would_run_and_writes_nothing(finished, tmp_path):
    table = plan(grid(), tmp_path / "none")
    assert not (tmp_path / "none").exists()
    assert set(table["state"]) == {"to do"}
    assert table["cpu_seconds"].sum() == pytest.approx(16 * toy_jobs.SECONDS)
    assert table["label"][0] == "make 0"
    assert set(plan(grid(), finished)["state"]) == {"done"}


def test_progress_goes_from_nothing_to_all(tmp_path):
    states: list[GridState] = []
    run(grid(makers=6, scores=1), tmp_path, progress=states.append)
    first, last = states[0], states[-1]
    assert first.left == 12
    assert first.share < 1.0
    assert 1 <= len(first.running) <= 2
    assert first.seconds_left == pytest.approx(12 * toy_jobs.SECONDS / 2, rel=0.5)
    assert (last.done, last.left, last.running, last.share) == (12, 0, (), 1.0)
    assert last.seconds_left == 0.0
    assert [state.done for state in states] == sorted(state.done for state in states)


def test_a_job_tells_how_far_it_is(tmp_path):
    states: list[GridState] = []
    job = Job("make", {"seed": 0, "seconds": 2.5}, label="long")
    run([job], tmp_path, progress=states.append)
    shares = [state.running[0].share for state in states if state.running]
    assert states[0].running[0].label == "long"
    assert {0.2, 0.4, 0.6} & set(shares)


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("experiment", "the loss is not finite (lower the learning rate)"),
        ("bug", "ValueError: two lines of ?"),
        ("exit", "SystemExit: 3"),
    ],
)
def test_a_failure_is_recorded_and_the_grid_goes_on(tmp_path, how, error):
    bad = Job("fail", {"how": how}, label="bad")
    child = Job("score", {"needs": bad.key, "seed": 1}, (bad.key,))
    grandchild = Job("score", {"needs": bad.key, "seed": 2}, (child.key,))
    result = run([bad, child, grandchild, *grid(makers=1)], tmp_path)
    assert len(result.done) == 4
    assert result.waiting == (child, grandchild)
    (failure,) = result.failed
    assert (failure.job, failure.error) == (bad, error)
    assert "toy_jobs.py" in failure.traceback
    assert not leftovers(tmp_path)
    assert not output_folder(tmp_path, bad.key).exists()
    record = read_failure(tmp_path, bad.key)
    assert (record.error, record.config, record.kind) == (error, bad.config, "fail")
    assert len(read(tmp_path).scores) == 3
    table = plan([bad, child, grandchild], tmp_path)
    assert table["state"].to_list() == ["failed", "to do", "to do"]
    assert table["error"].to_list() == [error, None, None]
    with pytest.raises(ExperimentError, match=r"1 of 7 jobs failed and 2 could not .* bad: "):
        result.check()


def test_a_failed_job_is_tried_again_and_then_forgotten(tmp_path):
    job = Job("fail", {"how": "bug", "mended": str(tmp_path / "mended")})
    assert run([job], tmp_path / "store").failed
    (tmp_path / "mended").touch()
    assert run([job], tmp_path / "store").done == (job,)
    assert read_failure(tmp_path / "store", job.key) is None
    assert read(tmp_path / "store").scores["value"].to_list() == [1.0]


def test_rows_that_would_break_the_store_fail_their_job(tmp_path):
    result = run([Job("fail", {"how": "columns"}), *grid(makers=1)], tmp_path)
    assert len(result.failed) == 1
    assert len(read(tmp_path).scores) == 3


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV"])
def test_a_worker_that_dies_is_replaced(tmp_path, name):
    bad = [Job("die", {"signal": name, "i": i}) for i in range(3)]
    result = run([*bad, *grid(makers=1)], tmp_path)
    assert len(result.done) == 4
    assert {failure.job for failure in result.failed} == set(bad)
    assert all(f"killed by {name}" in failure.error for failure in result.failed)
    assert not leftovers(tmp_path)
    assert f"killed by {name}" in read_failure(tmp_path, bad[0].key).error


def test_what_a_job_prints_is_not_taken_for_an_answer(tmp_path, capfd):
    job = Job("chatter", {})
    result = run([job, *grid(makers=1)], tmp_path)
    result.check()
    assert len(result.done) == 5
    out, err = capfd.readouterr()
    assert out == ""
    assert '{"done": "nonsense"}' in err
    assert "written to descriptor 1" in err
    assert "a child" in err
    threads = (output_folder(tmp_path, job.key) / "threads").read_text()
    assert threads == "{'OMP_NUM_THREADS': '1', 'POLARS_MAX_THREADS': '1'}"


def test_a_full_disk_fails_the_job_that_filled_it(tmp_path):
    result = run([Job("disk_full", {}), *grid(makers=1)], tmp_path)
    assert [failure.error for failure in result.failed] == [
        "the disk is full (No space left on device)"
    ]
    assert len(result.done) == 4


def test_a_failure_that_cannot_be_written_down_is_told_all_the_same(tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("upswing.lab.runner.local.write_failure", full)
    result = run([Job("fail", {"how": "bug"}), *grid(makers=1)], tmp_path)
    assert len(result.failed) == 1
    assert len(result.done) == 4
    assert not list((tmp_path / "jobs").glob("*.failed.json"))


def test_ctrl_c_stops_the_workers_and_loses_no_finished_job(tmp_path, monkeypatch):
    workers: list[int] = []

    class Observed(WorkerProcess):
        def begin(self, *arguments: object) -> None:
            workers.append(self.id)
            super().begin(*arguments)

    def stop(state: GridState) -> None:
        if state.done >= 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("upswing.lab.runner.local.WorkerProcess", Observed)
    with pytest.raises(KeyboardInterrupt):
        run(grid(makers=12), tmp_path, progress=stop)
    assert workers
    assert not any(_is_alive(worker) for worker in workers)
    assert not leftovers(tmp_path)
    result = run(grid(makers=12), tmp_path)
    assert len(result.skipped) >= 2
    assert len(result.skipped) + len(result.done) == 48
    assert len(read(tmp_path).scores) == 36


def test_a_finished_job_whose_record_is_taken_out_runs_again(tmp_path):
    jobs = grid(makers=1)
    run(jobs, tmp_path)
    tables = read(tmp_path)
    (output_folder(tmp_path, jobs[1].key) / "record.json").unlink()
    assert run(jobs, tmp_path).done == (jobs[1],)
    assert same_tables(read(tmp_path), tables)


def test_another_rounding_replaces_the_rows(tmp_path):
    shake = tmp_path / "shake"
    jobs = grid(makers=1, shake=str(shake))
    for shaken in ("0", "1", "0"):
        shake.write_text(shaken)
        for job in jobs:
            (output_folder(tmp_path, job.key) / "record.json").unlink(missing_ok=True)
        run(jobs, tmp_path)
        tables = read(tmp_path)
        assert len(tables.scores) == 3
        assert len(tables.items) == 12
        assert len(tables.finetunes) == 6
        assert len(tables.files) == 4
        expected = toy_jobs.weights(0)[1] / 255 + 1e-6 * (1 + int(shaken))
        row = tables.scores.row(by_predicate=pl.col("revision") == "step1", named=True)
        assert row["value"] == expected


def test_errors_of_the_grid_come_before_any_work(tmp_path):
    with pytest.raises(UnknownNameError, match="'dream'"):
        run([Job("dream", {})], tmp_path / "a")
    with pytest.raises(InputError, match="needs job"):
        run([Job("make", {"seed": 0}, ("0" * 20,))], tmp_path / "b")
    with pytest.raises(InputError, match="0 workers"):
        run(grid(), tmp_path / "c", workers=0)
    assert not list(tmp_path.iterdir())
    (tmp_path / "taken").write_text("")
    with pytest.raises(OutputError, match="taken"):
        run(grid(), tmp_path / "taken")


def test_a_function_that_is_not_there_fails_its_job(tmp_path):
    kinds = {"a": "lab.runner.toy_jobs:nowhere", "b": "no_such_module:run"}
    result = run_jobs([Job("a", {}), Job("b", {})], tmp_path, kinds=kinds)
    errors = {failure.job.kind: failure.error for failure in result.failed}
    assert errors["a"] == "there is no function 'nowhere' in lab.runner.toy_jobs"
    assert errors["b"].startswith("ModuleNotFoundError")


def test_an_empty_grid_makes_an_empty_store(tmp_path):
    states: list[GridState] = []
    assert run([], tmp_path, progress=states.append) == GridResult()
    assert states[-1].share == 1.0
    assert is_store(tmp_path)
    assert len(read(tmp_path).scores) == 0


def test_the_store_can_be_written_by_others_while_jobs_are_left_over(tmp_path):
    run(grid(makers=1), tmp_path)
    left = tmp_path / "jobs" / f".{'0' * 20}.making-00000000-1-abcdef01"
    left.mkdir()
    os.utime(left, (0, 0))
    StoreWriter(tmp_path)  # removes old leftovers of its own


def test_records_are_plain_json(finished):
    record = json.loads((output_folder(finished, grid()[0].key) / "record.json").read_bytes())
    assert record["config"] == {"seed": 0}


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
