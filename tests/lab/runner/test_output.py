"""Folders of jobs: whole or not there, also when the disk is full or two do the same."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from threading import Thread

import polars as pl
import pytest

from lab.runner import toy_jobs
from upswing import read
from upswing.errors import ExperimentError, InputError, OutputError, UpswingError
from upswing.lab.runner.job import Job
from upswing.lab.runner.lock import exclusive
from upswing.lab.runner.making import making
from upswing.lab.runner.output import (
    finished_folder,
    is_finished,
    keep,
    output_folder,
    prepare,
    read_failure,
    read_record,
    write_failure,
)
from upswing.lab.runner.record import Stopwatch
from upswing.lab.runner.rows import stamped
from upswing.lab.runner.workplace import Workplace
from upswing.notes import Note
from upswing.tables.reading import Reading

JOB = Job("make", {"seed": 0})


def make(store: Path, value: float = 0.5) -> None:
    with making(store, JOB.key) as folder:
        (folder / "file").write_text(str(value))
        keep(folder, JOB, [toy_jobs.readings("step1", value)], store, Stopwatch())


@pytest.fixture
def store(tmp_path: Path) -> Path:
    prepare(tmp_path)
    return tmp_path


def names(store: Path) -> set[str]:
    return {path.name for path in (store / "jobs").iterdir()} - {".lock"}


def test_what_is_kept_has_the_final_name_and_what_is_not_is_gone(store):
    with making(store, "abandoned") as folder:
        (folder / "file").write_text("half")
        assert len(names(store)) == 1
    assert not names(store)
    make(store)
    assert names(store) == {JOB.key}
    assert (finished_folder(store, JOB.key) / "file").read_text() == "0.5"


@pytest.mark.parametrize("failing", range(1, 12))
def test_a_full_disk_at_any_write_leaves_nothing_half_done(store, monkeypatch, failing):
    calls: list[int] = []
    real = os.fsync

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == failing:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left on device"):
        make(store)
    monkeypatch.undo()
    assert not names(store)
    assert not is_finished(store, JOB.key)
    make(store)
    assert len(read(store).scores) == 1


def test_a_kill_between_rows_and_folder_doubles_no_row(store, monkeypatch):
    def killed(*_: object) -> None:
        raise SystemExit

    monkeypatch.setattr(Path, "rename", killed)
    with pytest.raises(SystemExit):
        make(store, 0.25)
    monkeypatch.undo()
    assert read(store).scores["value"].to_list() == [0.25]
    make(store, 0.5)
    tables = read(store)
    assert tables.scores["value"].to_list() == [0.5]
    assert (len(tables.items), len(tables.finetunes), len(tables.files)) == (4, 2, 1)


def test_of_two_that_do_the_same_job_the_first_to_finish_counts(store):
    with making(store, JOB.key) as slow:
        (slow / "file").write_text("slow")
        make(store, 0.5)
        keep(slow, JOB, [toy_jobs.readings("step1", 0.75)], store, Stopwatch())
    assert (output_folder(store, JOB.key) / "file").read_text() == "0.5"
    assert read(store).scores["value"].to_list() == [0.5]
    assert names(store) == {JOB.key}


def test_many_that_finish_the_same_job_at_once_leave_one(store):
    values = [i / 16 for i in range(8)]
    threads = [Thread(target=make, args=(store, value)) for value in values]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = float((output_folder(store, JOB.key) / "file").read_text())
    assert read(store).scores["value"].to_list() == [kept]
    assert names(store) == {JOB.key}


def test_a_success_removes_the_failure(store):
    write_failure(store, JOB, "it broke", "Traceback")
    assert read_failure(store, JOB.key).error == "it broke"
    make(store)
    assert read_failure(store, JOB.key) is None


def test_what_is_not_finished_has_no_output(store):
    with pytest.raises(ExperimentError, match="has not finished"):
        read_record(store, JOB.key)
    with pytest.raises(ExperimentError, match="has not finished"):
        Workplace(store, JOB, store).output(JOB.key)


def test_a_damaged_record_is_told(store):
    make(store)
    (output_folder(store, JOB.key) / "record.json").write_text("{")
    with pytest.raises(InputError, match=r"record\.json: a damaged record"):
        read_record(store, JOB.key)


def test_folders_of_the_dead_are_removed_and_of_the_living_kept(store):
    code = (
        "import os, sys; from pathlib import Path; from upswing.lab.runner.making import making\n"
        "with making(Path(sys.argv[1]), 'dead') as folder:\n"
        "    (folder / 'file').write_text('half'); os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(store)]).returncode == -9
    (store / "jobs" / ".unborn.making-0123").mkdir()  # killed before it could lock its folder
    (left,) = (store / "jobs").glob(".dead.making-*")
    assert (left / "output" / "file").exists()
    with making(store, "living") as folder:
        prepare(store)
        assert {name.split(".")[1] for name in names(store)} == {"living"}
        assert folder.exists()
    assert not names(store)


def test_one_process_holds_the_lock_at_a_time(tmp_path):
    lock, log = tmp_path / "lock", tmp_path / "log"
    code = (
        "import sys, time; from pathlib import Path\n"
        "from upswing.lab.runner.lock import exclusive\n"
        "for _ in range(5):\n"
        "    with exclusive(Path(sys.argv[1])), open(sys.argv[2], 'a', buffering=1) as log:\n"
        "        print('in', file=log); time.sleep(0.01); print('out', file=log)\n"
    )
    command = [sys.executable, "-c", code, str(lock), str(log)]
    for process in [subprocess.Popen(command) for _ in range(3)]:
        assert process.wait() == 0
    assert log.read_text().split() == ["in", "out"] * 15


def test_the_dead_hold_no_lock(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from upswing.lab.runner.lock import exclusive\n"
        "with exclusive(Path(sys.argv[1])): os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path / "lock")]).returncode == -9
    with exclusive(tmp_path / "lock"):
        pass


def test_the_digest_of_rows_follows_their_content():
    def digest(reading: Reading) -> str:
        return stamped([reading], JOB)[-1].files["sha256"][0]

    one = toy_jobs.readings("step1", 0.5)
    assert digest(one) == digest(toy_jobs.readings("step1", 0.5))
    others = [
        toy_jobs.readings("step2", 0.5),
        toy_jobs.readings("step1", 0.5 + 2**-53),
        Reading(items=one.items),
        Reading(notes=(Note("odd", "info", "Odd."),)),
        Reading(),
    ]
    assert len({digest(one), *map(digest, others)}) == 6
    assert stamped([one], JOB)[0].items["source"].unique().to_list() == [JOB.source]


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        ("scores", {"value": float("nan")}, "not a finite number"),
        ("finetunes", {"value": float("inf")}, "not a finite number"),
        ("finetunes", {"family": None}, "'family' of the finetunes table is empty"),
        ("scores", {"value": 70.0}, "exact_match"),
        ("items", {"correct": 1.5}, "'correct' of the items table holds 1"),
        ("scores", {"colour": "red"}, "no column 'colour'"),
    ],
)
def test_rows_that_would_spoil_the_store_are_refused(store, table, change, message):
    reading = toy_jobs.readings("step1", 0.5)
    frame = getattr(reading, table).with_columns(**{k: pl.lit(v) for k, v in change.items()})
    with pytest.raises(UpswingError, match=message), making(store, JOB.key) as folder:
        keep(folder, JOB, [replace(reading, **{table: frame})], store, Stopwatch())
    assert not names(store)
    assert read(store).scores.is_empty()


def test_progress_is_told_now_and_then_and_stays_in_range(tmp_path):
    told: list[float] = []
    place = Workplace(tmp_path, JOB, tmp_path, told.append)
    for _ in range(1000):
        place.progress(1.5)
    assert told
    assert len(told) < 100
    assert set(told) == {1.0}
    assert (place.key, place.source) == (JOB.key, f"lab/make/{JOB.key}")
